"""Judges an image: opens it as tocsin opens a store, and compares what is there with what was promised."""

from __future__ import annotations

import enum
import os
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from hashlib import sha1
from pathlib import Path
from random import Random
from typing import NamedTuple

from tocsin.errors import StoreError
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.sqlite_file import open_file
from tocsin.outbox.store import Outbox

from .facts import NOTHING, digest_of, load_facts
from .image import Image
from .steps import Steps
from .tape import STORE, Op


class Verdict(enum.StrEnum):
    """What is wrong with a store, if anything."""

    SOUND = "sound"
    """It holds exactly what it held after the last transaction that returned, or after the one that was under way."""

    LOST = "lost"
    """It holds what it held after an earlier transaction: what was acknowledged since is gone."""

    HALF = "half"
    """It holds what it never held after any transaction: one was applied in part."""

    CORRUPT = "corrupt"
    """It cannot be opened, fails SQLite's own checks, or takes no further message."""


class Finding(NamedTuple):
    """A verdict, with its reason, and how many acknowledged rows are gone."""

    verdict: Verdict
    why: str = ""
    rows_lost: int = 0


class _Broken(Exception):
    """The store fails a check."""


class Judge:
    """Judges the images of one tape.

    Args:
        acknowledged: the tape's acknowledgements.
        directory: empty; for its use alone.
    """

    def __init__(self, acknowledged: Sequence[Op], directory: Path) -> None:
        self._acknowledged = acknowledged
        self._directory = directory
        self._path = directory / STORE
        self._after: dict[int, list[int]] = defaultdict(list)
        for number, digest in enumerate([NOTHING, *(op.at for op in acknowledged)]):
            self._after[digest].append(number)
        self._known: dict[bytes, int | _Broken] = {}

    def judge(self, image: Image, *, goes_on: bool = False) -> Finding:
        """Open an image, and say what it is.

        Args:
            image: its files are written into the directory, and nothing else is left there.
            goes_on: have the store take another message, too, and open it once more.
        """
        self._lay_out(image.files)
        try:
            finding = self._compare(self._digest(), image.acknowledged)
            if goes_on and finding.verdict is Verdict.SOUND:
                self._go_on(image.cut)
        except (_Broken, StoreError, sqlite3.Error) as error:
            return Finding(Verdict.CORRUPT, str(error))
        return finding

    def _lay_out(self, files: Mapping[str, bytes | bytearray]) -> None:
        for name in os.listdir(self._directory):
            if name not in files:
                os.unlink(self._directory / name)
        for name, content in files.items():
            (self._directory / name).write_bytes(content)

    def _digest(self) -> int:
        """Open the store, check it, and return the digest of its rows.

        The same bytes have the same rows and the same faults: each content is checked once, in full.
        """
        with closing(open_file(self._path)) as sql:
            content = sha1(sql.serialize(), usedforsecurity=False).digest()
            if content not in self._known:
                self._known[content] = _examine(sql)
        known = self._known[content]
        if isinstance(known, _Broken):
            raise known
        return known

    def _compare(self, digest: int, acknowledged: int) -> Finding:
        numbers = self._after.get(digest, [])
        if any(acknowledged <= number <= acknowledged + 1 for number in numbers):
            return Finding(Verdict.SOUND)
        earlier = [number for number in numbers if number < acknowledged]
        if not earlier:
            return Finding(Verdict.HALF, "no transaction left it so")
        gone = self._acknowledged[earlier[-1] : acknowledged]
        rows = {row for op in gone for row in op.rows}
        return Finding(Verdict.LOST, f"the last {len(gone)} of what returned, from {gone[0].name!r} on", len(rows))

    def _go_on(self, seed: int) -> None:
        """Have the store take a message, and look whether it is there, and everything else as well."""
        with closing(open_file(self._path)) as sql:
            before = load_facts(sql)
        with closing(open_rows(self._path)) as rows:
            Steps(Outbox(rows, lambda _: False), Random(seed), "afterwards").accept_alone()
        with closing(open_file(self._path)) as sql:
            _check(sql, "integrity_check", ["ok"])
            after = load_facts(sql)
        if any(not set(rows) <= set(after[table]) for table, rows in before.items()) or after == before:
            raise _Broken("what it took afterwards is not there, or took the place of something else")


def _examine(sql: sqlite3.Connection) -> int | _Broken:
    try:
        _check(sql, "integrity_check", ["ok"])
        _check(sql, "foreign_key_check", [])
    except _Broken as error:
        return error
    return digest_of(load_facts(sql))


def _check(sql: sqlite3.Connection, pragma: str, expected: list[str]) -> None:
    found = [str(row[0]) for row in sql.execute(f"PRAGMA {pragma}")]
    if found != expected:
        raise _Broken(f"{pragma}: {'; '.join(found[:3])}")
