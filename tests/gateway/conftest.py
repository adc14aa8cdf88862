"""The application in this process, over a store of its own, for laws about its answers; nothing of it is replaced."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import falcon.testing
import pytest

from tocsin.app import Tocsin
from tocsin.config import Config, load_config
from tocsin.gateway.app import build_app
from tocsin.registry import build_registry

KEY = "k-all"
KEYS = {
    KEY: ("all", '["send:otp", "send:critical", "send:alert", "send:notice", "send:bulk", "read", "cancel"]', ""),
    "k-alert": ("alert", '["send:alert"]', ""),
    "k-read": ("read", '["read"]', ""),
    "k-two": ("two", '["send:alert"]', 'limits = ["2/m"]'),
    "k-often": ("often", '["read"]', 'limits = ["2/m"]'),
    "": ("nothing", '["read"]', ""),
}
CONFIG = """
allow_inline_secrets = true
[store]
url = "sqlite:///tocsin.db"
[accounts.main]
vendor = "winnerlook"
user_code = "demo"
password = "invented"
channel = "37"
base_url = "http://127.0.0.1:9"
insecure_http = "acknowledged"
signature = "【Example】"
[groups]
oncall = ["+8613900000001", "13900000002"]
[[routes]]
name = "all"
accounts = ["main"]
[gateway]
listen = "127.0.0.1:0"
"""


def keys_as_toml() -> str:
    """Return the tables of all keys."""
    return "".join(
        f'[[gateway.keys]]\nname = "{name}"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n'
        f"scopes = {scopes}\n{more}\n"
        for key, (name, scopes, more) in KEYS.items()
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a configuration."""
    (tmp_path / "tocsin.toml").write_text(CONFIG + keys_as_toml(), encoding="utf-8")
    return tmp_path


class Caller:
    """Calls the application with a key, and reads its JSON.

    Attributes:
        tocsin: the one behind it.
        stopping: ends its streams.
    """

    def __init__(self, tocsin: Tocsin, config: Config) -> None:
        self.tocsin = tocsin
        self.config = config
        self.stopping = threading.Event()
        self._client = falcon.testing.TestClient(build_app(tocsin, config, stopping=self.stopping))

    def __call__(self, method, path, *, key=KEY, headers=None, **request):
        given = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self._client.simulate_request(method, path, headers={**given, **(headers or {})}, **request)

    def send(self, **message):
        """Hand a message in; return the answer."""
        return self("POST", "/v1/messages", json={"to": ["+8613900000000"], "text": "disk full", **message})


@pytest.fixture
def call(home):
    """A caller of an application of its own."""
    registry = build_registry()
    kinds = registry.described_sources()
    config = load_config(home / "tocsin.toml", vendors=registry.described(), sources=kinds, environ={})
    with Tocsin(config, registry) as tocsin:
        yield Caller(tocsin, config)
