"""A cursor over one TOML table: hands out parsed values, notes what does not fit, refuses what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from tocsin.config.findings import Findings, did_you_mean, key_path

T = TypeVar("T")

TWICE = "stands in the list twice"
_NO_TABLE = "expected a table such as { key = … }"


@attrs.frozen(eq=False)
class Table:
    """One table while it is read.

    Readers go on after a finding, so that all of them are found at once. What does not fit reads as absent.

    Args:
        path: its key path; empty for the whole file.
        content: as tomllib gave it; may hold secrets.
        findings: shared by all tables of the file.
    """

    path: str
    content: Mapping[str, object] = attrs.field(repr=False)
    findings: Findings = attrs.field(repr=False)
    _asked: set[str] = attrs.field(factory=set, init=False, repr=False)

    def note(self, key: str, text: str) -> None:
        """Note what is wrong at a key."""
        self.findings.add(key_path(self.path, key), text)

    def take(self, key: str) -> object | None:
        """Return the value as it stands, or None where there is none; the key is known from now on."""
        self._asked.add(key)
        return self.content.get(key)

    def read(self, key: str, parser: Callable[[object], T]) -> T | None:
        """Return the parsed value of a key that may be left out."""
        value = self.take(key)
        return None if value is None else self.findings.parse(key_path(self.path, key), parser, value)

    def need(self, key: str, parser: Callable[[object], T], expected: str) -> T | None:
        """Return the parsed value of a key that must be given."""
        if key not in self.content:
            self.note(key, f"missing; expected {expected}")
        return self.read(key, parser)

    def read_list(self, key: str, parser: Callable[[object], T], *, least: int = 0) -> tuple[T, ...] | None:
        """Return the parsed items of a list that holds nothing twice.

        Args:
            key: may be left out.
            parser: of one item.
            least: fewest items that the list may have.
        """
        items = self.items(key, least=least)
        return None if items is None else self._parse_each(parser, items)

    def items(self, key: str, *, least: int = 0) -> list[tuple[str, object]] | None:
        """Return the items of a list as they stand, each with its key path; the list may be left out."""
        items = self.take(key)
        if items is None:
            return None
        if not isinstance(items, list):
            self.note(key, "expected a list such as [ … ]")
            return None
        if len(items) < least:
            self.note(key, "expected at least one item in the list")
        return [(f"{key_path(self.path, key)}[{position}]", item) for position, item in enumerate(items)]

    def read_any_of(self, key: str, parser: Callable[[object], T]) -> tuple[T, ...]:
        """Return what is written as one value or as a list of at least one; nothing where the key is left out."""
        if isinstance(self.take(key), list):
            return self.read_list(key, parser, least=1) or ()
        value = self.read(key, parser)
        return () if value is None else (value,)

    def table(self, key: str) -> Table:
        """Return the table of that name, or an empty one."""
        value = self.take(key)
        path = key_path(self.path, key)
        if value is None or isinstance(value, dict):
            return Table(path, value or {}, self.findings)
        self.findings.add(path, _NO_TABLE)
        return Table(path, {}, Findings())  # what is missing inside of it is not worth another finding

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array of tables."""
        for path, value in self.items(key) or ():
            if isinstance(value, dict):
                yield Table(path, value, self.findings)
            else:
                self.findings.add(path, _NO_TABLE)

    def refuse_unasked(self) -> None:
        """Note every key that no reader asked for. Call it last."""
        for key in self.content:
            if key not in self._asked:
                self.note(key, f"unknown key{did_you_mean(key, self._asked)}")

    def _parse_each(self, parser: Callable[[object], T], items: list[tuple[str, object]]) -> tuple[T, ...]:
        parsed: dict[T, None] = {}
        for path, item in items:
            value = self.findings.parse(path, parser, item)
            if value in parsed:
                self.findings.add(path, TWICE)
            elif value is not None:
                parsed[value] = None
        return tuple(parsed)


def present(values: Mapping[str, object]) -> dict[str, Any]:
    """Return what was written and fits, to be put in the place of defaults."""
    return {key: value for key, value in values.items() if value is not None}
