"""What a store holds: every row of every table, and a digest that stands for all of them.

Two stores with the same digest hold the same rows. Nothing here knows the store's tables: a new one is read too.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
Facts = Mapping[str, list[Row]]
"""The rows of each table, in the order of their keys."""

NOTHING = 0
"""The digest of a store without a row, whatever its tables."""

_WITHOUT_REFERENCES = 2
"""The version of marshal in which the same value has the same bytes."""


def load_facts(sql: sqlite3.Connection) -> Facts:
    """Return all rows of an open store."""
    cursor = sql.cursor()
    cursor.row_factory = None
    tables = cursor.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    return {table: _rows(cursor, table) for (table,) in tables if not table.startswith("sqlite_")}


def _rows(cursor: sqlite3.Cursor, table: str) -> list[Row]:
    columns = cursor.execute(f"PRAGMA table_info({table})").fetchall()
    key = ", ".join(name for _, name, *_, place in columns if place)
    return cursor.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall()


def digest_of(facts: Facts) -> int:
    """Return one number for all rows."""
    held = {table: rows for table, rows in facts.items() if rows}
    whole = marshal.dumps(held, _WITHOUT_REFERENCES)
    return int.from_bytes(blake2b(whole, digest_size=16).digest(), "big") if held else NOTHING


def changes(before: Facts, after: Facts) -> Iterator[str]:
    """Yield a name for each row that is in one and not, or not so, in the other: its table and its first column."""
    for table in before.keys() | after.keys():
        old, new = before.get(table, []), after.get(table, [])
        if old != new:
            yield from {f"{table} {row[0]}" for row in set(old) ^ set(new)}


class Witness:
    """Reads a living store over a connection of its own, and says what each commit changed."""

    def __init__(self, path: Path) -> None:
        self._sql = sqlite3.connect(path, isolation_level=None)
        self._facts = load_facts(self._sql)

    def look(self) -> tuple[int, tuple[str, ...]]:
        """Return the digest of all rows, and the names of those that are other than at the last look."""
        before, self._facts = self._facts, load_facts(self._sql)
        return digest_of(self._facts), tuple(sorted(changes(before, self._facts)))

    def close(self) -> None:
        """Let go of the store."""
        self._sql.close()
