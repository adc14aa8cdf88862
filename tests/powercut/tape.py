"""What a life of the store did to its files, in order, and what had been promised when.

A tape holds operations on the files of one directory, by name, and among them acknowledgements: one after each commit
that returned, with a digest of all that the store held then. A tape says nothing of what a disk makes of it.
"""

from __future__ import annotations

import enum
import marshal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

STORE = "tocsin.db"
"""The store's name in its directory."""


class Kind(enum.StrEnum):
    """What an operation does."""

    CREATE = "create"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    LINK = "link"
    RENAME = "rename"
    UNLINK = "unlink"
    SYNC_DIRECTORY = "sync directory"
    ACKNOWLEDGE = "acknowledge"


class Op(NamedTuple):
    """One operation.

    Args:
        name: of the file; of an acknowledgement, the transaction's.
        at: offset of a write, size of a truncation; of an acknowledgement, the digest of all rows.
        data: what was written.
        to: the other name of a link or a renaming.
        rows: of an acknowledgement, the names of the rows that the transaction changed.
    """

    kind: Kind
    name: str = ""
    at: int = 0
    data: bytes = b""
    to: str = ""
    rows: tuple[str, ...] = ()


class Tape(NamedTuple):
    """The operations of a life, from an empty directory on."""

    ops: tuple[Op, ...]

    @property
    def acknowledged(self) -> tuple[Op, ...]:
        """The acknowledgements, in order."""
        return tuple(op for op in self.ops if op.kind is Kind.ACKNOWLEDGE)

    def without(self, index: int) -> Tape:
        """Return the tape of a disk that lost one operation and never said so."""
        return Tape(self.ops[:index] + self.ops[index + 1 :])


def store_tape(path: Path, ops: Iterable[Op]) -> None:
    """Append operations to a file, which may have some already."""
    with path.open("ab") as file:
        marshal.dump([(op.kind.value, *op[1:]) for op in ops], file)


def load_tape(path: Path) -> Tape:
    """Return all that was appended to a file."""
    ops: list[Op] = []
    with path.open("rb") as file:
        while file.peek(1):
            ops += (Op(Kind(kind), *rest) for kind, *rest in marshal.load(file))
    return Tape(tuple(ops))
