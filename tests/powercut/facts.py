"""What a store holds, as facts: a digest of each row of each table, and their sum, which stands for all of them.

Two stores with the same sum hold the same rows. Nothing here knows the store's tables: a table that is new is read too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

Facts = Mapping[str, int]
"""The digest of each row, by the row's name: its table and its key."""

_WORD = 1 << 63


def load_facts(sql: sqlite3.Connection) -> Facts:
    """Return the facts of an open store."""
    return {name: digest for table in _tables(sql) for name, digest in _rows(sql, table)}


def digest_of(facts: Facts) -> int:
    """Return one number for all facts, whatever their order."""
    return sum(facts.values()) % _WORD


def _tables(sql: sqlite3.Connection) -> list[str]:
    found = sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
    return [name for (name,) in found]


def _rows(sql: sqlite3.Connection, table: str) -> Iterator[tuple[str, int]]:
    key = [index for index, column in enumerate(sql.execute(f"PRAGMA table_info({table})")) if column[5]]
    for row in sql.execute(f"SELECT * FROM {table}"):
        whole = repr((table, *row)).encode()
        yield (
            f"{table} {' '.join(str(row[index]) for index in key)}",
            int.from_bytes(blake2b(whole, digest_size=8).digest(), "big") % _WORD,
        )


class Witness:
    """Reads a living store over a connection of its own, and says what each commit changed."""

    def __init__(self, path: Path) -> None:
        self._sql = sqlite3.connect(path, isolation_level=None)
        self._facts: Facts = {}

    def look(self) -> tuple[int, tuple[str, ...]]:
        """Return the digest of all rows, and the names of those that are other than at the last look."""
        before, self._facts = self._facts, load_facts(self._sql)
        changed = {name for name, _ in before.items() ^ self._facts.items()}
        return digest_of(self._facts), tuple(sorted(changed))

    def close(self) -> None:
        """Let go of the store."""
        self._sql.close()
