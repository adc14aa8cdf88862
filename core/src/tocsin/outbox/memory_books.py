"""The books of a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from tocsin.model.ids import AccountId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.phone import Msisdn
from tocsin.model.quality import Change, Cohort, Weight, prefix_of
from tocsin.model.report import ReportState
from tocsin.outbox.health import Health
from tocsin.outbox.record import Attempt
from tocsin.outbox.spending import Sent, Spending
from tocsin.outbox.state import AttemptState


@attrs.define
class Pages:
    """The tables of the books."""

    spending: dict[SubmitId, Spending] = attrs.field(factory=dict)
    health: dict[AccountId, Health] = attrs.field(factory=dict)
    weights: dict[tuple[AccountId, str], Weight] = attrs.field(factory=dict)
    changes: list[Change] = attrs.field(factory=list)
    opted_out: dict[Msisdn, OptedOut] = attrs.field(factory=dict)
    turns: dict[str, int] = attrs.field(factory=dict)
    keywords: dict[AccountId, tuple[str, ...]] = attrs.field(factory=dict)
    balance_asked: dict[AccountId, datetime] = attrs.field(factory=dict)

    def copy(self) -> Pages:
        """Return them as they are, to put back after a transaction that failed."""
        return Pages(*(getattr(self, field.name).copy() for field in attrs.fields(Pages)))


class MemoryBooks:
    """The books over a store's tables. Fits `tocsin.outbox.books.Books`, which says what each method promises.

    Args:
        pages: returns the tables as they stand; a failed transaction puts others in their place.
        attempts: yields every attempt with the number that it is for.
    """

    def __init__(self, pages: Callable[[], Pages], attempts: Callable[[], Iterator[tuple[Attempt, Msisdn]]]) -> None:
        self._pages = pages
        self._attempts = attempts

    def save_spending(self, spent: Iterable[Spending]) -> None:
        self._pages().spending.update((one.submit, one) for one in spent)

    def get_spending(self, submits: Iterable[SubmitId]) -> dict[SubmitId, Spending]:
        there = self._pages().spending
        return {one: there[one] for one in submits if one in there}

    def spent(self, account: AccountId | None, since: datetime) -> tuple[int, Decimal]:
        ours = [one for one in self._since(since) if account in (None, one.account)]
        return sum(one.messages for one in ours), sum((one.cost for one in ours), Decimal(0))

    def count_retries(self, account: AccountId, since: datetime) -> tuple[int, int]:
        spending = self._pages().spending.values()
        retries = [one.retries for one in spending if one.account == account and one.at > since]
        return len(retries) - sum(retries), sum(retries)

    def count_resends(self, cls: MessageClass, since: datetime) -> tuple[int, int]:
        resends = [one.resends for one in self._since(since) if one.cls is cls]
        return len(resends), sum(resends)

    def count_submits(self, account: AccountId, since: datetime) -> int:
        return sum(one.account == account for one in self._since(since))

    def nth_submit_at(self, account: AccountId, number: int) -> datetime | None:
        times = sorted((one.at for one in self._counted() if one.account == account), reverse=True)
        return times[number - 1] if len(times) >= number else None

    def messages_since(self, account: AccountId, since: datetime) -> tuple[datetime, ...]:
        ours = (one for one in self._since(since) if one.account == account)
        return tuple(sorted((moment for one in ours for moment in (one.at,) * one.messages), reverse=True))

    def sent_to(self, numbers: Iterable[Msisdn], since: datetime) -> tuple[Sent, ...]:
        wanted, spending = frozenset(numbers), self._pages().spending
        found = [
            Sent(to=to, account=one.account, cls=spending[one.submit].cls, at=one.intended_at)
            for one, to in self._attempts()
            if to in wanted and one.intended_at > since and _counts(one) and one.submit in spending
        ]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def health(self) -> dict[AccountId, Health]:
        return dict(self._pages().health)

    def save_health(self, health: Health) -> None:
        self._pages().health[health.account] = health

    def weights(self) -> dict[tuple[AccountId, str], Weight]:
        return dict(self._pages().weights)

    def save_changes(self, changes: Iterable[Change]) -> None:
        for one in changes:
            weight = Weight(account=one.account, prefix=one.prefix, points=one.after, moved_at=one.at)
            self._pages().weights[one.account, one.prefix] = weight
            self._pages().changes.append(one)

    def changes(self, limit: int) -> tuple[Change, ...]:
        return tuple(self._pages().changes[::-1][:limit])

    def cohorts(self, since: datetime, until: datetime, patience: timedelta) -> tuple[Cohort, ...]:
        late: dict[tuple[AccountId, str], list[bool]] = {}
        for attempt, to in self._attempts():
            if _is_followed(attempt) and since < (attempt.settled_at or since) <= until:
                late.setdefault((attempt.account, prefix_of(to)), []).append(_is_late(attempt, patience))
        return tuple(
            Cohort(account=account, prefix=prefix, submitted=len(each), late=sum(each))
            for (account, prefix), each in sorted(late.items())
        )

    def delays(self, account: AccountId, since: datetime) -> tuple[timedelta, ...]:
        ours = (one for one, _ in self._attempts() if one.account == account and one.vendor_id is not None)
        delivered = (one for one in ours if one.report is ReportState.DELIVERED and one.report_at is not None)
        return tuple(
            max(timedelta(0), one.report_at - one.settled_at)
            for one in sorted(delivered, key=lambda one: one.id)
            if one.report_at is not None and one.settled_at is not None and one.settled_at > since
        )

    def proved(self, since: datetime) -> dict[AccountId, datetime]:
        found: dict[AccountId, datetime] = {}
        for one, _ in self._attempts():
            delivered = one.report is ReportState.DELIVERED and one.vendor_id is not None
            if delivered and one.settled_at is not None and one.settled_at > since:
                at = one.report_at or one.settled_at
                found[one.account] = max(at, found.get(one.account, at))
        return found

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:  # noqa: ARG002
        self._pages().keywords[account] = words

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        return self._pages().keywords.get(account, ())

    def balance_asked_at(self, account: AccountId) -> datetime | None:
        return self._pages().balance_asked.get(account)

    def save_balance_asked_at(self, account: AccountId, at: datetime) -> None:
        self._pages().balance_asked[account] = at

    def opted_out(self, numbers: Iterable[Msisdn]) -> dict[Msisdn, OptedOut]:
        there = self._pages().opted_out
        return {one: there[one] for one in numbers if one in there}

    def all_opted_out(self) -> tuple[OptedOut, ...]:
        by_number = sorted(self._pages().opted_out.values(), key=lambda one: one.number.full)
        return tuple(sorted(by_number, key=lambda one: one.at, reverse=True))

    def save_opt_out(self, one: OptedOut) -> None:
        self._pages().opted_out.setdefault(one.number, one)

    def remove_opt_out(self, number: Msisdn) -> bool:
        return self._pages().opted_out.pop(number, None) is not None

    def take_turns(self, route: str, number: int) -> int:
        first = self._pages().turns.get(route, 0)
        self._pages().turns[route] = first + number
        return first

    def _counted(self) -> Iterator[Spending]:
        return (one for one in self._pages().spending.values() if one.messages)

    def _since(self, since: datetime) -> Iterator[Spending]:
        return (one for one in self._counted() if one.at > since)


def _counts(attempt: Attempt) -> bool:
    return attempt.state in (AttemptState.INTENT, AttemptState.ACCEPTED, AttemptState.UNKNOWN)


def _is_followed(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.ACCEPTED and attempt.vendor_id is not None


def _is_late(attempt: Attempt, patience: timedelta) -> bool:
    if attempt.report is not ReportState.DELIVERED:
        return True
    at, settled_at = attempt.report_at, attempt.settled_at
    return at is not None and settled_at is not None and at > settled_at + patience
