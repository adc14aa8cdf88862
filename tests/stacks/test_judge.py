"""The judge of the stacks notices what it is there to notice. The programs themselves: `make test-stacks`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.stacks.judge import Due, judge, owed, read
from tests.stacks.vendors import OnPhone

from tocsin.sandbox import Received

ALICE = "13900000001"
DUE = owed(["unit-01"], [f"+86{ALICE}"])
FIRED, MENDED = "FIRING plant/unit-01: down", "RESOLVED plant/unit-01: up"


def on_phone(text: str, account: str = "main", number: str = ALICE) -> OnPhone:
    """Return a message on a phone."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return OnPhone(account=account, received=Received(number=number, text=text, vendor_id="1", extension="", at=at))


def attempt(account: str, trigger: str, state: str = "accepted") -> dict[str, Any]:
    """Return an attempt as `explain` shows it."""
    return {"account": account, "trigger": trigger, "state": state}


def story(text: str, *attempts: dict[str, Any], max_copies: int = 3) -> dict[str, Any]:
    """Return a delivery as `explain` shows it."""
    decisions = [{"max_copies": max_copies}, {}]
    return {"to": f"+86{ALICE}", "text": text, "attempts": list(attempts), "decisions": decisions}


GOT = [on_phone(FIRED), on_phone(MENDED)]
STORIES = [story(FIRED, attempt("main", "first")), story(MENDED, attempt("main", "first"))]
AGAIN = on_phone(FIRED, "backup")


def test_one_message_for_each_person_and_transition_is_fine():
    """What is owed and got once leads to no complaint."""
    verdict = judge(DUE, GOT, STORIES)

    assert not verdict.violations
    assert (verdict.owed, verdict.got, verdict.lost, verdict.copies, verdict.duplicates) == (2, 2, 0, 0, 0)


def test_what_nobody_got_is_lost():
    """A transition of which a person has heard nothing is lost, and named without the number."""
    verdict = judge(DUE, GOT[:1], STORIES)

    assert verdict.lost == 1
    assert verdict.violations == ("lost: unit-01 resolved to ...0001",)


def test_a_copy_after_a_clean_accept_is_a_duplicate():
    """A second copy of one delivery is a duplicate where nothing gave a reason for it."""
    unasked = story(FIRED, attempt("main", "first"), attempt("backup", "first"))

    verdict = judge(DUE, [*GOT, AGAIN], [unasked, STORIES[1]])

    assert (verdict.copies, verdict.duplicates) == (0, 1)
    assert "follow no doubt" in verdict.violations[0]


def test_a_copy_of_a_second_delivery_is_a_duplicate():
    """Two deliveries of one transition to one person are a duplicate, whatever each of them says of itself."""
    verdict = judge(DUE, [*GOT, on_phone(FIRED)], [*STORIES, STORIES[0]])

    assert verdict.duplicates == 1
    assert "2 deliveries" in verdict.violations[0]


def test_a_second_delivery_is_noticed_before_it_rings():
    """A transition that is to be told twice is wrong even where nobody has got the second yet."""
    verdict = judge(DUE, GOT, [*STORIES, STORIES[0]])

    assert verdict.duplicates == 0
    assert len(verdict.violations) == 1


@pytest.mark.parametrize("trigger", ["doubt", "undelivered", "silence"])
def test_a_copy_that_explain_names_is_none(trigger):
    """A second copy after a doubt is counted, and is no violation; whether a vendor's id came back or not."""
    doubt = story(FIRED, attempt("main", "first", "unknown"), attempt("backup", trigger, "unknown"))

    verdict = judge(DUE, [*GOT, AGAIN], [doubt, STORIES[1]])

    assert not verdict.violations
    assert (verdict.copies, verdict.duplicates) == (1, 0)


def test_explain_names_each_copy():
    """Two copies through one account, of which `explain` names one, are one too many."""
    doubt = story(FIRED, attempt("main", "first", "unknown"), attempt("backup", "doubt"))

    assert judge(DUE, [*GOT, on_phone(FIRED)], [doubt, STORIES[1]]).duplicates == 1


def test_a_class_allows_so_many():
    """More copies than the class allows are duplicates, each with a reason or not."""
    doubt = story(FIRED, attempt("main", "first", "unknown"), attempt("backup", "doubt"), max_copies=1)

    assert judge(DUE, [*GOT, AGAIN], [doubt, STORIES[1]]).duplicates == 1


@pytest.mark.parametrize("text", ["hello", "unit-01", "FIRING unit-02: down", "FIRING unit-01 RESOLVED"])
def test_what_names_no_transition_is_noticed(text):
    """A phone that got something else is told of."""
    assert len(judge(DUE, [*GOT, on_phone(text)], STORIES).violations) == 1


def test_what_a_phone_was_told_is_read():
    """Unit, status and number are read from the message itself."""
    assert read("RESOLVED plant/unit-07: up", f"86{ALICE}") == Due("unit-07", "resolved", ALICE)
    assert read("came and went: plant/unit-07: down", f"86{ALICE}") == Due("unit-07", "firing", ALICE)
