"""What was read from the store, as Prometheus' families. Pure: the page docs/reference/metrics.md is its table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import attrs
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.model.quality import FULL
from tocsin.outbox.breaker import Mode, mode
from tocsin.outbox.gauges import OPEN, Gauges
from tocsin.outbox.health import Health
from tocsin.outbox.record import Listening
from tocsin.outbox.spending import DAY
from tocsin.outbox.state import AttemptState, State
from tocsin.policy.balance import days_left, is_below_floor, is_fresh

URGENCIES = {0: "urgent", 1: "alert", 2: "notice", 3: "bulk"}
"""What goes first; `urgent` is otp and critical."""

_ENDED = tuple(state for state in State if state.terminal)
_OUTCOMES = tuple(state for state in AttemptState if state is not AttemptState.INTENT)

_Sample = tuple[tuple[str, ...], float]
_Counts = Mapping[tuple[State | AttemptState, AccountId | None], int]


@attrs.frozen(kw_only=True)
class Seen:
    """All that one scrape has read.

    Args:
        spent: messages and money of the last 24 hours, by account.
        weakest: the lowest points that each account has for any prefix.
    """

    now: datetime
    accounts: Mapping[AccountId, Account]
    gauges: Gauges
    health: Mapping[AccountId, Health]
    polls: tuple[Listening, ...]
    spent: Mapping[AccountId, tuple[int, Decimal]]
    weakest: Mapping[AccountId, int]


def families(seen: Seen, cap: Decimal | None) -> Iterator[Metric]:
    """Yield every family.

    Args:
        seen: what was read.
        cap: on what all accounts together may spend in a day.
    """
    yield from _deliveries(seen)
    yield from _attempts(seen)
    yield from _queue(seen)
    yield from _standing(seen)
    yield from _balances(seen)
    yield from _money(seen, cap)
    yield from _polls(seen)


def _deliveries(seen: Seen) -> Iterator[Metric]:
    names = (*seen.accounts, None)
    waiting: _Counts = {(state, name): number for (state, name), number in seen.gauges.open.items()}
    yield gauge(
        "tocsin_deliveries",
        "Deliveries that have not ended, by state and the account of their newest attempt (empty: not tried yet).",
        ("state", "account"),
        _filled(waiting, {(state, name): 0 for state in OPEN for name in names}),
    )
    tallies = seen.gauges.tallies.items()
    ended: _Counts = {(one.state, one.account): number for one, number in tallies if isinstance(one.state, State)}
    yield _counter(
        "tocsin_deliveries_ended",
        "Deliveries that ended, by their end; one that a late report ends otherwise counts under both.",
        ("state", "account"),
        _filled(ended, {(state, name): 0 for state in _ENDED for name in names}),
    )


def _attempts(seen: Seen) -> Iterator[Metric]:
    tallies = seen.gauges.tallies.items()
    settled: _Counts = {
        (one.state, one.account): number for one, number in tallies if isinstance(one.state, AttemptState)
    }
    yield _counter(
        "tocsin_attempts",
        "Attempts by outcome; one that nobody knew about, and of which a report told, counts as both.",
        ("outcome", "account"),
        _filled(settled, {(state, name): 0 for state in _OUTCOMES for name in seen.accounts}),
    )
    since = seen.gauges.doubted_since
    age_s = 0.0 if since is None else _age_s(since, seen)
    yield one_gauge("tocsin_doubt_oldest_seconds", "Age of the oldest attempt that leaves a delivery in doubt.", age_s)


def _filled(found: _Counts, zeros: _Counts) -> Iterator[_Sample]:
    """Yield a sample for each count, and 0 for what was not found: a series that is absent alarms nobody."""
    for (state, account), number in {**zeros, **found}.items():
        yield (state.value, account or ""), number


def _queue(seen: Seen) -> Iterator[Metric]:
    known = {one.urgency: one for one in seen.gauges.backlog}
    waiting = {words: known.get(urgency) for urgency, words in URGENCIES.items()}
    yield gauge(
        "tocsin_queue_deliveries",
        "Deliveries in the queue, those for later too, by urgency (urgent: otp and critical).",
        ("urgency",),
        [((words,), 0 if one is None else one.number) for words, one in waiting.items()],
    )
    yield gauge(
        "tocsin_queue_oldest_due_seconds",
        "How long the first of them has been due; 0 where none is.",
        ("urgency",),
        [((words,), 0 if one is None else _age_s(one.due_at, seen)) for words, one in waiting.items()],
    )


def _standing(seen: Seen) -> Iterator[Metric]:
    health = {name: seen.health[name] for name in seen.accounts}
    modes = {name: mode(one, seen.now) for name, one in health.items()}
    yield gauge(
        "tocsin_account_mode",
        "How an account stands: 1 for its mode, 0 for every other. Closed is in use.",
        ("account", "mode"),
        [((name, one.value), one is now) for name, now in modes.items() for one in Mode],
    )
    yield gauge(
        "tocsin_account_breaker_openings",
        "How often in a row an account's breaker has opened without closing.",
        ("account",),
        [((name,), one.openings) for name, one in health.items()],
    )
    yield gauge(
        "tocsin_account_quality_points",
        "Delivery quality, 0 to 100: of the numbers for which the account does worst.",
        ("account",),
        [((name,), seen.weakest.get(name, FULL)) for name in seen.accounts],
    )


def _balances(seen: Seen) -> Iterator[Metric]:
    known = [(one, seen.health[one.id].balance) for one in seen.accounts.values()]
    heard = [(account, balance) for account, balance in known if balance is not None]
    labels = ("account",)
    yield gauge(
        "tocsin_account_balance",
        "The balance that was last heard, in money or messages.",
        ("account", "unit"),
        [((one.id, balance.unit.value.lower()), float(balance.amount)) for one, balance in heard],
    )
    yield gauge(
        "tocsin_account_balance_age_seconds",
        "Age of that balance.",
        labels,
        [((one.id,), _age_s(balance.as_of, seen)) for one, balance in heard],
    )
    yield gauge(
        "tocsin_account_balance_known",
        "1 where the balance is new enough to be believed.",
        labels,
        [((one.id,), balance is not None and is_fresh(one, balance, seen.now)) for one, balance in known],
    )
    yield gauge(
        "tocsin_account_balance_below_floor",
        "1 where the account has less left than its balance_floor, and is not postpaid.",
        labels,
        [((one.id,), is_below_floor(one, balance)) for one, balance in heard],
    )
    left = [(one, days_left(one, balance, *seen.spent[one.id])) for one, balance in heard]
    yield gauge(
        "tocsin_account_balance_left_seconds",
        "How long the balance lasts at the rate of the last day; absent where nothing runs out.",
        labels,
        [((one.id,), float(days) * DAY.total_seconds()) for one, days in left if days is not None],
    )


def _money(seen: Seen, cap: Decimal | None) -> Iterator[Metric]:
    yield gauge(
        "tocsin_account_day_messages",
        "Messages that went out in the last 24 hours.",
        ("account",),
        [((name,), messages) for name, (messages, _) in seen.spent.items()],
    )
    yield gauge(
        "tocsin_account_day_spent",
        "Money that went out in the last 24 hours, by the account's price.",
        ("account",),
        [((name,), float(cost)) for name, (_, cost) in seen.spent.items()],
    )
    caps = [(name, one.limits.spend_per_day) for name, one in seen.accounts.items()]
    yield gauge(
        "tocsin_account_day_spend_limit",
        "Its limits.spend_per_day; absent without.",
        ("account",),
        [((name,), float(own)) for name, own in caps if own is not None],
    )
    yield gauge(
        "tocsin_day_spend_limit",
        "The limits.spend_per_day of all accounts together; absent without.",
        (),
        [] if cap is None else [((), float(cap))],
    )


def _polls(seen: Seen) -> Iterator[Metric]:
    labels = ("account", "kind")
    yield gauge(
        "tocsin_poll_heard_age_seconds",
        "Since when no poll has brought a whole answer; absent where none ever has.",
        labels,
        [((one.account, one.kind), _age_s(one.heard_at, seen)) for one in seen.polls if one.heard_at is not None],
    )
    yield gauge(
        "tocsin_poll_failing",
        "1 where the last poll failed.",
        labels,
        [((one.account, one.kind), bool(one.trouble)) for one in seen.polls],
    )
    yield _counter(
        "tocsin_poll_gaps",
        "Polls whose answer was lost on its way: what it held, the vendor has forgotten.",
        labels,
        [((one.account, one.kind), one.gaps) for one in seen.polls],
    )


def _age_s(moment: datetime, seen: Seen) -> float:
    return max(0.0, (seen.now - moment).total_seconds())


def one_gauge(name: str, help_text: str, value: float) -> Metric:
    """Return a gauge of one sample without labels."""
    return gauge(name, help_text, (), [((), value)])


def gauge(name: str, help_text: str, labels: tuple[str, ...], samples: Iterable[_Sample]) -> Metric:
    """Return a gauge.

    Args:
        name, help_text: as docs/reference/metrics.md has them.
        labels: their names.
        samples: for each, the labels' values and the number.
    """
    return _fill(GaugeMetricFamily(name, help_text, labels=labels), samples)


def _counter(name: str, help_text: str, labels: tuple[str, ...], samples: Iterable[_Sample]) -> Metric:
    return _fill(CounterMetricFamily(name, help_text, labels=labels), samples)


def _fill(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[_Sample]) -> Metric:
    for values, number in samples:
        family.add_metric(values, float(number))
    return family
