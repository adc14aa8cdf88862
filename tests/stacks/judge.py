"""Compares what phones really got with what they were owed: one message for each person and transition. Pure.

A second copy is a duplicate, unless its class allows it and `tocsin explain` names it: the attempt before it was in
doubt, or was not delivered, or nobody heard of it. Called by the stage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import attrs

from .explained import Story
from .vendors import OnPhone

FIRING, RESOLVED = "firing", "resolved"

_UNIT = re.compile(r"unit-[0-9]{2}")
_WORDS = {FIRING: "FIRING", RESOLVED: "RESOLVED"}
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
    return frozenset(Due(unit, status, number) for unit in units for status in _WORDS for number in people)


def read(one: OnPhone) -> Due | None:
    """Say what a phone was told; None where nobody could say."""
    unit = _UNIT.search(one.received.text)
    said = [status for status, word in _WORDS.items() if word in one.received.text]
    return Due(unit[0], said[0], one.received.number[-11:]) if unit and len(said) == 1 else None


def judge(due: frozenset[Due], on_phones: Sequence[OnPhone], stories: Sequence[Story]) -> Verdict:
    """Judge a run."""
    got: dict[Due, list[OnPhone]] = {}
    violations = []
    for one in on_phones:
        if (told := read(one)) in due and told is not None:
            got.setdefault(told, []).append(one)
        else:
            violations.append(f"a phone got what names no transition that happened: {one.received.text!r}")
    missing = sorted(due - got.keys())
    violations += [f"lost: {_name(one)}" for one in missing]
    complaints = {told: list(_complain(copies, stories)) for told, copies in got.items() if len(copies) > 1}
    violations += [f"{_name(told)}: {what}" for told, found in sorted(complaints.items()) for what in found]
    if len(stories) != len(due):
        violations.append(f"{len(due)} deliveries were owed, and tocsin made {len(stories)}")
    second = {told: len(got[told]) - 1 for told in complaints}
    duplicates = sum(count for told, count in second.items() if complaints[told])
    return Verdict(
        owed=len(due),
        got=len(on_phones),
        lost=len(missing),
        copies=sum(second.values()) - duplicates,
        duplicates=duplicates,
        violations=tuple(violations),
    )


def _complain(copies: Sequence[OnPhone], stories: Sequence[Story]) -> Iterator[str]:
    """Say why so many copies of one message should not be there."""
    deliveries = [story for story in stories if _is_of(story, copies)]
    if len(deliveries) != 1:
        yield f"{len(copies)} copies, of {len(deliveries)} deliveries"
        return
    (story,) = deliveries
    ringing = [attempt for attempt in story["attempts"] if attempt["state"] in _MAY_RING]
    if Counter(one.account for one in copies) - Counter(attempt["account"] for attempt in ringing):
        yield f"{len(copies)} copies, and explain names {len(ringing)}"
    unasked = [attempt for attempt in ringing[1:] if attempt["trigger"] not in _NAMES_A_COPY]
    if unasked:
        yield f"{len(unasked)} attempts that follow a clean accept"
    allowed = max(decision.get("max_copies") or 0 for decision in story["decisions"])
    if len(copies) > allowed:
        yield f"{len(copies)} copies, and its class allows {allowed}"


def _is_of(story: Story, copies: Sequence[OnPhone]) -> bool:
    """Say whether a vendor's id of one of these copies is that of an attempt; people share ids, but no delivery."""
    attempts = {(attempt["account"], attempt["vendor_id"]) for attempt in story["attempts"]}
    to = story["to"][-11:]
    return any(to == one.received.number[-11:] and (one.account, one.received.vendor_id) in attempts for one in copies)


def _name(due: Due) -> str:
    return f"{due.unit} {due.status} to ...{due.number[-4:]}"
