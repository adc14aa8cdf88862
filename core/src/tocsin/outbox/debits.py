"""What may leave: checked against limits, caps, budgets and the breaker, and debited, in the transaction of its INTENT.

Steps of a transaction over `Rows`; `tocsin.outbox.store` opens it. Whoever asked for more than is free gets less, and
the policy is asked about the rest again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from tocsin.model.phone import E164
from tocsin.outbox.breaker import Mode, mode, probe
from tocsin.outbox.health import Health
from tocsin.outbox.meter import Meter
from tocsin.outbox.record import Attempt, Intent, Trigger
from tocsin.outbox.rows import Rows
from tocsin.outbox.spending import Request, Spending
from tocsin.outbox.state import AttemptState

PROBE = 1
"""Messages in a request that goes to see: one lost answer puts no whole group in doubt."""


def grant(rows: Rows, request: Request, going: dict[E164, Intent], now: datetime) -> tuple[Intent, ...]:
    """Return those of a request's intents that its bounds leave room for.

    Args:
        rows: where it is written.
        request: as it was asked for.
        going: its intents whose claim stands, by recipient.
        now: aware time.
    """
    meter = Meter(rows.books, now)
    if not going or not _may_leave(rows, meter, request, going.values(), now):
        return ()
    bounds, sent = request.bounds, meter.sent_to(going, (request.bounds,))
    spared = rows.books.opted_out(going) if bounds.spares_opted_out else {}
    granted: list[Intent] = []
    cost = Decimal(0)
    for to, intent in going.items():
        free_at = meter.recipient_free_at(request.account, to, request.cls, bounds, sent)
        if to in spared or free_at is not None:
            continue
        if meter.money_free_at(request.account, cost + intent.cost, bounds) is None:
            granted.append(intent)
            cost += intent.cost
    probes = (PROBE,) if _is_probed(rows, request, now) else ()
    rooms = (*probes, meter.room(request.account, bounds))
    return tuple(granted[: min((room for room in rooms if room is not None), default=None)])


def debit(rows: Rows, request: Request, attempts: tuple[Attempt, ...], now: datetime) -> None:
    """Write down what a request uses up, and take the probe where its account is being probed."""
    if _is_probed(rows, request, now):
        rows.books.save_health(probe(rows.books.health()[request.account], now))
    leaving = {one.delivery for one in attempts}
    intents = [one for one in request.intents if one.delivery in leaving]
    spending = Spending(
        submit=attempts[0].submit,
        account=request.account,
        at=now,
        cls=request.cls,
        retries=any(one.retries for one in intents),
        resends=any(one.trigger is Trigger.DOUBT for one in intents),
        messages=len(attempts),
        cost=sum((one.cost for one in attempts), Decimal(0)),
    )
    rows.books.save_spending((spending,))


def refund(rows: Rows, settled: Iterable[Attempt]) -> None:
    """Give back what no vendor took."""
    returned = [one for one in settled if one.state in (AttemptState.NOT_SENT, AttemptState.REFUSED)]
    spent = rows.books.get_spending(one.submit for one in returned)
    for one in returned:
        if one.submit in spent:
            spent[one.submit] = spent[one.submit].less(one.cost)
    rows.books.save_spending(spent.values())


def _may_leave(rows: Rows, meter: Meter, request: Request, intents: Iterable[Intent], now: datetime) -> bool:
    """Say whether the request as a whole may leave now."""
    account, bounds = request.account, request.bounds
    health = rows.books.health().get(account)
    if health is not None and not _is_passable(health, request, now):
        return False
    if meter.submits_free_at(account, bounds.submits) is not None:
        return False
    going = tuple(intents)
    if any(one.retries for one in going) and meter.retry_free_at(account, bounds.budgets) is not None:
        return False
    doubtful = any(one.trigger is Trigger.DOUBT for one in going)
    return not doubtful or bounds.resends_freely or meter.may_resend(request.cls, bounds.budgets)


def _is_probed(rows: Rows, request: Request, now: datetime) -> bool:
    """Say whether the request goes to see how its account fares."""
    health = rows.books.health().get(request.account)
    return health is not None and mode(health, now) is Mode.HALF_OPEN


def _is_passable(health: Health, request: Request, now: datetime) -> bool:
    standing = mode(health, now)
    if standing is Mode.DISABLED:
        return False
    return request.insists or standing in (Mode.CLOSED, Mode.HALF_OPEN)
