"""The ground of the attacks: both vendors' sandboxes, a store, `tocsin serve` beside it, and what stands there.

Five accounts, as `attacks.toml` describes them. No vendor reports on its own: what becomes of a delivery here is what
was pushed, and nothing else.
"""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import attrs

from tocsin import Tocsin
from tocsin.outbox.record import Filter
from tocsin.sandbox import Fault, RunningSandbox, start
from tocsin.verify import check_store

from ..gateway_process import LISTENING, ServiceProcess
from ..waiting import until
from .wire import Answer, Peer, request

KEY = "the-key-of-the-api"
TOKENS = {name: f"{name}-token-7d1f0a55c3" for name in ("main", "backup", "bare", "far")}
VENDORS = {"main": "winnerlook", "backup": "ipyy", "bare": "ipyy", "far": "ipyy", "mute": "ipyy"}
ALLOW = {"main": '["127.0.0.1"]', "backup": '["127.0.0.1"]', "far": '["203.0.113.0/24"]'}
PROXY = "127.0.0.2"
DEADLINE_S = 30.0

_USERS = {"winnerlook": 'user_code = "demo"\nchannel = "37"', "ipyy": 'user_id = "12"\naccount = "demo"'}
_HEAD = f"""
allow_inline_secrets = true

[store]
url = "sqlite:///tocsin.db"

[gateway]
listen = "127.0.0.1:0"
trusted_proxies = ["{PROXY}"]

[[gateway.keys]]
name = "test"
sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"
scopes = ["send:notice"]

[[routes]]
name = "all"
accounts = ["mute"]
"""


@attrs.frozen(kw_only=True)
class Target:
    """A delivery that is attacked."""

    account: str
    number: str
    vendor_id: str
    delivery: str


@attrs.frozen(kw_only=True)
class Stock:
    """What stands in the store."""

    raw: int
    reports: int
    joined: int
    inbound: int
    quarantined: int

    def since(self, before: Stock) -> dict[str, int]:
        """Return what is more than before."""
        return {name: value - getattr(before, name) for name, value in attrs.asdict(self).items()}


