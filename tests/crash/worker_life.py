"""One life of a tocsin process: a real command in a process of its own, with its boundaries counted.

Runs in a child that was forked for it, and ends it. What would make the order of a worker's boundaries vary is put in
order where its exchanges begin: lines carry one request at a time, and a poll asks once what it is to ask about has
happened. Nothing of the worker itself is touched. A worker that has nothing left to do is sent SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import attrs

from tocsin.app import Surroundings
from tocsin.cli.main import run
from tocsin.cli.session import Session
from tocsin.clock import SystemClock
from tocsin.outbox.sqlite_rows import microseconds
from tocsin.wire.pool import HttpTransport
from tocsin.wire.transport import Transport

from .worker_ablation import ABLATIONS
from .worker_boundary import LOOP, Boundaries, thread_kind

SOON = timedelta(seconds=2)
"""What is due within this time is waited for; what is due later is left to another life."""

LEAP, TERMINATE = "leap", "terminate"
"""What a life may do to itself at a boundary: set its monotonic clock forward, or send itself SIGTERM."""

LEAP_S = 11.0
"""Longer than the worker's interval of upkeep, much shorter than a lease."""

_STANDING = """
SELECT count(*) FILTER (WHERE state IN ('claimed', 'sending') OR (state = 'queued' AND due_at <= ?1)) AS in_hand,
    count(*) FILTER (WHERE state IN ('in_doubt', 'submitted') AND due_at <= ?1) AS awaited,
    (SELECT count(*) FROM attempt WHERE account = ?2 AND state != 'intent') AS asked
FROM delivery
"""
"""All of one moment: between two statements a delivery may be in neither place."""


@attrs.frozen(kw_only=True)
class Order:
    """What a process is to do, and when to die.

    Args:
        arguments: of the command.
        home: directory with tocsin.toml and tocsin.db.
        accounts: that are polled, in the order of the route; none for a command that polls nobody.
        last: the boundary at which it dies; empty for none.
        events: what happens at a boundary; see `LEAP` and `TERMINATE`, anything else is asked of the ground.
        holds: threads whose answers are not seen before a boundary was passed.
        ablation: the safeguard that is taken out; empty for none.
    """

    arguments: tuple[str, ...]
    home: Path
    accounts: tuple[str, ...] = ()
    last: str = ""
    events: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    holds: Mapping[str, str] = attrs.field(factory=dict)
    ablation: str = ""


def live(order: Order, log: int, ground: Connection) -> NoReturn:
    """Run the command, and end this process."""
    status = 70
    try:
        if order.ablation:
            ABLATIONS[order.ablation]()
        status = _Life(order, log, ground).run()
    finally:
        os._exit(status)


class _Clock(SystemClock):
    """The machine's, which may leap."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class _Life:
    def __init__(self, order: Order, log: int, ground: Connection) -> None:
        self._order = order
        self._ground = ground
        self._clock = _Clock()
        self.boundaries = Boundaries(log, order.last, self._happen)
        self._ending = False
        self._line: int | None = None
        self._waiting: list[int] = []
        self._looking = threading.Lock()
        self._sql: sqlite3.Connection | None = None

    def run(self) -> int:
        self.boundaries.watch_locks()
        if self._order.accounts:
            threading.Thread(target=self._end_when_done, daemon=True, name="end").start()
        surroundings = Surroundings(
            clock=self._clock,
            http=lambda: _Watched(HttpTransport(), self),
            boundary=self.boundaries.reach,
            dice=lambda: 0.5,
        )
        session = Session(config_option=str(self._order.home / "tocsin.toml"), surroundings=surroundings)
        return run(list(self._order.arguments), session)

    def _happen(self, name: str) -> None:
        """Do what is to happen at a boundary."""
        if name.startswith(f"{LOOP}: settle: after commit"):
            self._line = None
        for event in self._order.events.get(name, ()):
            if event == LEAP:
                self._clock.ahead_s += LEAP_S
            elif event == TERMINATE:
                self._terminate()
            else:
                self._ground.send(event)
                self._ground.recv()

    def _terminate(self) -> None:
        """Send this process SIGTERM, and let everybody go on once the worker has been told: it hears only the first."""
        os.kill(os.getpid(), signal.SIGTERM)
        self.boundaries.wait_until(lambda: signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
        self._ending = True

    def _end_when_done(self) -> None:
        """Send this worker SIGTERM once every poller has had its turns, and nothing is due soon."""
        polled = [f"poll {account}: note-poll: after commit #1" for account in self._order.accounts]
        self.boundaries.wait_until(lambda: self._ending or (self.boundaries.passed(polled) and self._is_quiet()))
        if not self._ending:
            self._terminate()

    def begin_exchange(self, thread: str) -> None:
        """Wait for the turn of this thread's exchange."""
        kind, _, account = thread.partition(" ")
        if kind == "line":
            self._take_line()
        elif kind == "poll":
            self.boundaries.wait_until(lambda: self._ending or self._may_poll(account))

    def end_exchange(self, thread: str) -> None:
        """Wait until this thread's answer may be seen."""
        awaited = self._order.holds.get(thread)
        if awaited:
            self.boundaries.wait_until(lambda: self._ending or self.boundaries.passed([awaited]))

    def leave_exchange(self) -> None:
        """Hand the line on where no settling will: once the boundary is passed, lest the next overtakes it."""
        if self._ending and self._line == threading.get_ident():
            self._line = None

    def _take_line(self) -> None:
        """One request at a time, in the order in which they asked; the first when every poller has begun."""
        me = threading.get_ident()
        begun = [f"poll {account}: begin-poll: after commit #1" for account in self._order.accounts]
        self._waiting.append(me)
        self.boundaries.wait_until(
            lambda: self._line is None and self._waiting[0] == me and (self._ending or self.boundaries.passed(begun))
        )
        self._line = me
        self._waiting.remove(me)

    def _may_poll(self, account: str) -> bool:
        """Say whether there is something to ask the vendor about, or nothing will be."""
        accounts = self._order.accounts
        earlier = [f"poll {one}: end-poll: after commit #1" for one in accounts[: accounts.index(account)]]
        early = self._order.holds.get(f"early poll {account}")
        if early and self.boundaries.passed([early]):
            return True
        if not self.boundaries.passed(earlier):
            return False
        standing = self._standing(account)
        return not standing["in_hand"] and bool(standing["asked"] or not standing["awaited"])

    def _is_quiet(self) -> bool:
        standing = self._standing()
        return not (standing["in_hand"] or standing["awaited"])

    def _standing(self, account: str = "") -> sqlite3.Row:
        """Count how deliveries stand, over a connection of our own."""
        soon = microseconds(datetime.now(UTC) + SOON)
        with self._looking:
            if self._sql is None:
                path = self._order.home / "tocsin.db"
                self._sql = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
                self._sql.row_factory = sqlite3.Row
            row: sqlite3.Row = self._sql.execute(_STANDING, (soon, account)).fetchone()
            return row


class _Watched:
    """A transport whose exchanges are boundaries, and wait for their turn."""

    def __init__(self, transport: Transport, life: _Life) -> None:
        self._transport = transport
        self._life = life

    def perform(self, request: Any) -> Any:
        thread = thread_kind(threading.current_thread().name)
        self._life.begin_exchange(thread)
        self._life.boundaries.reach("exchange: before")
        try:
            return self._transport.perform(request)
        finally:
            self._life.end_exchange(thread)
            self._life.boundaries.reach("exchange: after")
            self._life.leave_exchange()

    def close(self) -> None:
        self._transport.close()
