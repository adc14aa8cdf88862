"""One session of a life, in a process of its own, which is recorded and then ends.

    python -m tests.powercut.life DIRECTORY TAPE SESSION --seed N --synchronous FULL --share 1.0 --by shim

The store is the one that tocsin opens. After each commit that returned, before anything else is done, it is
acknowledged with a digest of all rows, which another connection reads.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path
from random import Random

from tocsin.outbox.sqlite import SqliteRows, open_rows
from tocsin.outbox.sqlite_file import open_file
from tocsin.outbox.store import Outbox

from .facts import Witness
from .recorder import Recorder
from .session import SESSIONS, Ending, Session
from .steps import Steps
from .tape import STORE

Acknowledge = Callable[[str, int, tuple[str, ...]], None]


class Life:
    """A store that is open, and all who have it open.

    Args:
        path: of the store, which may not be there yet.
        acknowledge: told of each commit that returned.
        synchronous: the level of every connection.
    """

    def __init__(self, path: Path, acknowledge: Acknowledge, synchronous: str) -> None:
        self._path = path
        self._acknowledge = acknowledge
        self._synchronous = synchronous
        self._open = ExitStack()

    def begin(self, session: Session, dice: Random) -> list[Steps]:
        """Open the store for each writer, acknowledge what is found, and return the writers."""
        stores = [
            self._open.enter_context(closing(self._rows(session.pragmas, leads=session.leads and number == 0)))
            for number in range(session.writers)
        ]
        self._witness = self._open.enter_context(closing(Witness(self._path)))
        self._look("open")
        self._checkpoints = self._open.enter_context(closing(self._connection()))
        self._reader = self._open.enter_context(closing(sqlite3.connect(self._path, isolation_level=None)))
        return [Steps(Outbox(rows, lambda _: False), dice, f"{dice.random()}") for rows in stores]

    def checkpoint(self, mode: str) -> None:
        """Checkpoint over a connection that does nothing else."""
        self._checkpoints.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def hold(self) -> None:
        """Have somebody read on in the snapshot of now; whoever read before, reads no more."""
        if self._reader.in_transaction:
            self._reader.execute("COMMIT")
        else:
            self._reader.execute("BEGIN")
            self._reader.execute("SELECT count(*) FROM message").fetchall()

    def close(self) -> None:
        """Close all, the writers last."""
        self._open.close()

    def _rows(self, pragmas: tuple[str, ...], *, leads: bool) -> SqliteRows:
        rows = open_rows(self._path, self._boundary)
        if leads:
            rows.lead()
        for pragma in (f"synchronous = {self._synchronous}", *pragmas):
            rows._sql.execute(f"PRAGMA {pragma}").fetchall()
        return rows

    def _connection(self) -> sqlite3.Connection:
        connection = open_file(self._path)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        return connection

    def _boundary(self, name: str) -> None:
        if name.endswith(": after commit"):
            self._look(name.removesuffix(": after commit"))

    def _look(self, name: str) -> None:
        self._acknowledge(name, *self._witness.look())


def live(life: Life, session: Session, dice: Random, last_step: Callable[[], None]) -> None:
    """Lead a session to its end, but for a process that is to die in its last step."""
    writers = cycle(life.begin(session, dice))
    modes = cycle(("PASSIVE", "FULL", "RESTART", "PASSIVE", "TRUNCATE"))
    if session.retries:
        next(writers).retry()
    for number in range(1, session.steps + 1):
        if session.reader_holds and number % session.reader_holds == 0:
            life.hold()
        next(writers).take()
        if session.checkpoint_every and number % session.checkpoint_every == 0:
            life.checkpoint(next(modes))
    if session.ending is Ending.IN_COMMIT:
        last_step()
        next(writers).accept_with_key()
    if session.ending is Ending.CLOSED:
        life.close()


class Announcer:
    """Acknowledges into a file, for a recorder that listens from without: strace sees each line in its place."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acknowledge(self, name: str, digest: int, rows: tuple[str, ...]) -> None:
        os.write(self._descriptor, json.dumps([name, digest, rows]).encode())

    def die_in_next_commit(self) -> None:
        raise AssertionError("only the shim knows where a commit is")

    def end(self) -> None:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Run one session."""
    parser = argparse.ArgumentParser(prog="tests.powercut.life")
    parser.add_argument("directory", type=Path)
    parser.add_argument("tape", type=Path)
    parser.add_argument("session", choices=list(SESSIONS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synchronous", default="FULL")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--by", choices=["shim", "strace"], default="shim")
    given = parser.parse_args(arguments)
    dice = Random(f"{given.seed} {given.session}")
    by = Recorder(given.directory, given.tape, dice.getrandbits(32)) if given.by == "shim" else Announcer(given.tape)
    session = SESSIONS[given.session].shortened(given.share)
    path = given.directory.resolve() / STORE
    live(Life(path, by.acknowledge, given.synchronous), session, dice, by.die_in_next_commit)
    by.end()


if __name__ == "__main__":
    main(sys.argv[1:])
