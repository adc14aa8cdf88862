"""Who may push, and what it costs to find out: the same for everybody who may not."""

import hashlib
import hmac

import falcon
import falcon.testing
import pytest

from tocsin.app import Tocsin
from tocsin.config import load_config
from tocsin.gateway.body import BodyReader
from tocsin.gateway.push import VendorPush
from tocsin.registry import build_registry

TOKEN = "a-token-of-some-length"
CONFIGURATION = f"""
allow_inline_secrets = true
[accounts.main]
vendor = "ipyy"
user_id = "12"
account = "demo"
password = "demo-password"
push = {{ token = "{TOKEN}" }}
[accounts.mute]
vendor = "ipyy"
user_id = "12"
account = "demo"
password = "demo-password"
"""


@pytest.fixture
def client(tmp_path):
    """The endpoint over a store of its own."""
    path = tmp_path / "tocsin.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    registry = build_registry()
    config = load_config(path, vendors=registry.described(), unavailable=registry.broken(), environ={})
    with Tocsin(config, registry) as tocsin:
        app = falcon.App()
        bodies = BodyReader(deadline_s=10, most=4, most_each=4)
        app.add_route("/push/{account}/{token}", VendorPush(tocsin.parts, bodies))
        yield falcon.testing.TestClient(app)


@pytest.fixture
def comparisons(monkeypatch):
    """What is compared in constant time, as it happens; the comparison itself is the real one."""
    seen = []
    compare = hmac.compare_digest

    def record(one, other):
        seen.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", record)
    return seen


@pytest.mark.parametrize("path", ["/push/main/wrong", "/push/nobody/wrong", "/push/mute/wrong", "/push/mute/None"])
def test_whoever_may_not_costs_one_comparison(client, comparisons, path):
    """Wrong token, unknown account, account without push: one comparison of two digests each, and the same answer."""
    answer = client.simulate_post(path, body=b"x")

    assert (answer.status_code, answer.text) == (404, "not found\n")
    ((shown, expected),) = comparisons
    assert shown == hashlib.sha256(path.rpartition("/")[2].encode()).digest()
    assert len(expected) == len(shown)


def test_the_token_opens(client, comparisons):
    """The right one costs as much."""
    assert client.simulate_post(f"/push/main/{TOKEN}", body=b"x").status_code == 400
    assert len(comparisons) == 1


def test_whoever_may_not_is_not_read(client):
    """Of the body of somebody who is turned away nothing is taken."""

    class Untouchable:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    answer = client.simulate_post(
        "/push/main/wrong", headers={"Content-Length": "3"}, extras={"wsgi.input": Untouchable()}
    )
    assert answer.status_code == 404
