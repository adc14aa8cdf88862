"""Compares what phones really got with what they were owed: one message for each person and transition. Pure.

A second copy is a duplicate, unless its class allows it and `tocsin explain` names it: the attempt before it was in
doubt, or was not delivered, or nobody heard of it. Called by the stage.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import attrs

from .explained import Story
from .vendors import OnPhone

FIRING, RESOLVED = "firing", "resolved"

_One = TypeVar("_One")

_UNIT = re.compile(r"unit-[0-9]{2}")
_WORDS = {"FIRING": FIRING, "came and went": FIRING, "RESOLVED": RESOLVED}
"""What a phone reads. A problem that its own end overtook is told as one that came and went."""

_NAMES_A_COPY = frozenset({"doubt", "undelivered", "silence"})
_MAY_RING = frozenset({"accepted", "unknown"})


@attrs.frozen(order=True)
class Due:
    """One message that somebody is owed. Its number is of eleven digits."""

    unit: str
    status: str
    number: str


@attrs.frozen(kw_only=True)
class Verdict:
    """What became of what was owed.

    Args:
        copies: second copies that their class allows, and that `explain` names.
        duplicates: all other second copies.
        violations: a sentence each.
    """

    owed: int
    got: int
    lost: int
    copies: int
    duplicates: int
    violations: tuple[str, ...]


def owed(units: Iterable[str], numbers: Iterable[str]) -> frozenset[Due]:
    """Return what is owed when each of these units breaks and is mended."""
    people = [number[-11:] for number in numbers]
    return frozenset(Due(unit, status, number) for unit in units for status in (FIRING, RESOLVED) for number in people)


def read(text: str, number: str) -> Due | None:
    """Say what somebody was told; None where nobody could say."""
    unit = _UNIT.search(text)
    said = [status for word, status in _WORDS.items() if word in text]
    return Due(unit[0], said[0], number[-11:]) if unit and len(said) == 1 else None


def judge(due: frozenset[Due], on_phones: Sequence[OnPhone], stories: Sequence[Story]) -> Verdict:
    """Judge a run."""
    got = _sort(on_phones, lambda one: read(one.received.text, one.received.number))
    made = _sort(stories, lambda story: read(story["text"], story["to"]))
    strange = [one for told, some in got.items() if told not in due for one in some]
    missing = sorted(due - got.keys())
    violations = [f"a phone got what names no transition that happened: {one.received.text!r}" for one in strange]
    violations += [f"lost: {_name(one)}" for one in missing]
    violations += [f"{_name(one)}: {len(made[one])} deliveries" for one in sorted(due) if len(made[one]) != 1]
    second = {told: got[told] for told in sorted(due & got.keys()) if len(got[told]) > 1}
    complaints = {told: list(_complain(copies, made[told])) for told, copies in second.items()}
    violations += [f"{_name(told)}: {what}" for told, found in complaints.items() for what in found]
    duplicates = sum(len(copies) - 1 for told, copies in second.items() if complaints[told])
    return Verdict(
        owed=len(due),
        got=len(on_phones),
        lost=len(missing),
        copies=sum(len(copies) - 1 for copies in second.values()) - duplicates,
        duplicates=duplicates,
        violations=tuple(violations),
    )


def _sort(given: Iterable[_One], read_one: Callable[[_One], Due | None]) -> defaultdict[Due | None, list[_One]]:
    found: defaultdict[Due | None, list[_One]] = defaultdict(list)
    for one in given:
        found[read_one(one)].append(one)
    return found


def _complain(copies: Sequence[OnPhone], stories: Sequence[Story]) -> Iterator[str]:
    """Say why so many copies of one message should not be there."""
    ringing = [attempt for story in stories for attempt in story["attempts"] if attempt["state"] in _MAY_RING]
    if Counter(one.account for one in copies) - Counter(attempt["account"] for attempt in ringing):
        yield f"{len(copies)} copies, and explain names {len(ringing)}"
    firsts = [attempt for attempt in ringing if attempt["trigger"] not in _NAMES_A_COPY]
    if len(firsts) > 1:
        yield f"{len(copies)} copies, and {len(firsts)} attempts that follow no doubt"
    allowed = max((decision.get("max_copies") or 0 for story in stories for decision in story["decisions"]), default=0)
    if len(copies) > allowed:
        yield f"{len(copies)} copies, and its class allows {allowed}"


def _name(due: Due) -> str:
    return f"{due.unit} {due.status} to ...{due.number[-4:]}"
