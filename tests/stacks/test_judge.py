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
AT = datetime(2026, 1, 1, tzinfo=UTC)


def on_phone(text: str, account: str = "main", vendor_id: str = "1", number: str = ALICE) -> OnPhone:
    """Return a message on a phone."""
    return OnPhone(
        account=account, received=Received(number=number, text=text, vendor_id=vendor_id, extension="", at=AT)
    )


def attempt(account: str, vendor_id: str | None, trigger: str, state: str = "accepted") -> dict[str, Any]:
    """Return an attempt as `explain` shows it."""
    return {"account": account, "vendor_id": vendor_id, "trigger": trigger, "state": state}


def story(*attempts: dict[str, Any], max_copies: int = 3, to: str = ALICE) -> dict[str, Any]:
    """Return a delivery as `explain` shows it."""
    return {"to": f"+86{to}", "attempts": list(attempts), "decisions": [{"max_copies": max_copies}, {}]}


FIRED, MENDED = on_phone("FIRING plant/unit-01: down"), on_phone("RESOLVED plant/unit-01: up", vendor_id="2")
STORIES = [story(attempt("main", "1", "first")), story(attempt("main", "2", "first"))]


def test_one_message_for_each_person_and_transition_is_fine():
    """What is owed and got once leads to no complaint."""
    verdict = judge(DUE, [FIRED, MENDED], STORIES)

    assert not verdict.violations
    assert (verdict.owed, verdict.got, verdict.lost, verdict.copies, verdict.duplicates) == (2, 2, 0, 0, 0)


def test_what_nobody_got_is_lost():
    """A transition of which a person has heard nothing is lost, and named without the number."""
    verdict = judge(DUE, [FIRED], STORIES)

    assert verdict.lost == 1
    assert verdict.violations == ("lost: unit-01 resolved to ...0001",)


def test_a_copy_after_a_clean_accept_is_a_duplicate():
    """A second copy of one delivery is a duplicate where nothing gave a reason for it."""
    stories = [story(attempt("main", "1", "first"), attempt("backup", "7", "first")), STORIES[1]]

    verdict = judge(DUE, [FIRED, on_phone(FIRED.received.text, "backup", "7"), MENDED], stories)

    assert (verdict.copies, verdict.duplicates) == (0, 1)
    assert "clean accept" in verdict.violations[0]


def test_a_copy_of_a_second_delivery_is_a_duplicate():
    """Two deliveries of one transition to one person are a duplicate, whatever each of them says of itself."""
    stories = [*STORIES, story(attempt("main", "3", "first"))]

    verdict = judge(DUE, [FIRED, on_phone(FIRED.received.text, vendor_id="3"), MENDED], stories)

    assert verdict.duplicates == 1
    assert "2 deliveries" in verdict.violations[0]
    assert "3" in verdict.violations[-1]


@pytest.mark.parametrize("trigger", ["doubt", "undelivered", "silence"])
def test_a_copy_that_explain_names_is_none(trigger):
    """A second copy after a doubt is counted, and is no violation."""
    doubt = story(attempt("main", None, "first", "unknown"), attempt("backup", "7", trigger))

    verdict = judge(DUE, [FIRED, on_phone(FIRED.received.text, "backup", "7"), MENDED], [doubt, STORIES[1]])

    assert not verdict.violations
    assert (verdict.copies, verdict.duplicates) == (1, 0)


def test_people_may_share_a_vendors_id():
    """A copy for one person has nothing to do with another's delivery by the same submit."""
    doubt = story(attempt("main", "1", "first"), attempt("backup", "7", "doubt"))
    doubt["attempts"][0]["state"] = "unknown"
    other = story(attempt("main", "1", "first"), to="13900000002")

    verdict = judge(DUE, [FIRED, on_phone(FIRED.received.text, "backup", "7"), MENDED], [doubt, other])

    assert (verdict.copies, verdict.duplicates) == (1, 0)


def test_explain_names_each_copy():
    """Two copies through one account, of which `explain` names one, are one too many."""
    doubt = story(attempt("main", "1", "first"), attempt("backup", "7", "doubt"))
    copies = [FIRED, on_phone(FIRED.received.text, vendor_id="9")]

    assert judge(DUE, [*copies, MENDED], [doubt, STORIES[1]]).duplicates == 1


def test_a_class_allows_so_many():
    """More copies than the class allows are duplicates, each with a reason or not."""
    doubt = story(attempt("main", None, "first", "unknown"), attempt("backup", "7", "doubt"), max_copies=1)

    verdict = judge(DUE, [FIRED, on_phone(FIRED.received.text, "backup", "7"), MENDED], [doubt, STORIES[1]])

    assert verdict.duplicates == 1


@pytest.mark.parametrize("text", ["hello", "unit-01", "FIRING unit-02: down", "FIRING unit-01 RESOLVED"])
def test_what_names_no_transition_is_noticed(text):
    """A phone that got something else is told of."""
    assert len(judge(DUE, [FIRED, MENDED, on_phone(text)], STORIES).violations) == 1


def test_what_a_phone_was_told_is_read():
    """Unit, status and number are read from the message itself."""
    assert read(on_phone("RESOLVED plant/unit-07: up", number=f"86{ALICE}")) == Due("unit-07", "resolved", ALICE)
