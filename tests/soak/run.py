"""Kills a worker, and its clients, again and again while messages go through; then reconciles with both ledgers.

python -m tests.soak.run [--kills 100] [--messages 10000] [--seed 1] [--json]

Real processes, real sandboxes that misbehave, `kill -9` at random moments. In the end the faults stop, a last worker
works until nothing is due any more, and each message that was promised is looked for on the phones. Exit status 1 where
one is lost, one has a copy that its class forbids, or the store says what is not so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tests.crash.worker_vendors import VENDORS, Vendors

from tocsin.app import Tocsin
from tocsin.config import load_config
from tocsin.outbox.breaker import Mode, mode
from tocsin.outbox.sqlite_rows import microseconds
from tocsin.registry import build_registry

from .clients import Accepted, Client, CommandLine
from .plan import LIMITS, POLL, ROUTES, UNLIMITED, Said, messages, modes
from .reckoning import Reckoning, reckon
from .vendors import Mischief, set_up
from .worker import Worker

DRAIN_S = 600.0
"""The last worker has so long to come to rest."""

BACKLOG = 600
"""With more than this on its way a worker is left alone for a while, so that the kills strike all through the soak, and
not only the beginnings of one that never gets any further."""

BREATH_S = 30.0
LET_IN_S = 1.0
"""For how long at most."""


@attrs.frozen(kw_only=True)
class Asked:
    """What a soak is to be.

    Args:
        horizon_s: in the end, what is due within this time is waited for.
    """

    kills: int = 100
    messages: int = 10_000
    seed: int = 1
    horizon_s: float = 45.0


@attrs.frozen(kw_only=True)
class Soaked:
    """What it was."""

    asked: Asked
    reckoning: Reckoning
    troubles: tuple[str, ...]
    worker_kills: int
    client_kills: int
    mischief: dict[str, int]
    elapsed_s: float

    @property
    def violations(self) -> tuple[str, ...]:
        """All that is wrong."""
        return (*self.troubles, *self.reckoning.violations)


class Soak:
    """One soak in a directory of its own."""

    def __init__(self, asked: Asked, home: Path, vendors: Vendors) -> None:
        self._asked = asked
        self._dice = Random(asked.seed)
        self._config = home / "tocsin.toml"
        self._vendors = vendors
        self._said = messages(asked.messages, Random(f"{asked.seed} messages"))
        self._accepted = Accepted()
        self._troubles: list[str] = []
        self._client_kills = 0
        self._let_in_at = 0.0
        self._config.write_text(_settings(vendors.config), encoding="utf-8")

    def run(self, bar: Progress) -> Soaked:
        """Play it from beginning to end."""
        began = time.monotonic()
        set_up(self._vendors, modes(Random(f"{self._asked.seed} modes")))
        mischief = Mischief(self._vendors, Random(f"{self._asked.seed} mischief"))
        by_hand = self._said[:: max(1, len(self._said) * 2 // self._asked.kills)]
        others = [one for one in self._said if one not in set(by_hand)]
        clients = [Client(self._config, others[start::2], self._accepted) for start in range(2)]
        command_line = CommandLine(self._config, self._accepted, Random(f"{self._asked.seed} commands"))
        typing = threading.Thread(target=self._type, args=(command_line, by_hand))
        mischief.start()
        typing.start()
        self._kill_again_and_again(clients, bar)
        self._troubles += filter(None, (client.finish() for client in clients))
        typing.join()
        mischief.stop()
        self._come_to_rest(bar)
        config = load_config(self._config, vendors=build_registry().described(), environ={})
        reckoning = reckon(config, self._vendors.ledgers(), self._accepted.ids, self._said)
        return Soaked(
            asked=self._asked,
            reckoning=reckoning,
            troubles=(*self._troubles, *self._accepted.troubles),
            worker_kills=self._asked.kills,
            client_kills=self._client_kills + command_line.kills,
            mischief=dict(mischief.done.most_common()),
            elapsed_s=time.monotonic() - began,
        )

    def _type(self, command_line: CommandLine, said: Iterable[Said]) -> None:
        for one in said:
            self._troubles += filter(None, [command_line.say(one)])

    def _kill_again_and_again(self, clients: list[Client], bar: Progress) -> None:
        kills = bar.add_task("kills", total=self._asked.kills)
        accepted = bar.add_task("messages", total=self._asked.messages)
        for kill in range(self._asked.kills):
            worker = Worker(self._config)
            for client in clients:
                client.go_on((kill + 1) / self._asked.kills)
            if self._dice.random() < 0.2:
                self._client_kills += 1
                self._dice.choice(clients).kill()
            self._catch_up()
            self._let_in()
            self._troubles += filter(None, [worker.kill_after(self._moment(worker))])
            bar.advance(kills)
            bar.update(accepted, completed=len(self._accepted.ids))
            if not bar.console.is_terminal and (kill + 1) % 10 == 0:
                bar.console.print(f"{kill + 1} kills, {len(self._accepted.ids)} messages")

    def _moment(self, worker: Worker) -> float:
        """Draw how long a worker lives from now on: some die as they start, most at work."""
        if self._dice.random() < 0.2:
            return self._dice.uniform(0.0, 0.8)
        worker.wait_until_begun()
        return self._dice.uniform(0.0, 2.5)

    def _let_in(self) -> None:
        """Let every account in again, as an operator would who sits beside: else the soak would mostly wait for them.

        The vendors refuse accounts on purpose here, and each refusal leaves its account out for minutes.
        """
        if time.monotonic() < self._let_in_at:
            return
        self._let_in_at = time.monotonic() + LET_IN_S
        with Tocsin.from_config(self._config, {}) as tocsin:
            store, now = tocsin.parts.store, tocsin.parts.clock.now()
            for name, health in store.accounts.health().items():
                if mode(health, now) is not Mode.CLOSED:
                    store.accounts.resume(name, now)

    def _catch_up(self) -> None:
        """Let a worker that lags behind work."""
        self._wait_while(lambda sql: self._unrest(sql, 0.0) > BACKLOG, BREATH_S)

    def _come_to_rest(self, bar: Progress) -> None:
        resting = bar.add_task("coming to rest", total=None)
        worker = Worker(self._config)
        worker.wait_until_begun()

        def lasts(sql: sqlite3.Connection) -> bool:
            left = self._unrest(sql, self._asked.horizon_s)
            bar.update(resting, description=f"coming to rest: {left}")
            return left > 0

        if not self._wait_while(lasts, DRAIN_S):
            self._troubles.append("not all deliveries came to rest")
        self._troubles += filter(None, [worker.stop()])

    def _wait_while(self, lasts: Callable[[sqlite3.Connection], bool], most_s: float) -> bool:
        """Wait while it lasts, but not longer than that; return whether it is over. The store may not be there yet."""
        deadline = time.monotonic() + most_s
        store = self._config.with_name("tocsin.db")
        while not store.exists():
            time.sleep(0.05)
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as sql:
            while is_so := lasts(sql):
                if time.monotonic() > deadline:
                    break
                self._let_in()
                time.sleep(0.25)
        return not is_so

    @staticmethod
    def _unrest(sql: sqlite3.Connection, horizon_s: float) -> int:
        """Count what is not at rest: on its way, or due before the horizon."""
        statement = """
            SELECT count(*) FROM delivery WHERE state IN ('queued', 'claimed', 'sending')
            OR (state IN ('in_doubt', 'submitted') AND due_at <= ?)
        """
        horizon = datetime.now(UTC) + timedelta(seconds=horizon_s)
        return int(sql.execute(statement, (microseconds(horizon),)).fetchone()[0])


def _settings(config: str) -> str:
    for vendor in VENDORS:
        config = config.replace(f'vendor = "{vendor}"\n', f'vendor = "{vendor}"\n{POLL}{UNLIMITED}')
    return config.partition("[[routes]]")[0] + LIMITS + ROUTES


@contextmanager
def _home() -> Iterator[Path]:
    memory = Path("/dev/shm")  # a killed process loses nothing that the kernel has: no disk is needed
    home = tempfile.mkdtemp(prefix="tocsin-soak-", dir=memory if memory.is_dir() else None)
    try:
        yield Path(home)
    finally:
        shutil.rmtree(home)


def soak(asked: Asked) -> Soaked:
    """Run a soak, with a bar on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    vendors = Vendors()
    try:
        with _home() as home, Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            return Soak(asked, home, vendors).run(bar)
    finally:
        vendors.close()


