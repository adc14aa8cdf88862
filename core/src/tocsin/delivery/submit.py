"""INTENT → exchange → settlement: the only place that lets a submit out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from tocsin import observe
from tocsin.clock import Clock
from tocsin.delivery.coalesce import Group, Planned
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.parts import Parts
from tocsin.errors import PluginError, TransportError
from tocsin.model.account import Account
from tocsin.model.ids import DeliveryId
from tocsin.model.message import OutcomeNotice
from tocsin.model.outcome import Accepted, NotSent, Refused, SendResult, Unknown
from tocsin.model.submission import Submission
from tocsin.outbox.breaker import Mode, mode, sample_of
from tocsin.outbox.claims import LEASE
from tocsin.outbox.health import Health, Sample
from tocsin.outbox.record import Attempt, Intent, Settlement
from tocsin.outbox.spending import Request
from tocsin.policy.explain import explain
from tocsin.policy.standing import ask_again_at
from tocsin.wire.perform import perform_send

LEAST_LEASE_S = 30.0
"""T6: with less than this left of the claim no byte is written; longer than any exchange may take."""

SLOW_S = 5.0
"""An answer that took longer counts as slow in its account's breaker."""


class Lease:
    """How much is left of a claim, on the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + LEASE.total_seconds()

    @property
    def is_short(self) -> bool:
        """Whether an exchange that began now might outlast the claim."""
        return self._until - self._clock.monotonic() < LEAST_LEASE_S


@attrs.frozen(kw_only=True)
class Departure:
    """One request that may leave: its INTENT is committed.

    Args:
        planned: whom it is for, in the order of the attempts.
        lease: how long the claim on them stands.
    """

    account: Account
    attempts: tuple[Attempt, ...]
    planned: tuple[Planned, ...]
    submission: Submission = attrs.field(repr=False)
    lease: Lease = attrs.field(repr=False)


@attrs.frozen
class Arrival:
    """What became of a departure.

    Args:
        took_s: how long its exchange took.
    """

    departure: Departure
    result: SendResult
    took_s: float = 0.0


def submit(parts: Parts, group: Group) -> int:
    """Submit one group, but for those whose time is over by now.

    Returns:
        How many deliveries are done with: taken by the vendor, or in doubt.
    """
    arrivals = tuple(travel(parts, one) for one in depart(parts, (group,)))
    return arrive(parts, arrivals) if arrivals else 0


def depart(parts: Parts, groups: Iterable[Group]) -> tuple[Departure, ...]:
    """Commit INTENT for each group, all in one transaction; return what may leave.

    Those whose time is over, or whose claim stands no more, are left out.
    """
    now = parts.clock.now()
    lease = Lease(parts.clock)  # counted from before the transaction that renews the claim
    going = [(group, planned) for group in groups if (planned := _in_time(group, now))]
    if not going:
        return ()
    leaving = parts.store.intend([_request(parts.fleet, group, planned.values()) for group, planned in going], now)
    departures = []
    for (group, planned), attempts in zip(going, leaving, strict=True):
        if attempts:
            standing = tuple(planned[attempt.delivery] for attempt in attempts)
            submission = group.submission(one.delivery.to for one in standing)
            departures.append(
                Departure(
                    account=group.account, attempts=attempts, planned=standing, submission=submission, lease=lease
                )
            )
    return tuple(departures)


def arrive(parts: Parts, arrivals: Sequence[Arrival]) -> int:
    """Commit what became of departures, all in one transaction; log it, and tell observers.

    Returns:
        How many deliveries are done with: taken by the vendor, or in doubt.
    """
    now = parts.clock.now()
    settled = [_settlements(one, now) for one in arrivals]
    samples = tuple(_sample(one, now, parts.dice()) for one in arrivals)
    changed = parts.store.settle(tuple(one for settlements in settled for one in settlements), now, samples)
    for arrival, settlements in zip(arrivals, settled, strict=True):
        departure = arrival.departure
        _log_outcomes(departure.account, departure.attempts, settlements)
        _notify(parts, departure.attempts, settlements, now)
    _log_changes(changed, now)
    return sum(isinstance(one.outcome, Accepted | Unknown) for settlements in settled for one in settlements)


def _in_time(group: Group, now: datetime) -> dict[DeliveryId, Planned]:
    return {one.delivery.id: one for one in group.planned.values() if now < one.delivery.expires_at}


def _request(fleet: Fleet, group: Group, planned: Iterable[Planned]) -> Request:
    going = tuple(planned)
    return Request(
        account=group.account.id,
        cls=going[0].cls,
        intents=tuple(_intent(one) for one in going),
        bounds=fleet.bounds(group.account.id, going[0].cls),
        insists=going[0].decision.insists,
    )


def _intent(one: Planned) -> Intent:
    return Intent(
        delivery=one.delivery.id,
        epoch=one.delivery.epoch,
        account=one.account.id,
        explanation=explain(one.decision),
        trigger=one.decision.trigger,
        retries=one.retries,
        segments=one.bill.segments,
        cost=one.bill.cost or Decimal(0),
    )


def _settlements(arrival: Arrival, now: datetime) -> tuple[Settlement, ...]:
    departure, outcomes = arrival.departure, arrival.result.outcomes
    return tuple(
        Settlement(
            attempt=attempt.id,
            epoch=one.delivery.epoch,
            outcome=outcomes[one.delivery.to],
            keep=True,
            due_at=ask_again_at(one.rules, outcomes[one.delivery.to], now),
        )
        for attempt, one in zip(departure.attempts, departure.planned, strict=True)
    )


def _sample(arrival: Arrival, now: datetime, dice: float) -> Sample:
    account = arrival.departure.account
    answer, sticky = sample_of(arrival.result.outcomes.values())
    return Sample(
        account=account.id,
        at=now,
        began_at=arrival.departure.attempts[0].intended_at,
        answer=answer,
        slow=arrival.took_s > SLOW_S,
        sticky=sticky,
        dice=dice,
        balance=arrival.result.balance,
        floor=account.balance_floor,
        submit=arrival.departure.attempts[0].submit,
    )


def travel(parts: Parts, departure: Departure) -> Arrival:
    """Carry a departure, and take the time."""
    began = parts.clock.monotonic()
    result = carry(parts, departure)
    return Arrival(departure, result, parts.clock.monotonic() - began)


def carry(parts: Parts, departure: Departure) -> SendResult:
    """Make the exchange and run it. Until its request goes out, whatever fails is proof that nothing was sent."""
    account, submission = departure.account, departure.submission
    try:
        plugin = parts.fleet.registry.plugin_for(account)
        exchange = plugin.send(account, submission, parts.clock.now())
        transport = parts.transports.of(account, plugin)
    except PluginError as error:
        observe.log.error(observe.ALARM, account=account.id, vendor=account.vendor, cause=str(error))
        return SendResult.all(submission.to, NotSent("plugin-fault"))
    except TransportError as error:
        observe.log.error(observe.ALARM, account=account.id, vendor=account.vendor, cause=str(error))
        return SendResult.all(submission.to, NotSent(error.cause))
    if departure.lease.is_short:
        return SendResult.all(submission.to, NotSent("lease-short"))
    return perform_send(exchange, transport, submission.to)


def _log_outcomes(account: Account, attempts: tuple[Attempt, ...], settlements: tuple[Settlement, ...]) -> None:
    """Log a line for each kind of outcome of the request, and an alarm where somebody must act."""
    counts: dict[tuple[str, str, str], int] = {}
    alarms: set[str] = set()
    for one in settlements:
        match one.outcome:
            case Accepted(partial=partial):
                kind = (observe.SEND_ACCEPTED, "", "")
                alarms |= {"partial"} if partial else set()
            case Refused(reason=reason, code=code):
                kind = (observe.SEND_REFUSED, reason.label, code)
                alarms |= {reason.label} if reason.alarm else set()
            case NotSent(cause=cause):
                kind = (observe.SEND_NOT_SENT, cause, "")
            case Unknown(cause=cause):
                kind = (observe.SEND_UNKNOWN, cause, "")
        counts[kind] = counts.get(kind, 0) + 1
    names = {"account": account.id, "vendor": account.vendor, "submit": attempts[0].submit}
    for (event, reason_or_cause, code), count in counts.items():
        observe.log.info(event, reason=reason_or_cause, code=code, count=count, **names)
    for alarm in sorted(alarms):
        observe.log.warning(observe.ALARM, reason=alarm, **names)


def _log_changes(changed: Iterable[Health], now: datetime) -> None:
    """Log each account that stands otherwise than before."""
    for health in changed:
        standing = mode(health, now)
        event = observe.ACCOUNT_OPENED if standing is Mode.CLOSED else observe.ACCOUNT_CLOSED
        observe.log.warning(event, account=health.account, reason=standing.value)


def _notify(parts: Parts, attempts: tuple[Attempt, ...], settlements: tuple[Settlement, ...], at: datetime) -> None:
    """Tell every observer, after the commit. What one raises is logged and changes nothing."""
    for plugin in parts.fleet.registry.middleware:
        for attempt, one in zip(attempts, settlements, strict=True):
            notice = OutcomeNotice(delivery=attempt.delivery, account=attempt.account, outcome=one.outcome, at=at)
            try:
                plugin.observe_outcome(notice)
            except PluginError as error:
                observe.log.error(observe.OBSERVER_FAILED, plugin=plugin.name, cause=str(error))
