"""What may be sent through an account, and how requests, balances and operators change its health.

It must never read a clock, draw a dice or know a store: times and dice come in. A sample stands for one vendor request,
however many recipients it had. What began no later than the last change of the health says nothing about the account as
it stands now, so a straggler neither closes a breaker nor renews a sticky state. The store calls `probe` in the
transaction of INTENT and the others in that of the outcome; whoever chooses an account asks `mode` and `shut_until`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, assert_never

import attrs

from tocsin.model.balance import Balance
from tocsin.model.outcome import Accepted, NotSent, Outcome, Refused, Scope, Sticky, Unknown
from tocsin.outbox.health import Answer, Health, Sample, Second

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
"""How long a disabled account is shut."""

WINDOW_S: Final = 60
LEASE: Final = timedelta(seconds=60)
"""How long a probe that never answers keeps its slot."""

STICKY_FOR: Final[Mapping[Sticky, timedelta]] = {
    Sticky.DRAINED: timedelta(minutes=10),
    Sticky.FORCED_OPEN: timedelta(minutes=5),
}
"""How long a sticky state lasts before one request is let through to see."""

_LITTLE_TRAFFIC = 5
"""Fewer samples than this in the window: five in a row could not be seen in it."""

_IN_A_ROW, _RARE_IN_A_ROW = 5, 3
_ROW_WITHIN = timedelta(minutes=10)
"""Longer than the window; but five in a row that took longer than that leave fewer than five samples in it."""

_CLOSING_SUCCESSES = 3
_OPEN_S, _LONGEST_OPEN_S = 30, 300

_OWN_TROUBLE = frozenset({"lease-short", "plugin-fault", "commit-unknown"})
"""Causes of NotSent that are no news of the vendor."""

_OWN_SILENCE = frozenset({"holder-lost"})
"""Causes of Unknown with which nobody was there to hear the answer."""


class Mode(enum.Enum):
    """How the account stands. Only `CLOSED` and `HALF_OPEN` let a request through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """The time is served: one request may go, to see."""

    PROBING = "probing"
    """That request is under way."""

    DRAINED = "drained"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


_STICKY_MODES = {Sticky.DRAINED: Mode.DRAINED, Sticky.FORCED_OPEN: Mode.FORCED_OPEN}


def sample_of(outcomes: Iterable[Outcome]) -> tuple[Answer, Sticky | None]:
    """Return what the outcomes of one request say of the vendor's health, and the sticky state they lead to.

    One healthy outcome proves that the vendor answers; only without any does a failed one count.
    """
    outcomes = tuple(outcomes)
    answers = {_answer(outcome) for outcome in outcomes}
    stuck = {outcome.reason.sticky for outcome in outcomes if isinstance(outcome, Refused)}
    answer = next((one for one in (Answer.HEALTHY, Answer.FAILED) if one in answers), Answer.NEUTRAL)
    return answer, next((one for one in (Sticky.FORCED_OPEN, Sticky.DRAINED) if one in stuck), None)


def _answer(outcome: Outcome) -> Answer:
    match outcome:
        case Accepted():
            return Answer.HEALTHY
        case Refused(reason=reason):
            return _ANSWERS[reason.scope]
        case NotSent(cause=cause):
            return Answer.NEUTRAL if cause in _OWN_TROUBLE else Answer.FAILED
        case Unknown(cause=cause):
            return Answer.NEUTRAL if cause in _OWN_SILENCE else Answer.FAILED
        case never:
            assert_never(never)


_ANSWERS = {
    Scope.MESSAGE: Answer.HEALTHY,
    Scope.RECIPIENT: Answer.HEALTHY,
    Scope.TEMPLATE: Answer.HEALTHY,
    Scope.ACCOUNT: Answer.NEUTRAL,
    Scope.THROTTLE: Answer.NEUTRAL,
    Scope.VENDOR: Answer.FAILED,
}
"""One invalid number, one blocked recipient, one bad text must never poison a vendor."""


def mode(health: Health, now: datetime) -> Mode:
    """Return how the account stands. The operator's word stands above a sticky state, that above the breaker."""
    if health.disabled:
        return Mode.DISABLED
    if health.sticky is not None and _ahead(health.sticky_until, now):
        return _STICKY_MODES[health.sticky]
    if _ahead(health.open_until, now):
        return Mode.OPEN
    if _ahead(health.probe_until, now):
        return Mode.PROBING
    return Mode.HALF_OPEN if _on_trial(health) else Mode.CLOSED


def shut_until(health: Health, now: datetime) -> datetime | None:
    """Return when to ask again: None where the account may be used now, `FOREVER` where only an operator can tell."""
    if health.disabled:
        return FOREVER
    times = (health.sticky_until, health.open_until, health.probe_until)
    return max((time for time in times if time is not None and time > now), default=None)


def _ahead(time: datetime | None, now: datetime) -> bool:
    return time is not None and time > now


def _on_trial(health: Health) -> bool:
    """Tell whether what goes next goes as a probe."""
    return health.opened_at is not None or health.sticky is not None


def probe(health: Health, now: datetime) -> Health:
    """Take the one slot for a probe. Where no probe may go, or none is needed, nothing changes."""
    return attrs.evolve(health, probe_until=now + LEASE) if mode(health, now) is Mode.HALF_OPEN else health


