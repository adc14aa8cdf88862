"""INTENT → exchange → settlement, for one group: the only place that lets a submit out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tocsin import observe
from tocsin.clock import Clock
from tocsin.delivery.coalesce import Group, Planned
from tocsin.delivery.parts import Parts
from tocsin.errors import PluginError
from tocsin.model.account import Account
from tocsin.model.message import OutcomeNotice
from tocsin.model.outcome import Accepted, NotSent, Refused, SendResult, Unknown
from tocsin.model.submission import Submission
from tocsin.outbox.record import Attempt, Intent, Settlement
from tocsin.outbox.store import LEASE
from tocsin.policy.explain import explain
from tocsin.wire.perform import perform_send

LEAST_LEASE_S = 30.0
"""T6: with less than this left of the claim no byte is written; longer than any exchange may take."""


class Lease:
    """How much is left of a claim, on the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + LEASE.total_seconds()

    @property
    def is_short(self) -> bool:
        """Whether an exchange that began now might outlast the claim."""
        return self._until - self._clock.monotonic() < LEAST_LEASE_S


def submit(parts: Parts, group: Group) -> int:
    """Submit one group, but for those whose time is over by now.

    Returns:
        How many deliveries are done with: taken by the vendor, or in doubt.
    """
    now = parts.clock.now()
    lease = Lease(parts.clock)  # counted from before the transaction that renews the claim
    in_time = {one.delivery.id: one for one in group.planned.values() if now < one.delivery.expires_at}
    attempts = parts.store.intend(_intents(in_time.values()), now) if in_time else ()
    if not attempts:
        return 0
    standing = [in_time[attempt.delivery] for attempt in attempts]
    result = _exchange(parts, group.account, group.submission(one.delivery.to for one in standing), lease)
    settlements = tuple(
        Settlement(attempt=attempt.id, epoch=one.delivery.epoch, outcome=result.outcomes[one.delivery.to], keep=True)
        for attempt, one in zip(attempts, standing, strict=True)
    )
    settled_at = parts.clock.now()
    parts.store.settle(settlements, settled_at)
    _log_outcomes(group.account, attempts, settlements)
    _notify(parts, attempts, settlements, settled_at)
    return sum(isinstance(one.outcome, Accepted | Unknown) for one in settlements)


def _intents(planned: Iterable[Planned]) -> tuple[Intent, ...]:
    return tuple(
        Intent(
            delivery=one.delivery.id,
            epoch=one.delivery.epoch,
            account=one.account.id,
            explanation=explain(one.decision),
        )
        for one in planned
    )


def _exchange(parts: Parts, account: Account, submission: Submission, lease: Lease) -> SendResult:
    """Make the exchange and run it. Until its request goes out, whatever fails is proof that nothing was sent."""
    try:
        plugin = parts.fleet.registry.plugin_for(account)
        exchange = plugin.send(account, submission, parts.clock.now())
        transport = parts.transports.of(account, plugin)
    except PluginError as error:
        observe.log.error(observe.ALARM, account=account.id, vendor=account.vendor, cause=str(error))
        return SendResult.all(submission.to, NotSent("plugin-fault"))
    if lease.is_short:
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


def _notify(parts: Parts, attempts: tuple[Attempt, ...], settlements: tuple[Settlement, ...], at: datetime) -> None:
    """Tell every observer, after the commit. What one raises is logged and changes nothing."""
    for plugin in parts.fleet.registry.middleware:
        for attempt, one in zip(attempts, settlements, strict=True):
            notice = OutcomeNotice(delivery=attempt.delivery, account=attempt.account, outcome=one.outcome, at=at)
            try:
                plugin.observe_outcome(notice)
            except PluginError as error:
                observe.log.error(observe.OBSERVER_FAILED, plugin=plugin.name, cause=str(error))
