"""Another process holds the store's one pen for longer than anybody waits for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs

from ..waiting import until
from .crew import time_until
from .session import Session, session


@attrs.frozen(kw_only=True)
class Busied:
    """What came of it.

    Args:
        status, sentence: of a `send` meanwhile.
        recovered_s: from the end of it until all that was acknowledged had been delivered.
        wrong: what is not as it must be.
    """

    status: int
    sentence: str
    recovered_s: float
    wrong: tuple[str, ...]


def keep_busy(home: Path, *, impatient: bool = False) -> Busied:
    """Hold a write transaction open until the worker and a `send` have given up on it; then let go.

    Args:
        home: an empty directory.
        impatient: have them give up after half a second, in place of ten.
    """
    with session(home, control="impatient" if impatient else "none") as begun:
        with begun.clients.busy():
            until(lambda: begun.clients.acknowledged, "something is acknowledged")
        with closing(sqlite3.connect(begun.store, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, sentence = begun.send(begun.clients.draft())
            until(lambda: "the store failed" in begun.worker.said, "the worker noticed")
            other.execute("ROLLBACK")
        recovered_s = time_until(begun.is_delivered, "all is delivered again")
        return Busied(status=status, sentence=sentence, recovered_s=recovered_s, wrong=_wrong(begun, status))


def _wrong(begun: Session, status: int) -> tuple[str, ...]:
    told = () if status == 70 else (f"a send beside a busy store ended with status {status}",)
    survived = () if begun.worker.is_alive else ("the worker did not survive a busy store",)
    return (*told, *survived, *begun.end())