def observe(health: Health, sample: Sample) -> Health:
    """Return the health after one request's outcome became known."""
    health = _free_slot(health, sample)
    if health.changed_at is not None and sample.began_at <= health.changed_at:
        return health
    if sample.sticky is not None:
        health = _stick(health, sample.sticky, sample.at)
    elif sample.answer is Answer.HEALTHY:
        health = _lift(health, sample.at)
    if sample.answer is Answer.NEUTRAL:
        return health
    if health.opened_at is None:
        return _count(health, sample)
    return _succeed(health, sample.at) if sample.answer is Answer.HEALTHY else _fail(health, sample)


def _free_slot(health: Health, sample: Sample) -> Health:
    """Free the probe's slot, unless the answer is to a request that left before the probe."""
    if health.probe_until is None or sample.began_at < health.probe_until - LEASE:
        return health
    return attrs.evolve(health, probe_until=None)


def _stick(health: Health, sticky: Sticky, at: datetime) -> Health:
    return attrs.evolve(health, sticky=sticky, sticky_until=at + STICKY_FOR[sticky], changed_at=at)


def _lift(health: Health, at: datetime) -> Health:
    """Lift the sticky state. A probe that is under way goes on to be one only for the sake of the breaker."""
    if health.sticky is None:
        return health
    slot = health.probe_until if health.opened_at is not None else None
    return attrs.evolve(health, sticky=None, sticky_until=None, probe_until=slot, changed_at=at)


def _count(health: Health, sample: Sample) -> Health:
    """Enter the sample into the window of a closed breaker, and open it where that trips it."""
    failed = sample.answer is Answer.FAILED
    failures = (*health.failures, sample.at)[-_IN_A_ROW:] if failed else ()
    window = _entered(health.window, Second(int(sample.at.timestamp()), 1, int(failed), int(sample.slow)))
    health = attrs.evolve(health, window=window, failures=failures)
    return _open(health, sample) if _trips(health) else health


def _entered(window: tuple[Second, ...], sample: Second) -> tuple[Second, ...]:
    """Add a sample and drop what lies a minute before it. One that comes late counts with the newest."""
    newest = max(sample.second, window[-1].second if window else sample.second)
    kept = tuple(one for one in window if newest - WINDOW_S < one.second < newest)
    last = window[-1] if window and window[-1].second == newest else Second(newest)
    return (
        *kept,
        Second(newest, last.total + sample.total, last.failed + sample.failed, last.slow + sample.slow),
    )


def _trips(health: Health) -> bool:
    total = sum(one.total for one in health.window)
    failed = sum(one.failed for one in health.window)
    slow = sum(one.slow for one in health.window)
    return (
        _in_a_row(health.failures, _RARE_IN_A_ROW if total < _LITTLE_TRAFFIC else _IN_A_ROW)
        or (total >= 20 and failed * 100 >= total * 50)
        or (total >= 10 and slow * 100 >= total * 80)
    )


def _in_a_row(failures: tuple[datetime, ...], count: int) -> bool:
    return len(failures) >= count and failures[-1] - failures[-count] <= _ROW_WITHIN


def _open(health: Health, sample: Sample) -> Health:
    """Open the breaker, longer each time that it was not closed in between."""
    openings = health.openings + 1
    nominal = timedelta(seconds=min(_OPEN_S * openings, _LONGEST_OPEN_S))
    return attrs.evolve(
        health,
        window=(),
        failures=(),
        opened_at=sample.at,
        open_until=sample.at + nominal * (0.8 + 0.4 * sample.dice),
        openings=openings,
        successes=0,
        probe_until=None,
        changed_at=sample.at,
    )


def _succeed(health: Health, at: datetime) -> Health:
    """Count a success since the opening; the third closes the breaker. A slow success is one, too."""
    if health.successes + 1 < _CLOSING_SUCCESSES:
        return attrs.evolve(health, successes=health.successes + 1)
    return attrs.evolve(
        health, opened_at=None, open_until=None, openings=0, successes=0, probe_until=None, changed_at=at
    )


def _fail(health: Health, sample: Sample) -> Health:
    """Open the breaker again. What failed before the time is served was let through all the same: no probe.

    It makes the opening no longer, but newer, so that what has to go nevertheless tries another account next.
    """
    if _ahead(health.open_until, sample.at):
        return attrs.evolve(health, opened_at=sample.at, successes=0, changed_at=sample.at)
    return _open(health, sample)


def disable(health: Health, now: datetime) -> Health:
    """Take the account out of use until `resume`."""
    return attrs.evolve(health, disabled=True, changed_at=now)


def resume(health: Health, now: datetime) -> Health:
    """Lift everything: the operator says that the account is well. What was heard of its balance stays."""
    return Health(account=health.account, balance=health.balance, changed_at=now)


def hear(health: Health, balance: Balance, floor: Decimal | None, now: datetime) -> Health:
    """Keep a balance, unless a newer one is known. It may lift DRAINED, never set it, and closes no breaker.

    While balances are heard that are too low, a drained account is not tried. A postpaid account has no floor, and its
    low balance says nothing.

    Args:
        health: of the account.
        balance: what was heard.
        floor: the account's own, in the balance's unit.
        now: when it was heard.
    """
    if health.balance is None or health.balance.as_of <= balance.as_of:
        health = attrs.evolve(health, balance=balance)
    if health.sticky is not Sticky.DRAINED or (health.changed_at is not None and balance.as_of <= health.changed_at):
        return health
    floor = None if balance.postpaid else floor
    if balance.amount > max(Decimal(0), floor or Decimal(0)):
        return _lift(health, now)
    return health if balance.postpaid else attrs.evolve(health, sticky_until=now + STICKY_FOR[Sticky.DRAINED])
