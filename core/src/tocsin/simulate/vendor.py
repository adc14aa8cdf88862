"""A vendor in virtual time: what it does with a submit, and what its ledger holds then. All its dice are its own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from tocsin.errors import AnswerError, Reached, TransportError
from tocsin.model.account import Account
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, AttemptId, VendorId
from tocsin.model.outcome import Accepted, Outcome, Reason, Refused, SendResult
from tocsin.model.phone import E164
from tocsin.model.submission import Submission
from tocsin.simulate.dice import dice_of
from tocsin.simulate.ledger import Entry, Ledger
from tocsin.simulate.reports import plan_reports
from tocsin.simulate.scenario import CALM_S, VendorPlan
from tocsin.simulate.seen import Kind
from tocsin.simulate.terms import Span

if TYPE_CHECKING:
    from tocsin.simulate.world import World

Answer = SendResult | AnswerError | RuntimeError
"""What a decoder finds in an answer, or raises over it."""

_REFUSALS: tuple[tuple[Kind, Reason], ...] = (
    (Kind.REFUSED_MESSAGE, Reason.KEYWORD),
    (Kind.REFUSED_MESSAGE, Reason.EMPTY),
    (Kind.REFUSED_RECIPIENT, Reason.BLOCKED),
    (Kind.REFUSED_ACCOUNT, Reason.BALANCE),
    (Kind.REFUSED_VENDOR, Reason.UNAVAILABLE),
    (Kind.THROTTLED, Reason.THROTTLED),
    (Kind.UNRECOGNISED, Reason.UNRECOGNISED),
    (Kind.RETRY_ONCE, Reason.RETRY_ONCE),
)


class SimVendor:
    """One vendor with its one account.

    Attributes:
        ledger: the truth.
        delay_s: how long its last answer takes to arrive.
        credit: what its account has left; None where it never runs out.
    """

    def __init__(self, plan: VendorPlan, account: Account, world: World) -> None:
        self.plan = plan
        self.account = account
        self.ledger = Ledger()
        self.delay_s = 0.0
        self.dice = dice_of(f"vendor {world.scenario.seed} {plan.name}")
        self._world = world
        self._submits = 0
        self.credit = plan.terms.credit

    @property
    def id(self) -> AccountId:
        """The name of its one account."""
        return self.account.id

    @property
    def calm(self) -> bool:
        """Whether the time of faults is over."""
        return self._world.timeline.monotonic() >= CALM_S

    def happens(self, likely: float) -> bool:
        """Throw the dice: does trouble of that likelihood happen now?"""
        return not self.calm and self.dice.random() < likely

    def unreached(self, kind: Kind, cause: str = "connect-refused") -> TransportError:
        """Return proof that nothing left."""
        self._world.saw(kind)
        return TransportError(reached=Reached.NO, cause=cause)

    def lost(self, kind: Kind, cause: str) -> TransportError:
        """Return what is known when bytes left and no answer came."""
        self._world.saw(kind)
        return TransportError(reached=Reached.MAYBE, cause=cause)

    @property
    def dark(self) -> bool:
        """Whether nobody can reach it."""
        return self._within(self.plan.dark)

    @property
    def balance(self) -> Balance | None:
        """What an answer says of the account's balance."""
        if self.credit is None:
            return None
        return Balance(amount=self.credit, unit=Unit.CNY, as_of=self._world.timeline.now())

    def top_up(self) -> None:
        """Let the account have money for ever."""
        if self.credit is not None:
            self.credit += 1000

    def _within(self, span: Span | None) -> bool:
        return span is not None and span[0] <= self._world.timeline.monotonic() < span[1]

    def submit(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        """Meet a submit.

        Args:
            submission: as it came.
            attempts: by recipient, whose bytes these are.

        Raises:
            TransportError: no answer comes.
        """
        self.delay_s = 14.0 if self.plan.slow else self.dice.choice((0.02, 0.2, 2.0, 14.0))
        if self.dark:
            raise self.unreached(Kind.DARK)
        if self._within(self.plan.terms.locked):
            return self._refuse_all(submission, Kind.REFUSED_ACCOUNT, Reason.AUTHENTICATION)
        if self.credit is not None and self.credit < self._price * len(attempts):
            return self._priced(self._refuse_all(submission, Kind.REFUSED_ACCOUNT, Reason.BALANCE))
        troubled = self.happens(self.plan.trouble)
        meet = self.dice.choice(_TROUBLES) if troubled else SimVendor._honest
        return self._priced(meet(self, submission, attempts))

    @property
    def _price(self) -> Decimal:
        return self.plan.terms.price or Decimal(0)

    def _priced(self, answer: Answer) -> Answer:
        """Let an answer say what is left."""
        if isinstance(answer, SendResult) and self.credit is not None:
            return attrs.evolve(answer, balance=self.balance)
        return answer

    def take(self, to: E164, attempt: AttemptId, vendor_id: VendorId) -> None:
        """Take one message: the phone will ring, or not, and reports will come, or not."""
        delivery = self._world.delivery_of(attempt)
        entry = Entry(account=self.id, delivery=delivery, attempt=attempt, vendor_id=vendor_id)
        self.ledger.entries.append(entry)
        if self.credit is not None:
            self.credit -= self._price
        if self._within(self.plan.terms.mute):
            self._world.saw(Kind.MUTE)
        else:
            plan_reports(self, self._world, entry, to)
        self._world.listen(self, delivery)

    def _take_all(self, submission: Submission, attempts: dict[E164, AttemptId]) -> VendorId:
        self._submits += 1
        vendor_id = VendorId(str(self._submits))
        for to in submission.to:
            self.take(to, attempts[to], vendor_id)
        return vendor_id

    def _honest(self, submission: Submission, attempts: dict[E164, AttemptId]) -> SendResult:
        """Do what the document says: refuse for cause, else take it and say so."""
        if submission.personalised and self.happens(0.3):
            return self._refuse_all(submission, Kind.ONE_BY_ONE, Reason.ONE_BY_ONE)
        bad = [to for to in submission.to if self._world.place_of(to) in self.plan.bad]
        if bad and len(submission.to) > 1:
            return self._refuse_all(submission, Kind.SPLIT, Reason.SPLIT)
        if bad:
            return self._refuse_all(submission, Kind.REFUSED_RECIPIENT, Reason.INVALID_NUMBER)
        if self.plan.dedupes and self._has(attempts):
            return self._refuse_all(submission, Kind.DUPLICATE, Reason.DUPLICATE)
        vendor_id = self._take_all(submission, attempts)
        return SendResult.all(submission.to, self._accepted(vendor_id))

    def _accepted(self, vendor_id: VendorId, *, partial: bool = False) -> Outcome:
        if self.plan.nameless:
            self._world.saw(Kind.NAMELESS)
        return Accepted(None if self.plan.nameless else vendor_id, partial=partial)

    def _has(self, attempts: dict[E164, AttemptId]) -> bool:
        asked = {self._world.delivery_of(one) for one in attempts.values()}
        return any(entry.delivery in asked for entry in self.ledger.entries)

    def _refuse_all(self, submission: Submission, kind: Kind, reason: Reason) -> SendResult:
        self._world.saw(kind)
        return SendResult.all(submission.to, Refused(reason, "-9"))

    # what may go wrong with a submit

    def _unreached(self, _: Submission, __: dict[E164, AttemptId]) -> Answer:
        raise self.unreached(Kind.UNREACHED)

    def _request_lost(self, _: Submission, __: dict[E164, AttemptId]) -> Answer:
        raise self.lost(Kind.REQUEST_LOST, "reset")

    def _answer_lost(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        self._take_all(submission, attempts)
        raise self.lost(Kind.ANSWER_LOST, "first-byte-timeout")

    def _garbled_taken(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        self._take_all(submission, attempts)
        self._world.saw(Kind.GARBLED_TAKEN)
        return AnswerError("not the vendor's grammar")

    def _garbled_refused(self, _: Submission, __: dict[E164, AttemptId]) -> Answer:
        self._world.saw(Kind.GARBLED_REFUSED)
        return AnswerError("not the vendor's grammar")

    def _plugin_fault(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        self._take_all(submission, attempts)
        self._world.saw(Kind.PLUGIN_FAULT)
        return RuntimeError("a defect of the plugin")

    def _refuses(self, submission: Submission, _: dict[E164, AttemptId]) -> Answer:
        kind, reason = self.dice.choice(_REFUSALS)
        return self._refuse_all(submission, kind, reason)

    def _mixed(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        """Take some, refuse some, and say nothing of some."""
        self._world.saw(Kind.MIXED)
        self._submits += 1
        vendor_id = VendorId(str(self._submits))
        outcomes: dict[E164, Outcome] = {}
        for to in submission.to:
            fate = self.dice.choice(("taken", "refused", "silent"))
            if fate != "refused":
                self.take(to, attempts[to], vendor_id)
            if fate != "silent":
                outcomes[to] = self._accepted(vendor_id) if fate == "taken" else Refused(Reason.BLOCKED)
        return SendResult(outcomes)

    def _partial(self, submission: Submission, attempts: dict[E164, AttemptId]) -> Answer:
        """Take all but one, and count fewer without naming whom."""
        self._world.saw(Kind.PARTIAL)
        self._submits += 1
        vendor_id = VendorId(str(self._submits))
        for to in submission.to[: max(1, len(submission.to) - 1)]:
            self.take(to, attempts[to], vendor_id)
        return SendResult.all(submission.to, self._accepted(vendor_id, partial=True))


_Trouble = Callable[[SimVendor, Submission, dict[E164, AttemptId]], Answer]
_TROUBLES: tuple[_Trouble, ...] = (
    SimVendor._unreached,
    SimVendor._request_lost,
    SimVendor._answer_lost,
    SimVendor._garbled_taken,
    SimVendor._garbled_refused,
    SimVendor._plugin_fault,
    SimVendor._refuses,
    SimVendor._refuses,
    SimVendor._mixed,
    SimVendor._partial,
)
