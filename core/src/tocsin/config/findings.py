"""What is wrong with a configuration: findings, each with its key path, collected until everything is read.

A finding says what was expected, in the user's words. It quotes names that were looked up, and no other value: that
could be a secret or a phone number.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import attrs

T = TypeVar("T")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PHONE_NUMBER = re.compile(r"\d{10,}")


class Unfit(ValueError):
    """A value does not fit. Raised by the parsers; the text says what was expected."""


@attrs.frozen
class Findings:
    """Collects findings, in the order of reading."""

    lines: list[str] = attrs.field(factory=list)

    def add(self, path: str, text: str) -> None:
        """Note what is wrong at a key path; an empty path is the file itself."""
        self.lines.append(f"{path}: {text}" if path else text)

    def parse(self, path: str, parser: Callable[[object], T], value: object) -> T | None:
        """Return the parsed value, or note why it does not fit and return None."""
        try:
            return parser(value)
        except Unfit as reason:
            self.add(path, str(reason))
            return None


def quote(name: str) -> str:
    """Return a name in quotes, with control characters escaped; a phone number in the wrong place is left out."""
    return json.dumps(_PHONE_NUMBER.sub("…", name), ensure_ascii=False)


def key_path(parent: str, key: str) -> str:
    """Return the path of a key in the table at `parent`, as TOML writes it."""
    shown = key if _BARE_KEY.fullmatch(key) and not _PHONE_NUMBER.search(key) else quote(key)
    return f"{parent}.{shown}" if parent else shown


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a suggestion to append to a finding; empty where no known name is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {quote(near[0])}?" if near else ""
