"""The system under test: `tocsin serve` with two accounts, one class and one group, as an operator would run it.

It is killed as a power cut would: no process hears of it before. Called by the scenarios.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from ..waiting import until
from .people import PEOPLE
from .processes import are_gone, descendants, kill
from .programs import Account, Program, free_port

KEY = "key-of-the-stacks"
ALERTS = "/v1/alerts/alertmanager?group=oncall&class=critical"

AT_REST = frozenset({"delivered", "undelivered", "failed", "expired", "parked", "cancelled"})

_SETTINGS = """\
allow_inline_secrets = true

[store]
url = "sqlite:///tocsin.db"
{spool}

{accounts}
[groups]
oncall = {numbers}

[[routes]]
name = "all"
strategy = "failover"
accounts = ["main", "backup"]

[gateway]
listen = "127.0.0.1:{port}"

[[gateway.keys]]
name = "stacks"
sha256 = "{digest}"
scopes = ["send:alert", "send:critical"]
"""


class Service:
    """`tocsin serve`, started by `start`.

    Args:
        home: an empty directory.
        account: who runs it.
        accounts: the accounts' part of its configuration.
        more: further tables.
        spools: whether `tocsin notify` has a directory to put files into, in place of the store.
    """

    def __init__(self, home: Path, account: Account, accounts: str, more: str = "", spools: bool = False) -> None:
        self._home, self._account = home, account
        self.port = free_port()
        self.spool = home / "spool" if spools else home / "tocsin.db.spool"
        if spools:
            account.make_directory(self.spool).chmod(0o2770)
        settings = _SETTINGS.format(
            spool=f"spool = {json.dumps(str(self.spool))}" if spools else "",
            accounts=accounts,
            numbers=json.dumps(list(PEOPLE.values())),
            port=self.port,
            digest=hashlib.sha256(KEY.encode()).hexdigest(),
        )
        self.config = account.write(home / "tocsin.toml", settings + more)
        self._serve: Program | None = None
        self._starts = 0

    @property
    def spooled(self) -> int:
        """How many notifications wait on the spool."""
        return sum(1 for _ in self.spool.glob("*.slip"))

    @property
    def store(self) -> Path:
        """Its SQLite file."""
        return self._home / "tocsin.db"

    @property
    def url(self) -> str:
        """Where its gateway listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers and works."""
        command = (sys.executable, "-P", "-m", "tocsin", "--config", str(self.config), "serve")
        self._starts += 1
        environ = {"SSL_CERT_FILE": os.devnull}
        self._serve = Program(command, self._home, self._account, f"serve-{self._starts:02}", environ)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the gateway answers and a worker works."""
        until(self._is_ready, "the gateway and the worker are ready")

    def kill_processes(self) -> None:
        """Kill the gateway and the worker, with all that they started; their supervisor lives on."""
        assert self._serve is not None
        victims = descendants(self._serve.pid)
        kill(victims)
        until(lambda: are_gone(victims), "the killed processes are gone")

    def kill_all(self) -> None:
        """Kill the supervisor, and all that it has started."""
        assert self._serve is not None
        with self._serve.paused():  # it starts nobody again, and nobody hears of its end
            started = descendants(self._serve.pid)
            kill(started)
            self._serve.kill()
        until(lambda: are_gone(started), "the killed processes are gone")

    def stop(self) -> int | None:
        """Tell it to end, and return its status; None where it did not run."""
        if self._serve is None:
            return None
        status = self._serve.stop()
        self._serve = None
        return status

    def abandon(self) -> None:
        """Leave nothing of it running."""
        if self._serve is not None:
            self.kill_all()
            self._serve = None

    def ask(self, *arguments: str) -> Any:
        """Run a command that shows something; return its document."""
        done = self.run(*arguments, "--json")
        return json.loads(done.stdout)

    def run(self, *arguments: str) -> Any:
        """Run a command of `tocsin`; return how it ended."""
        command = (sys.executable, "-P", "-m", "tocsin", "--config", str(self.config), *arguments)
        return self._account.run(*command, environ={"SSL_CERT_FILE": os.devnull})

    def states(self) -> Counter[str]:
        """Count the deliveries in each state."""
        return Counter(one["state"] for one in self.ask("list"))

    @property
    def log(self) -> str:
        """What it has said since it was started last."""
        return "" if self._serve is None else self._serve.log

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False
