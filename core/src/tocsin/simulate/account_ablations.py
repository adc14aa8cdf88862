"""The safeguards of accounts that can be taken out: money, limits, budgets, breaker, opt-outs, weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tocsin.delivery import accept
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.survey import Survey
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.quality import Change, Weight
from tocsin.outbox import accounts, arrivals, breaker, debits, store
from tocsin.outbox.health import Health
from tocsin.outbox.memory_books import MemoryBooks
from tocsin.outbox.meter import Meter
from tocsin.outbox.record import Attempt, NewDelivery
from tocsin.outbox.rows import Rows
from tocsin.outbox.spending import Bounds, Request
from tocsin.outbox.state import AttemptState
from tocsin.outbox.store import Outbox
from tocsin.policy import quality
from tocsin.simulate.ablation import Ablation, Cut

PARTS = ("limits", "breaker", "sticky", "opt-out", "quality", "broadcast", "retry-budget", "duplicate-budget")
"""Parts of routing that have a name and no number."""


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


def _never(*_: Any) -> bool:
    return False


def _always(*_: Any) -> bool:
    return True


def _nobody(*_: Any) -> tuple[()]:
    return ()


def _as_it_is(health: Health, *_: Any) -> Health:
    return health


def _intend_then_debit(self: Outbox, requests: Sequence[Request], now: datetime) -> tuple[tuple[Attempt, ...], ...]:
    leaving = _INTEND(self, requests, now)
    with self._rows.transaction("debit"):
        for request, attempts in zip(requests, leaving, strict=True):
            if attempts:
                _DEBIT(self._rows, request, attempts, now)
    return leaving


_INTEND, _DEBIT = Outbox.intend, debits.debit


def _refund_doubts_too(rows: Rows, settled: Iterable[Attempt]) -> None:
    given_back = (AttemptState.NOT_SENT, AttemptState.REFUSED, AttemptState.UNKNOWN)
    for one in settled:
        if one.state in given_back:
            found = rows.books.get_spending([one.submit])
            rows.books.save_spending(spent.less(one.cost) for spent in found.values())


def _debit_no_money(rows: Rows, request: Request, attempts: tuple[Attempt, ...], now: datetime) -> None:
    _DEBIT(rows, request, tuple(attrs.evolve(one, cost=Decimal(0)) for one in attempts), now)


class _BlindMeter(Meter):
    """Finds room for everything."""

    submits_free_at = money_free_at = recipient_free_at = _nothing
    room = _nothing


def _bounds_of_all(self: Fleet, account: AccountId, cls: MessageClass) -> Bounds:
    return attrs.evolve(_BOUNDS(self, account, cls), spares_opted_out=False)


_BOUNDS = Fleet.bounds


def _all_by_the_first(*arguments: Any) -> tuple[NewDelivery, ...]:
    made = _NEW_DELIVERIES(*arguments)
    return tuple(attrs.evolve(one, only=made[0].only) for one in made)


_NEW_DELIVERIES = accept._new_deliveries


def _move_silently(self: MemoryBooks, changes: Iterable[Change]) -> None:
    for one in changes:
        weight = Weight(account=one.account, prefix=one.prefix, points=one.after, moved_at=one.at)
        self._pages().weights[one.account, one.prefix] = weight


def _ablation(name: str, rules: str, *cuts: Cut) -> Ablation:
    return Ablation(name=name, rules=tuple(rules.split()), cuts=cuts)


ACCOUNT_ABLATIONS: tuple[Ablation, ...] = (
    _ablation("nothing is debited", "I10", Cut(store, "debit", _nothing)),
    _ablation(
        "INTENT first, its debit in another transaction",
        "I10",
        Cut(store, "debit", _nothing),
        Cut(Outbox, "intend", _intend_then_debit),
    ),
    _ablation("money is not debited", "I10", Cut(store, "debit", _debit_no_money)),
    _ablation("what nobody knows about is given back", "I10", Cut(store, "refund", _refund_doubts_too)),
    _ablation("what was refused is not given back", "I10", Cut(store, "refund", _nothing)),
    _ablation("nobody looks at the caps", "I10", Cut(Meter, "money_free_at", _nothing)),
    _ablation("limits and caps are the policy's alone", "limits I10", Cut(debits, "Meter", _BlindMeter)),
    _ablation("nobody counts submits", "limits", Cut(Meter, "submits_free_at", _nothing)),
    _ablation("nobody counts what a number gets", "limits", Cut(Meter, "recipient_free_at", _nothing)),
    _ablation(
        "nobody counts an account's messages",
        "limits",
        Cut(Meter, "account_free_at", _nothing),
        Cut(Meter, "room", _nothing),
    ),
    _ablation("the breaker never opens", "breaker", Cut(breaker, "_trips", _never)),
    _ablation("one success closes the breaker", "breaker", Cut(breaker, "_CLOSING_SUCCESSES", 1)),
    _ablation(
        "an open breaker is passed",
        "breaker sticky",
        Cut(Survey, "_unwell", _nobody),
        Cut(debits, "_is_passable", _always),
    ),
    _ablation("many probes at once", "breaker", Cut(debits, "probe", _as_it_is)),
    _ablation("a whole group goes to see", "breaker", Cut(debits, "PROBE", 1000)),
    _ablation("an account that is refused goes on", "sticky", Cut(breaker, "_stick", _as_it_is)),
    _ablation("a disabled account is used", "sticky", Cut(accounts, "disable", _as_it_is)),
    _ablation("nobody looks at the retry budget", "retry-budget", Cut(Meter, "retry_free_at", _nothing)),
    _ablation("nobody looks at the duplicate budget", "duplicate-budget", Cut(Meter, "may_resend", _always)),
    _ablation(
        "nobody looks at opt-outs",
        "opt-out",
        Cut(Survey, "_opt_out", _nobody),
        Cut(Fleet, "bounds", _bounds_of_all),
    ),
    _ablation("opt-outs are the policy's alone", "opt-out", Cut(Fleet, "bounds", _bounds_of_all)),
    _ablation("nobody hears the word", "opt-out", Cut(arrivals, "word_in", lambda *_: "")),
    _ablation("a broadcast goes through one account", "broadcast", Cut(accept, "_new_deliveries", _all_by_the_first)),
    _ablation("weights move when all are slow", "quality", Cut(quality, "_all_sick", _nobody)),
    _ablation("weights move without a rest", "quality", Cut(quality, "HOLD_DOWN", timedelta(0))),
    _ablation("weights come back at once", "quality", Cut(quality, "QUIET", timedelta(0))),
    _ablation("weights move without a word", "quality", Cut(MemoryBooks, "save_changes", _move_silently)),
)
