"""A store that somebody else has locked: a process that holds SQLite's write lock, and does nothing with it.

Called by the scenarios.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .programs import Account

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.rollback()
"""


@contextmanager
def locked(store: Path, account: Account) -> Iterator[None]:
    """Hold the store's write lock as long as the context lasts."""
    holder = subprocess.Popen(
        [*account.prefix, sys.executable, "-c", _HOLD, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        if holder.stdout.readline() != "held\n":
            raise RuntimeError("the store could not be locked")
        yield
    finally:
        holder.stdin.close()
        holder.wait(60)
        holder.stdout.close()