def as_json(soaked: Soaked) -> dict[str, Any]:
    """Return what it was as one JSON document."""
    reckoning = soaked.reckoning
    return {
        "seed": soaked.asked.seed,
        "worker_kills": soaked.worker_kills,
        "client_kills": soaked.client_kills,
        "messages": reckoning.messages,
        "deliveries": reckoning.deliveries,
        "lost": reckoning.lost,
        "forbidden_copies": reckoning.forbidden,
        "fates": dict(reckoning.fates),
        "states": dict(reckoning.states),
        "phones_with_copies": {str(count): phones for count, phones in reckoning.copies.items()},
        "submits": dict(reckoning.submits),
        "report_gaps": reckoning.gaps,
        "mischief": soaked.mischief,
        "violations": list(soaked.violations),
        "elapsed_s": round(soaked.elapsed_s, 1),
    }


def table(soaked: Soaked) -> str:
    """Return what it was for people."""
    shown = as_json(soaked)
    lines = []
    for name, value in shown.items():
        if isinstance(value, dict):
            lines.append(name.replace("_", " "))
            lines += [f"  {key:48}{count:7}" for key, count in value.items()]
        elif name != "violations":
            lines.append(f"{name.replace('_', ' '):50}{value:>7}")
    return "\n".join([*lines, *shown["violations"][:50], f"{len(shown['violations'])} violations"])


def main(arguments: Iterable[str]) -> int:
    """Read the arguments, soak, print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=Asked().kills)
    parser.add_argument("--messages", type=int, default=Asked().messages)
    parser.add_argument("--seed", type=int, default=Asked().seed)
    parser.add_argument("--horizon", type=float, default=Asked().horizon_s, metavar="SECONDS")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args(list(arguments))
    asked = Asked(kills=given.kills, messages=given.messages, seed=given.seed, horizon_s=given.horizon)
    soaked = soak(asked)
    print(json.dumps(as_json(soaked), indent=1) if given.json else table(soaked))
    return 1 if soaked.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