class Ground:
    """Everything that an attack works with.

    Args:
        home: directory of the configuration and the store.
        vendors: sandboxes by name.
        service: `tocsin serve`, answering.
    """

    def __init__(self, home: Path, vendors: dict[str, RunningSandbox], service: ServiceProcess) -> None:
        self.home = home
        self.vendors = vendors
        self.service = service
        self.secrets: set[str] = {*TOKENS.values(), KEY}
        self.targets: list[Target] = []
        self.tocsin = Tocsin.from_config(home / "tocsin.toml")
        host, _, port = service.url.removeprefix("http://").partition(":")
        self.peer = Peer(host, int(port))
        self.proxy = Peer(host, int(port), source=PROXY)
        self._numbers = iter(range(13900000000, 13999999999))

    def close(self) -> None:
        """Close the store."""
        self.tocsin.close()

    def path(self, account: str, token: str | None = None) -> str:
        """Return where an account is pushed to."""
        return f"/push/{account}/{TOKENS[account] if token is None else token}"

    def push(self, account: str, body: bytes, *headers: str, peer: Peer | None = None) -> Answer:
        """Push with the right token."""
        return (peer or self.peer).post(self.path(account), body, *headers)

    def number(self) -> str:
        """Return a number that nobody has used."""
        number = str(next(self._numbers))
        self.secrets.add(number)
        return number

    def target(self, account: str = "bare", *, doubtful: bool = False, number: str | None = None) -> Target:
        """Have a message accepted through an account, or lose the vendor's answer; return its delivery."""
        number = number or self.number()
        vendor = self.vendors[VENDORS[account]]
        if doubtful:
            vendor.inject(Fault("reset", operation="submit", when="after"))
        (delivery,) = self.tocsin.deliver_now(to=[number], text="a canary sings", cls="notice", only=account).deliveries
        found = Target(
            account=account, number=number, vendor_id=vendor.ledger.submits[-1].vendor_id, delivery=delivery.id
        )
        self.targets.append(found)
        return found

    def state(self, target: Target) -> str:
        """Return where a delivery stands."""
        (found,) = self.tocsin.deliveries(Filter(delivery=target.delivery))  # type: ignore[arg-type]
        return found.state.value

    def stock(self) -> Stock:
        """Count what stands in the store of pushes; what polls brought stands under other raw answers."""
        pushed = "raw IN (SELECT id FROM raw WHERE kind = 'pushed')"
        return Stock(
            raw=self.ask("SELECT count(*) FROM raw WHERE kind = 'pushed'"),
            reports=self.ask(f"SELECT count(*) FROM report WHERE {pushed}"),
            joined=self.ask(f"SELECT count(*) FROM report WHERE {pushed} AND delivery IS NOT NULL"),
            inbound=self.ask(f"SELECT count(*) FROM inbound WHERE {pushed}"),
            quarantined=self.ask(f"SELECT count(*) FROM quarantine WHERE {pushed}"),
        )

    def ask(self, question: str, *values: Any) -> Any:
        """Return the one value that the store's file answers."""
        with closing(sqlite3.connect(self.home / "tocsin.db", timeout=10)) as connection:
            (row,) = connection.execute(question, values).fetchall()
            return row[0]

    def mark(self) -> None:
        """Make a line in the log, and wait for it: all that the gateway said before is there then."""
        mark = '"endpoint": "/v1/inbound"'
        before = self.service.log.count(mark)
        assert self.peer.ask(request("GET", "/v1/inbound")).status == 401
        until(lambda: self.service.log.count(mark) > before)

    def submits(self) -> Counter[str]:
        """Count what each phone was sent, by the vendors' ledgers."""
        return Counter(
            number for vendor in self.vendors.values() for one in vendor.ledger.submits for number in one.numbers
        )

    def inbox(self) -> str:
        """Return the inbound messages as the command line shows them to people."""
        command = [sys.executable, "-m", "tocsin", "inbox"]
        ended = subprocess.run(command, cwd=self.home, capture_output=True, timeout=DEADLINE_S, check=True)
        return ended.stdout.decode()

    def violations(self) -> list[str]:
        """Return what is wrong with the store."""
        return [f"{one.invariant} {one.where}: {one.what}" for one in check_store(self.tocsin.parts.store)]


@contextmanager
def prepared(home: Path) -> Iterator[Ground]:
    """Run everything until the block is left."""
    with ExitStack() as stack:
        vendors = {name: stack.enter_context(start(name)) for name in ("winnerlook", "ipyy")}
        for vendor in vendors.values():
            vendor.reports("never")
        accounts = [_account(name, vendors[vendor]) for name, vendor in VENDORS.items()]
        (home / "tocsin.toml").write_text("\n".join([_HEAD, *accounts]), encoding="utf-8")
        service = ServiceProcess(home, "serve")
        stack.callback(service.close)
        service.wait_for(LISTENING)
        service.wait_for("tocsin.worker.started")
        ground = Ground(home, vendors, service)
        stack.callback(ground.close)
        yield ground


def _account(name: str, vendor: RunningSandbox) -> str:
    lines = [
        f"[accounts.{name}]",
        f'vendor = "{vendor.vendor}"',
        _USERS[vendor.vendor],
        'password = "demo-password"',
        f'base_url = "{vendor.base_url}"',
        'insecure_http = "acknowledged"',
        'signature = "【Example】"',
        'poll = { reports = "1h", inbound = "1h", balance = "0s" }',
    ]
    if name in TOKENS:
        allow = f", allow = {ALLOW[name]}" if name in ALLOW else ""
        lines.append(f'push = {{ token = "{TOKENS[name]}"{allow} }}')
    return "\n".join(lines)
