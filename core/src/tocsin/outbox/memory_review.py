"""What a review of a store in memory finds: rows whose counterpart is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tocsin.model.ids import MessageId, SubmitId
from tocsin.model.phone import Msisdn
from tocsin.outbox.loose import Loose, LooseEnd
from tocsin.outbox.memory_tables import Tables
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import Attempt, Trigger
from tocsin.outbox.spending import Spending
from tocsin.outbox.state import AttemptState


def find_loose_ends(tables: Tables) -> tuple[LooseEnd, ...]:
    """Return each once, in the order of their kinds."""
    return tuple(dict.fromkeys(_loose_ends(tables)))


def _loose_ends(tables: Tables) -> Iterator[LooseEnd]:
    recipients: dict[MessageId, set[Msisdn]] = defaultdict(set)
    for delivery in tables.deliveries.values():
        recipients[delivery.message].add(delivery.to)
        if delivery.holder is not None and delivery.holder not in tables.holders:
            yield LooseEnd(Loose.CLAIM_WITHOUT_HOLDER, delivery.id)
    legs = Counter((one.message, one.to, one.only) for one in tables.deliveries.values())
    twice = {message for (message, _, _), count in legs.items() if count > 1}
    for message in tables.messages.values():
        if recipients[message.id] != set(message.to) or message.id in twice:
            yield LooseEnd(Loose.MESSAGE_WITHOUT_DELIVERIES, message.id)
    for name in {name for name, _ in tables.keys.values()} - tables.messages.keys():
        yield LooseEnd(Loose.KEY_WITHOUT_MESSAGE, name)
    yield from _loose_answers(tables)
    named = {
        *(attempt.delivery for attempt in tables.attempts.values()),
        *(report.delivery for report in tables.reports if report.delivery is not None),
        *(one.delivery for one in tables.transitions),
        *(delivery for delivery, _ in tables.chapters),
    }
    yield from (LooseEnd(Loose.STRAY, one) for one in sorted(named - tables.deliveries.keys()))
    yield from _loose_debits(tables)
    last = {(one.account, one.prefix): (one.after, one.at) for one in tables.pages.changes}
    for key, weight in tables.pages.weights.items():
        if last.get(key) != (weight.points, weight.moved_at):
            yield LooseEnd(Loose.WEIGHT_UNEXPLAINED, " ".join(key))


def _loose_debits(tables: Tables) -> Iterator[LooseEnd]:
    requests: dict[SubmitId, list[Attempt]] = defaultdict(list)
    for attempt in tables.attempts.values():
        requests[attempt.submit].append(attempt)
    for submit, attempts in requests.items():
        spending = tables.pages.spending.get(submit)
        if spending is None and any(one.segments for one in attempts):  # else it is older than debits
            yield LooseEnd(Loose.DEBIT_MISSING, submit)
        elif spending is not None and not _is_for(spending, attempts):
            yield LooseEnd(Loose.DEBIT_WRONG, submit)
    for submit in sorted(tables.pages.spending.keys() - requests.keys()):
        yield LooseEnd(Loose.DEBIT_WRONG, submit)


def _is_for(spending: Spending, attempts: list[Attempt]) -> bool:
    """Say whether a debit is what the attempts of its request make it: all of them but those that no vendor took."""
    kept = [one for one in attempts if one.state not in (AttemptState.NOT_SENT, AttemptState.REFUSED)]
    resends = any(one.trigger is Trigger.DOUBT for one in attempts)
    return (spending.account, spending.at) == (attempts[0].account, attempts[0].intended_at) and (
        (spending.messages, spending.cost, spending.resends)
        == (len(kept), sum((one.cost for one in kept), Decimal(0)), resends)
    )


def _loose_answers(tables: Tables) -> Iterator[LooseEnd]:
    there = {RawId(number) for number in range(1, len(tables.raw) + 1)}
    for kind, answers in (
        (Loose.ANSWER_MISSING, tables.applied - there),
        (Loose.ANSWER_APPLIED_UNREAD, (tables.applied & there) - tables.read),
        (Loose.ANSWER_UNREAD, there - tables.read),
    ):
        yield from (LooseEnd(kind, f"raw {number}") for number in sorted(answers))
