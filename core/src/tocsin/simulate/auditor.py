"""Counts for itself what requests use up of limits, budgets and money, and checks each as it begins, and as it is kept.

It counts attempts, and asks neither the meter nor the rows that it is to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, DeliveryId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.outbox.record import Attempt, Trigger
from tocsin.outbox.spending import DAY, RESEND_SHARE, RESEND_WINDOW, RETRY_SHARE, RETRY_WINDOW
from tocsin.outbox.state import AttemptState
from tocsin.simulate.seen import Kind
from tocsin.simulate.terms import Terms

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_GIVEN_BACK = (AttemptState.NOT_SENT, AttemptState.REFUSED)
_SAME_TRY = (Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE)
_ON_THE_WAY = timedelta(seconds=30)
"""Bytes leave no later than this after their INTENT, so that windows are that much shorter where they arrive."""


class _Log:
    """What counts, with its time.

    Args:
        now: the moment.
        rows: all of it.
        slack: by which windows are shorter.
    """

    def __init__(self, now: datetime, rows: list[tuple[datetime, Attempt]], slack: timedelta = timedelta(0)) -> None:
        self._now = now
        self._rows = rows
        self._slack = slack

    def of(self, counts: Callable[[Attempt], bool]) -> _Log:
        """Return those for which that is so."""
        return _Log(self._now, [(at, one) for at, one in self._rows if counts(one)], self._slack)

    def lately(self, rate: Rate) -> list[Attempt]:
        """Return what falls into the window of a rate."""
        since = self._now - timedelta(seconds=rate.window_s) + self._slack
        return [one for at, one in self._rows if at > since]


class Auditor:
    """The audit of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._about: dict[DeliveryId, tuple[E164, MessageClass]] = {}
        self._retries: dict[SubmitId, bool] = {}
        self._arrived: list[tuple[datetime, Attempt]] = []

    def begins(self, attempts: tuple[Attempt, ...]) -> None:
        """Check a request's bounds at its INTENT, within the transaction."""
        first = attempts[0]
        self._retries[first.submit] = any(self._is_retry(one) for one in attempts)
        kept = [one for one in self._world.rows.all_attempts() if one.state not in _GIVEN_BACK]
        self._check_limits(attempts, _Log(first.intended_at, [(one.intended_at, one) for one in kept]))
        self._check_money(attempts, kept)
        self._check_budgets(first, kept)
        for one in attempts:
            self._check_opt_out(one)

    def arrives(self, attempts: Iterable[Attempt]) -> None:
        """Check limits where bytes arrive, by the times at which they do."""
        now = self._world.timeline.now()
        came = tuple(attempts)
        self._arrived += ((now, one) for one in came)
        known = self._world.rows.get_attempts(one.id for _, one in self._arrived)
        kept = [(at, one) for at, one in self._arrived if known[one.id].state not in _GIVEN_BACK]
        self._check_limits(came, _Log(now, kept, _ON_THE_WAY))

    def after_event(self, touched: Iterable[DeliveryId]) -> None:
        """Check I10 of whatever was touched: the debit of each request is what its attempts make it."""
        submits: dict[SubmitId, list[Attempt]] = {}
        for attempts in self._world.rows.attempts_of(touched).values():
            submits |= {one.submit: [] for one in attempts}
        if not submits:
            return
        for one in self._world.rows.all_attempts():
            if one.submit in submits:
                submits[one.submit].append(one)
        for submit, together in submits.items():
            self._check_debit(submit, together)

    # limits

    def _check_limits(self, attempts: tuple[Attempt, ...], log: _Log) -> None:
        first, terms = attempts[0], self._terms(attempts[0].account)
        own = log.of(lambda one: one.account == first.account)
        for rate in terms.submits:
            self._hold("submits", first, len({one.submit for one in own.lately(rate)}), rate)
        for rate in terms.per_recipient if terms.by_account else ():
            self._hold("messages of its account", first, len(own.lately(rate)), rate)
        for one in attempts:
            self._check_number(one, terms, log)

    def _check_number(self, attempt: Attempt, terms: Terms, log: _Log) -> None:
        to, cls = self._facts(attempt)
        same = log.of(lambda one: self._facts(one)[0] == to)
        own = same.of(lambda one: one.account == attempt.account)
        for rate in () if terms.by_account else terms.per_recipient:
            self._hold("messages to its number", attempt, len(own.lately(rate)), rate)
        critical = cls is MessageClass.CRITICAL
        together = same.of(lambda one: (self._facts(one)[1] is MessageClass.CRITICAL) == critical)
        for rate in self._world.fleet.limits.for_recipient(cls):
            self._hold("messages to its number in all", attempt, len(together.lately(rate)), rate)

    def _hold(self, what: str, attempt: Attempt, count: int, rate: Rate) -> None:
        if count > rate.count:
            self._fail("limits", attempt, f"{count} {what} within {rate.window_s} s, and {rate.count} are allowed")
        if count == rate.count:
            self._world.saw(Kind.LIMIT_REACHED)

    # money

    def _check_money(self, attempts: tuple[Attempt, ...], kept: list[Attempt]) -> None:
        first, price = attempts[0], self._terms(attempts[0].account).price or Decimal(0)
        for one in attempts:
            if one.cost != price or one.segments != 1:
                self._fail("I10", one, f"it costs {one.cost}, for {one.segments} segments of {price}")
        lately = [one for one in kept if one.intended_at > first.intended_at - DAY]
        own = [one for one in lately if one.account == first.account]
        for what, cap, those in (
            ("account", self._terms(first.account).cap, own),
            ("fleet", self._world.scenario.house.cap, lately),
        ):
            spent = sum((one.cost for one in those), Decimal(0))
            if cap is not None and price and spent > cap:
                self._fail("I10", first, f"its {what} spends {spent} in a day, and its cap is {cap}")
            if cap is not None and price and spent + price > cap:
                self._world.saw(Kind.CAP_REACHED)

    def _check_debit(self, submit: SubmitId, together: list[Attempt]) -> None:
        spending = self._world.rows.books.get_spending([submit]).get(submit)
        if spending is None:
            self._fail("I10", together[0], "it began, and nothing was debited")
            return
        kept = [one for one in together if one.state not in _GIVEN_BACK]
        cost = sum((one.cost for one in kept), Decimal(0))
        if (spending.messages, spending.cost) != (len(kept), cost):
            said = f"{spending.messages} messages for {spending.cost}"
            self._fail("I10", together[0], f"its debit says {said}, and {len(kept)} for {cost} are not given back")
        facts = (spending.account, spending.at, spending.cls, spending.retries, spending.resends)
        first = together[0]
        resends = any(one.trigger is Trigger.DOUBT for one in together)
        cls = self._facts(first)[1]
        if facts != (first.account, first.intended_at, cls, self._retries[submit], resends):
            self._fail("I10", first, "its debit says what it is not")

    # budgets

    def _check_budgets(self, first: Attempt, kept: list[Attempt]) -> None:
        budgets = self._world.fleet.budgets
        if self._retries[first.submit]:
            own = [one for one in kept if one.account == first.account]
            lately = {one.submit for one in own if one.intended_at > first.intended_at - RETRY_WINDOW}
            retries = sum(self._retries[one] for one in lately)
            most = max(budgets.retries, int((len(lately) - retries) * RETRY_SHARE))
            self._budget("retry-budget", Kind.RETRIES_SPENT, first, retries, most)
        cls = self._facts(first)[1]
        if cls is not MessageClass.CRITICAL and first.trigger is Trigger.DOUBT:
            same = [one for one in kept if self._facts(one)[1] is cls]
            lately_same = [one for one in same if one.intended_at > first.intended_at - RESEND_WINDOW]
            requests = {one.submit for one in lately_same}
            resends = {one.submit for one in lately_same if one.trigger is Trigger.DOUBT}
            most = max(budgets.resends, int((len(requests) - 1) * RESEND_SHARE))
            self._budget("duplicate-budget", Kind.RESENDS_SPENT, first, len(resends), most)

    def _budget(self, name: str, spent: Kind, first: Attempt, count: int, most: int) -> None:
        if count > most:
            self._fail(name, first, f"it is number {count}, of at most {most}")
        if count == most:
            self._world.saw(spent)

    def _is_retry(self, attempt: Attempt) -> bool:
        history = self._world.rows.attempts_of([attempt.delivery])[attempt.delivery]
        earlier = [one for one in history if one.number < attempt.number]
        if not any(one.account == attempt.account for one in earlier):
            return False
        return not (earlier[-1].account == attempt.account and earlier[-1].reason in _SAME_TRY)

    # who wants no more

    def _check_opt_out(self, attempt: Attempt) -> None:
        """Check that nothing begins for who wants no more, whenever it was decided."""
        to, cls = self._facts(attempt)
        if to in self._world.outsiders.opted_out and cls not in self._world.scenario.house.exempt:
            self._fail("opt-out", attempt, "its recipient wants no more messages")

    # what is known

    def _fail(self, rule: str, attempt: Attempt, what: str) -> None:
        self._world.violated(rule, attempt.id, what)

    def _terms(self, account: AccountId) -> Terms:
        return self._world.vendor(account).plan.terms

    def _facts(self, attempt: Attempt) -> tuple[E164, MessageClass]:
        """Return whom an attempt is for, and the class of its message."""
        name = attempt.delivery
        if name not in self._about:
            delivery = self._world.rows.get_deliveries([name])[name]
            message = self._world.rows.find_message(delivery.message)
            self._about[name] = (delivery.to, MessageClass.ALERT if message is None else message.cls)
        return self._about[name]
