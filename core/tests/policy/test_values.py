"""The policy's values: what programs and configurations read, and how each is made."""

from datetime import UTC, datetime
from typing import get_args

import attrs
import pytest

from tocsin.policy import choose, decision, judge, route, standing
from tocsin.policy.decision import Decision, Trigger
from tocsin.policy.explain import explain
from tocsin.policy.judge import Candidate, Judgement, Verdict
from tocsin.policy.route import InDoubt, OnUndelivered, Strategy

VALUES = [
    value
    for module in (choose, decision, judge, route, standing)
    for value in vars(module).values()
    if isinstance(value, type) and attrs.has(value) and value.__module__ == module.__name__ and value is not Judgement
]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Trigger, ["first", "not_taken", "doubt", "undelivered", "silence"]),
        (Verdict, ["chosen", "eligible", "already_tried", "rests", "closed", "cannot_carry", "not_asked"]),
        (InDoubt, ["hold", "resend-same", "resend-other"]),
        (OnUndelivered, ["next", "stop"]),
        (Strategy, ["failover", "weighted", "round-robin", "cheapest", "best", "broadcast"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_words_stay_what_they_are(kind, values):
    """What a configuration says, and what a stored decision says, is not reworded."""
    assert [one.value for one in kind] == values


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_values_are_made_by_name_and_never_change(kind):
    """Each value of the policy takes its fields by name alone, and cannot be changed once it is made."""
    assert all(field.kw_only for field in attrs.fields(kind))
    assert kind.__setattr__ is not object.__setattr__
    with pytest.raises(TypeError):
        kind(object())


def test_a_judgement_cannot_be_changed():
    """What was thought of an account stays what was thought of it."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Judgement("one", Verdict.CHOSEN).detail = "x"
    assert Judgement("one", Verdict.CHOSEN).detail == ""
    assert Candidate(account="one").obstacles == ()


def test_a_decision_of_which_nothing_more_is_said_says_the_least():
    """A submit is the first copy of one, in a group of any size; nothing is overdue; and nobody was judged."""
    submit = decision.Submit(account="one", why="w", judgements=(), trigger=Trigger.FIRST)
    awaited = decision.AwaitReport(why="w", until=datetime(2026, 1, 1, tzinfo=UTC))

    assert (submit.copy, submit.max_copies, submit.at_most) == (1, 1, None)
    assert (awaited.overdue, awaited.judgements) == (False, ())
    assert decision.CloseWindow().why == "no report came within 72 hours"
    assert decision.Expire().why == "it expired before it could be sent"


def test_a_standing_of_which_nothing_more_is_said_is_a_new_one():
    """It has no history, no time, nobody who would ask again, and no account that is polled."""
    new = standing.Standing(rules=route.CLASS_RULES["alert"], expires_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (new.attempts, new.due_at, new.may_wait, new.heard) == ((), None, False, {})
    assert (new.copies, new.newest_copy, new.taken, new.window_ends_at) == (0, None, (), None)
    assert (new.in_doubt, new.exhausted) == (False, False)


def test_every_decision_has_a_name_of_its_own():
    """No two kinds of decision are told by the same word, and each is told."""
    words = []
    for kind in get_args(Decision):
        needed = {field.name: None for field in attrs.fields(kind) if field.default is attrs.NOTHING}
        given = {"until": datetime(2026, 1, 1, tzinfo=UTC), "judgements": (), "trigger": Trigger.FIRST}
        words.append(explain(kind(**{name: given.get(name, value) for name, value in needed.items()}))["decision"])

    assert words == [
        "submit", "wait", "later", "give_up", "undelivered", "park", "await_report", "close_window", "expire",
    ]  # fmt: skip
