"""Histories of attempts, and the policy asked about them."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tocsin.model.ids import AccountId, DeliveryId, SubmitId, attempt_id
from tocsin.model.message import MessageClass
from tocsin.outbox.record import Attempt
from tocsin.outbox.state import AttemptState
from tocsin.policy.decide import MIDDLE, decide
from tocsin.policy.judge import Candidate
from tocsin.policy.route import CLASS_RULES
from tocsin.policy.standing import Standing

START = datetime(2026, 1, 1, tzinfo=UTC)
DELIVERY = DeliveryId("m.1")


class Case:
    """One delivery before the policy.

    Args:
        cls: its class.
        rules: what is changed of the class's rules.

    `may_wait`, `heard`, `due_at` and `dice` are what the policy is asked with; each test sets what it needs.
    """

    def __init__(self, cls=MessageClass.ALERT, **rules):
        self.rules = attrs.evolve(CLASS_RULES[cls], **rules)
        self.candidates = tuple(Candidate(account=AccountId(name)) for name in ("one", "two", "three"))
        self.attempts = ()
        self.now = START
        self.expires_at = START + self.rules.expires_after
        self.may_wait = False
        self.heard = {}
        self.due_at = None
        self.dice = MIDDLE

    def meet(self, outcome, account="one", group_size=1, *, took=timedelta(0), **reported):
        """Add an attempt with its outcome, known after the time that it took, and what was reported of it."""
        number = len(self.attempts) + 1
        name = attempt_id(DELIVERY, number)
        attempt = Attempt(
            id=name,
            delivery=DELIVERY,
            number=number,
            submit=SubmitId(name),
            group_size=group_size,
            account=AccountId(account),
            state=AttemptState.INTENT,
            intended_at=self.now,
        )
        self.now += took
        self.attempts += (attrs.evolve(attempt.settled(outcome, self.now), **reported),)
        return self

    def prove(self):
        """Let evidence come that the newest attempt, in doubt so far, was accepted."""
        *earlier, last = self.attempts
        self.attempts = (*earlier, attrs.evolve(last, state=AttemptState.ACCEPTED))
        return self

    def wait(self, delta=None, **time):
        self.now += delta or timedelta(**time)
        return self

    def hinder(self, account, *obstacles):
        """Put obstacles in an account's way."""
        self.candidates = tuple(
            attrs.evolve(one, obstacles=obstacles) if one.account == account else one for one in self.candidates
        )
        return self

    def offer(self, *accounts):
        """Leave these accounts alone on the route."""
        self.candidates = tuple(Candidate(account=AccountId(name)) for name in accounts)
        return self

    def hear(self, account="one"):
        """Let the reports of an account be fetched now."""
        self.heard = {**self.heard, AccountId(account): self.now}
        return self

    def rest(self):
        """Let the time pass that the policy asks for, and write it down, as the store does."""
        self.due_at = self.now = self.decide().until
        return self

    @property
    def standing(self):
        return Standing(
            rules=self.rules,
            expires_at=self.expires_at,
            attempts=self.attempts,
            due_at=self.due_at,
            may_wait=self.may_wait,
            heard=self.heard,
        )

    def decide(self):
        return decide(self.standing, self.candidates, self.now, self.dice)


@pytest.fixture
def case():
    """An alert that has met nothing yet, with three accounts on its route."""
    return Case()


@pytest.fixture(scope="session")
def case_of():
    """Make a case of another class, or with other rules."""
    return Case
