"""Delivery quality: how reports move an account's weight for a carrier's numbers, and how long a report is waited for.

Pure: it must never read a clock or a store. The worker counts the cohorts, asks `reassess`, and has the changes written
down; whoever plans how long to wait for a report asks `patience`. A change is itself the audit: it carries its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from tocsin.model.ids import AccountId
from tocsin.model.quality import FULL, Change, Cohort, Weight

STEP = 10
"""Points that one change moves."""

HOLD_DOWN = timedelta(minutes=5)
"""No weight is taken away sooner than this after its last change."""

QUIET = timedelta(minutes=15)
"""What an account is spared for so long gives it a step back."""

OLDEST, YOUNGEST = timedelta(minutes=15), timedelta(minutes=5)
"""How long ago the messages of a cohort were submitted."""

LATE_AFTER = timedelta(minutes=5)
"""What was not delivered within this is late."""

_MINUTE = timedelta(minutes=1)
_LEAST_SUBMITTED = 20
_SICK_PERCENT = 15
_LEAST_DELAYS = 20
_MOST_PATIENCE = 3

_Key = tuple[AccountId, str]


def reassess(
    weights: Mapping[tuple[AccountId, str], Weight], cohorts: Iterable[Cohort], now: datetime
) -> tuple[Change, ...]:
    """Return what changes in the weights, each change with its reason, ordered by account and prefix.

    A cohort of 20 or more is judged; it is sick where 15 % or more of it are late. A sick account loses 10 points, at
    most once in 5 minutes. Any other gets 10 back when 15 minutes have passed since its last change: too few messages
    to judge are no verdict, so silence counts as quiet, and an account that lost everything is tried again in time.

    Where at least two accounts are judged for a prefix and all of them are sick, the trouble is the carrier's: nothing
    moves for that prefix, down or up. A single judged account that is sick does move, so that others get evidence.

    Args:
        weights: those that were ever changed, by account and prefix; any other has all its points.
        cohorts: at most one for each account and prefix, and only of accounts whose reports were listened to.
        now: aware time.
    """
    judged = {(one.account, one.prefix): one for one in cohorts if one.submitted >= _LEAST_SUBMITTED}
    sick = {key: one for key, one in judged.items() if _is_sick(one)}
    spared = frozenset(_all_sick(judged, sick))
    keys = sorted(key for key in weights.keys() | sick.keys() if key[1] not in spared)
    moved = (_moved(_weight(weights, key), sick.get(key), now) for key in keys)
    return tuple(change for change in moved if change is not None)


def _is_sick(cohort: Cohort) -> bool:
    return cohort.late * 100 >= cohort.submitted * _SICK_PERCENT


def _all_sick(judged: Mapping[_Key, Cohort], sick: Mapping[_Key, Cohort]) -> Iterator[str]:
    """Yield the prefixes for which two or more accounts are judged, and each of them is sick."""
    heads, ill = (Counter(prefix for _, prefix in keys) for keys in (judged, sick))
    return (prefix for prefix, count in ill.items() if count == heads[prefix] >= 2)


def _weight(weights: Mapping[_Key, Weight], key: _Key) -> Weight:
    account, prefix = key
    return weights.get(key) or Weight(account=account, prefix=prefix)


def _moved(weight: Weight, sick: Cohort | None, now: datetime) -> Change | None:
    """Return the change of one weight, or None where it stays."""
    if not _rested(weight, QUIET if sick is None else HOLD_DOWN, now):
        return None
    if sick is None:
        after = min(FULL, weight.points + STEP)
        reason = f"{QUIET // _MINUTE} quiet minutes: {after - weight.points} points of weight come back"
    else:
        after = max(0, weight.points - STEP)
        reason = f"{_symptom(sick)}: {weight.points - after} points of weight go"
    return None if after == weight.points else _change(weight, after, reason, now)


def _symptom(sick: Cohort) -> str:
    ago = f"{YOUNGEST // _MINUTE} to {OLDEST // _MINUTE} minutes ago"
    late = f"were not delivered within {LATE_AFTER // _MINUTE} minutes"
    return f"{sick.late} of {sick.submitted} messages submitted {ago} {late}"


def _rested(weight: Weight, rest: timedelta, now: datetime) -> bool:
    return weight.moved_at is None or now - weight.moved_at >= rest


def _change(weight: Weight, after: int, reason: str, now: datetime) -> Change:
    return Change(
        account=weight.account, prefix=weight.prefix, before=weight.points, after=after, reason=reason, at=now
    )


def patience(floor: timedelta, observed: timedelta | None) -> timedelta:
    """Return how long a report is waited for before its silence counts.

    Never less than the floor, so that one quick hour does not make us hasty. Never more than three times the floor:
    the class says how urgent a message is, and one slow account must not hold an urgent one until it is worthless.

    Args:
        floor: the report timeout of the class.
        observed: the account's own 95th percentile, see `p95`; None where too little is known.
    """
    return floor if observed is None else min(max(floor, observed), floor * _MOST_PATIENCE)


def p95(delays: Sequence[timedelta]) -> timedelta | None:
    """Return the delay that 95 % of these do not exceed (nearest rank); None for fewer than 20."""
    if len(delays) < _LEAST_DELAYS:
        return None
    return sorted(delays)[(len(delays) * 95 + 99) // 100 - 1]
