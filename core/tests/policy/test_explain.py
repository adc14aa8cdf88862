"""Decisions as they are stored: plain JSON, and the same again when it is read."""

import json
from datetime import UTC, datetime

import pytest

from tocsin.policy.decision import AwaitReport, Expire, GiveUp, Park, Submit, Wait
from tocsin.policy.explain import explain
from tocsin.policy.judge import Candidate, Judgement, Verdict, judge

JUDGEMENTS = (Judgement("one", Verdict.CANNOT_CARRY, "too long"), Judgement("two", Verdict.CHOSEN))
CANDIDATES = [
    {"account": "one", "verdict": "cannot_carry", "detail": "too long"},
    {"account": "two", "verdict": "chosen"},
]


@pytest.mark.parametrize(
    ("decision", "explained"),
    [
        (
            Submit(account="two", why="w", judgements=JUDGEMENTS),
            {"decision": "submit", "account": "two", "why": "w", "candidates": CANDIDATES},
        ),
        (
            Submit(account="two", why="w", judgements=(), at_most=4),
            {"decision": "submit", "account": "two", "at_most": 4, "why": "w", "candidates": []},
        ),
        (GiveUp(why="w", judgements=JUDGEMENTS), {"decision": "give_up", "why": "w", "candidates": CANDIDATES}),
        (Park(why="w"), {"decision": "park", "why": "w", "candidates": []}),
        (AwaitReport(why="w"), {"decision": "await_report", "why": "w", "candidates": []}),
        (
            Wait(until=datetime(2026, 1, 1, tzinfo=UTC), why="w"),
            {"decision": "wait", "why": "w", "until": "2026-01-01T00:00:00+00:00"},
        ),
        (Expire(), {"decision": "expire", "why": "it expired before it could be sent"}),
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

    assert judge(candidates, tried=frozenset("ab")) == (
        Judgement("a", Verdict.CANNOT_CARRY, "x; y"),
        Judgement("b", Verdict.TRIED),
        Judgement("c", Verdict.CHOSEN),
        Judgement("d", Verdict.ELIGIBLE),
        Judgement("e", Verdict.CANNOT_CARRY, "z"),
    )


def test_a_decision_without_an_explanation_is_a_defect():
    """A new kind of decision that nobody explains is an error, and not a silence."""
    with pytest.raises(AssertionError):
        explain(object())
