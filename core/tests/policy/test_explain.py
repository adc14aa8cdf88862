"""Decisions as they are stored: plain JSON, and the same again when it is read."""

import json
from datetime import UTC, datetime

import pytest

from tocsin.policy.decision import (
    AwaitReport,
    CloseWindow,
    Expire,
    GiveUp,
    Later,
    Park,
    Submit,
    Trigger,
    Undelivered,
    Wait,
)
from tocsin.policy.explain import explain
from tocsin.policy.judge import Bench, Candidate, Judgement, Verdict, judge

UNTIL, TOLD = datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"
JUDGEMENTS = (Judgement("one", Verdict.CANNOT_CARRY, "too long"), Judgement("two", Verdict.CHOSEN))
CANDIDATES = [
    {"account": "one", "verdict": "cannot_carry", "detail": "too long"},
    {"account": "two", "verdict": "chosen"},
]


@pytest.mark.parametrize(
    ("decision", "explained"),
    [
        (
            Submit(account="two", why="w", judgements=JUDGEMENTS, trigger=Trigger.FIRST, copy=1, max_copies=2),
            {
                "decision": "submit",
                "why": "w",
                "account": "two",
                "trigger": "first",
                "copy": 1,
                "max_copies": 2,
                "candidates": CANDIDATES,
            },
        ),
        (
            Submit(account="two", why="w", judgements=(), trigger=Trigger.DOUBT, copy=2, max_copies=3, at_most=4),
            {
                "decision": "submit",
                "why": "w",
                "account": "two",
                "trigger": "doubt",
                "at_most": 4,
                "copy": 2,
                "max_copies": 3,
                "candidates": [],
            },
        ),
        (GiveUp(why="w", judgements=JUDGEMENTS), {"decision": "give_up", "why": "w", "candidates": CANDIDATES}),
        (
            Undelivered(why="w", judgements=JUDGEMENTS),
            {"decision": "undelivered", "why": "w", "candidates": CANDIDATES},
        ),
        (Park(why="w"), {"decision": "park", "why": "w", "candidates": []}),
        (
            AwaitReport(why="w", until=UNTIL, overdue=True, judgements=JUDGEMENTS),
            {"decision": "await_report", "why": "w", "until": TOLD, "overdue": True, "candidates": CANDIDATES},
        ),
        (
            AwaitReport(why="w", until=UNTIL),
            {"decision": "await_report", "why": "w", "until": TOLD, "overdue": False, "candidates": []},
        ),
        (Wait(until=UNTIL, why="w"), {"decision": "wait", "why": "w", "until": TOLD}),
        (
            Later(until=UNTIL, why="w", judgements=JUDGEMENTS),
            {"decision": "later", "why": "w", "until": TOLD, "candidates": CANDIDATES},
        ),
        (Expire(), {"decision": "expire", "why": "it expired before it could be sent"}),
        (CloseWindow(), {"decision": "close_window", "why": "no report came within 72 hours"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_decision_is_explained_in_plain_json(decision, explained):
    """What, why, and what was thought of each account, in JSON that reads back as it was written."""
    assert explain(decision) == explained
    assert json.loads(json.dumps(explain(decision))) == explained


def test_judgements_are_in_order_and_one_is_chosen():
    """Obstacles come before having been tried, and behind the chosen one each that could is eligible."""
    candidates = (
        Candidate(account="a", obstacles=("x", "y")),
        Candidate(account="b"),
        Candidate(account="c"),
        Candidate(account="d"),
        Candidate(account="e", obstacles=("z",)),
    )

    assert judge(candidates, Bench(tried=frozenset("ab"))) == (
        Judgement("a", Verdict.CANNOT_CARRY, "x; y"),
        Judgement("b", Verdict.TRIED),
        Judgement("c", Verdict.CHOSEN),
        Judgement("d", Verdict.ELIGIBLE),
        Judgement("e", Verdict.CANNOT_CARRY, "z"),
    )


def test_who_rests_is_told_from_who_was_tried_for_good():
    """An account that had its turn rests; an obstacle, or having been tried for good, is said before that."""
    candidates = (Candidate(account="a", obstacles=("x",)), *(Candidate(account=name) for name in "bcde"))

    judgements = judge(candidates, Bench(tried=frozenset("b"), resting=frozenset("abd")))

    assert [one.verdict for one in judgements] == [
        Verdict.CANNOT_CARRY,
        Verdict.TRIED,
        Verdict.CHOSEN,
        Verdict.RESTS,
        Verdict.ELIGIBLE,
    ]
    assert all(not one.detail for one in judgements[1:])


def test_a_decision_without_an_explanation_is_a_defect():
    """A new kind of decision that nobody explains is an error, and not a silence."""
    with pytest.raises(AssertionError):
        explain(object())
