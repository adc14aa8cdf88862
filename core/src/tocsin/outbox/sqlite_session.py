"""One connection to a SQLite store, shared by the threads of a process: `BEGIN IMMEDIATE` for every write, a failure's
meaning, and a gap for other processes.

A failed COMMIT is an unknown outcome: the rows may stand after all, so it is never taken for a rollback. But for one: a
disk that is full. Then a write of the log failed, and what ends a transaction there is its last write.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from tocsin.errors import CommitUnknown, StoreFailed

Boundary = Callable[[str], None]
"""Called as each commit begins and has ended, with its name: where a crash test pulls the plug."""

_CHUNK = 500
_VARIABLES = 8000
"""Values in one statement; SQLite allows 32,766."""
_GAP_S = 0.002
_LEADER_PAGES = 1000
_FOLLOWER_PAGES = 10_000
"""Others than the worker checkpoint only where there is no worker to do it: when the log has grown long."""


class Session:
    """The connection. Thread-safe: one transaction at a time, whoever asks.

    Args:
        connection: open, in autocommit mode.
        boundary: told of each commit, before and after.
    """

    def __init__(self, connection: sqlite3.Connection, boundary: Boundary) -> None:
        self._sql = connection
        self._boundary = boundary
        self._lock = threading.RLock()
        self._gap_s = 0.0
        self._committed_at = 0.0
        self._sql.execute(f"PRAGMA wal_autocheckpoint = {_FOLLOWER_PAGES}")

    def lead(self) -> None:
        """Be the worker: the one that checkpoints, and that leaves the others a gap between its commits."""
        with self._lock:
            self._gap_s = _GAP_S
            self._sql.execute(f"PRAGMA wal_autocheckpoint = {_LEADER_PAGES}")

    def look_only(self) -> None:
        """Refuse every write from now on."""
        with self._lock:
            self._sql.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Close the connection, between two transactions."""
        with self._lock:
            self._sql.close()

    def reading(self) -> AbstractContextManager[object]:
        """Keep other threads' transactions out meanwhile."""
        return self._lock

    @contextmanager
    def transaction(self, name: str) -> Iterator[None]:
        """Begin, and commit on leaving; an error rolls back.

        Raises:
            StoreFailed: a statement failed; nothing was changed.
            CommitUnknown: nobody knows whether the transaction stands.
        """
        with self._lock:
            self._leave_gap()
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                yield
            except BaseException as error:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise StoreFailed(f"the store failed, and nothing was changed: {error}") from error
                raise
            self._boundary(f"{name}: before commit")
            self._commit()
            self._committed_at = time.monotonic()
            self._boundary(f"{name}: after commit")

    def _commit(self) -> None:
        try:
            self._sql.execute("COMMIT")
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise CommitUnknown(f"the store's commit failed ({error}); reopen it to see what stands") from error
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise StoreFailed(f"the store failed, and nothing was changed: {error}") from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read as of one moment: nobody's commit is seen half way through, another process's neither."""
        with self._lock:
            self._sql.execute("BEGIN")
            try:
                yield
            finally:
                self._sql.execute("ROLLBACK")

    def _leave_gap(self) -> None:
        """Let other processes have their turn: SQLite's lock knows no queue, and the one who just had it wins."""
        wait_s = self._committed_at + self._gap_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Return what a query finds.

        Raises:
            StoreFailed: it cannot be read.
        """
        with self._lock:
            try:
                return self._sql.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StoreFailed(f"the store cannot be read: {error}") from error

    def write(self, head: str, rows: Sequence[Sequence[object]], tail: str = "") -> None:
        """Write any number of rows, many to a statement: `head` VALUES … `tail`. Within a transaction."""
        if not rows:
            return
        room = _VARIABLES // len(rows[0])
        one = f"({','.join('?' * len(rows[0]))})"
        for start in range(0, len(rows), room):
            chunk = rows[start : start + room]
            statement = f"{head} VALUES {','.join([one] * len(chunk))} {tail}"
            self._sql.execute(statement, [value for row in chunk for value in row])

    def rows_of(self, statement: str, ids: Iterable[str]) -> Iterator[sqlite3.Row]:
        """Run a query with `IN (?)` over any number of ids."""
        wanted = list(ids)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            yield from self.rows(statement.replace("(?)", f"({','.join('?' * len(chunk))})"), *chunk)
