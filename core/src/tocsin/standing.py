"""One account as it stands, for people and as JSON: health, balance, spending, quality, polls. Read from the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tocsin.delivery.parts import Parts
from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.quality import FULL, Weight
from tocsin.outbox.breaker import FOREVER, Mode, mode, shut_until
from tocsin.outbox.health import Health
from tocsin.outbox.record import EVIDENCE_WINDOW, Listening
from tocsin.outbox.spending import DAY
from tocsin.outbox.state import State
from tocsin.policy.balance import days_left, is_fresh
from tocsin.shown import iso
from tocsin.story import plain

KINDS = ("reports", "inbound", "balance")
OPEN = (State.QUEUED, State.CLAIMED, State.SENDING, State.SUBMITTED, State.IN_DOUBT, State.PARKED)

_MANY_DAYS = 10

_MODES = {
    Mode.CLOSED: "in use",
    Mode.OPEN: "breaker open",
    Mode.HALF_OPEN: "breaker half open: the next request shows",
    Mode.PROBING: "breaker half open: a request is under way",
    Mode.DRAINED: "balance used up",
    Mode.FORCED_OPEN: "refused as an account",
    Mode.DISABLED: "taken out of use",
}


@attrs.frozen(kw_only=True)
class Standing:
    """One account as it stands.

    Args:
        now: when it was looked at.
        polls: how those of each kind have gone.
        open: how many deliveries are in each state there.
        messages, cost: what went out in the last 24 hours.
        weights: of the carrier prefixes for which it has less than full points.
        proved_at: when it last delivered, of what it took within the evidence window.
    """

    account: Account
    now: datetime
    health: Health
    polls: Mapping[str, Listening]
    open: Counter[State]
    messages: int
    cost: Decimal
    weights: tuple[Weight, ...]
    proved_at: datetime | None

    @property
    def mode(self) -> Mode:
        """How it stands."""
        return mode(self.health, self.now)

    @property
    def until(self) -> datetime | None:
        """How long; None where nothing is in its way, or only its operator can tell."""
        until = shut_until(self.health, self.now)
        return None if until is FOREVER else until

    @property
    def days_left(self) -> Decimal | None:
        """How many days its balance lasts at the rate of the last one; None where nobody can say."""
        balance = self.health.balance
        if balance is None or not is_fresh(self.account, balance, self.now):
            return None
        return days_left(self.account, balance, self.messages, self.cost)

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "account": self.account.id,
            "vendor": self.account.vendor,
            "mode": self.mode.value,
            "until": iso(self.until),
            "since": iso(self.health.changed_at),
            "balance": self._balance_json(),
            "last_24h": {"messages": self.messages, "spent": plain(self.cost)},
            "quality": [
                {"prefix": one.prefix, "points": one.points, "moved_at": iso(one.moved_at)} for one in self.weights
            ],
            "proved_at": iso(self.proved_at),
            "polls": {kind: _poll_json(self.polls.get(kind)) for kind in KINDS},
            "open": {state.value: self.open[state] for state in OPEN},
        }

    def as_row(self) -> tuple[str, ...]:
        """Return how its polls went, as a line of a table."""
        counts = [f"{self.open[state]} {state.replace('_', ' ')}" for state in OPEN if self.open[state]]
        polls = (_poll_words(self.polls.get(kind)) for kind in KINDS)
        return (self.account.id, self.account.vendor, *polls, ", ".join(counts))

    def health_row(self) -> tuple[str, ...]:
        """Return how it fares, as a line of a table."""
        until = "" if self.until is None else f" until {_clock(self.until)}"
        spent = "" if self.account.price is None else f", {plain(self.cost)}"
        proved = "not in 3 days" if self.proved_at is None else _clock(self.proved_at)
        return (
            self.account.id,
            _MODES[self.mode] + until,
            self._balance_words(),
            f"{self.messages}{spent}",
            proved,
            ", ".join(f"{one.prefix} {one.points}" for one in self.weights),
        )

    def _balance_json(self) -> dict[str, Any]:
        """Return what is left; the same keys where nobody knows."""
        balance, floor, left = self.health.balance, self.account.balance_floor, self.days_left
        return {
            "amount": None if balance is None else str(balance.amount),
            "unit": None if balance is None else balance.unit.value,
            "postpaid": None if balance is None else balance.postpaid,
            "at": None if balance is None else iso(balance.as_of),
            "fresh": balance is not None and is_fresh(self.account, balance, self.now),
            "floor": None if floor is None else str(floor),
            "days_left": None if left is None else str(_rounded(left)),
        }

    def _balance_words(self) -> str:
        balance = self.health.balance
        if balance is None:
            return "unknown"
        last = f"{balance.amount} {balance.unit.value}"
        if not is_fresh(self.account, balance, self.now):
            return f"unknown since {_clock(balance.as_of)} (then {last})"
        return ", ".join(filter(None, (last, f"{_age(self.now - balance.as_of)} ago", self._outlook(balance))))

    def _outlook(self, balance: Balance) -> str:
        """Say down to where the balance may go, and when it will be there."""
        if balance.postpaid:
            return "postpaid"
        floor = "" if self.account.balance_floor is None else f"floor {self.account.balance_floor}"
        days = "" if self.days_left is None else f"{_rounded(self.days_left)} days left"
        return ", ".join(filter(None, (floor, days)))


def read_standings(parts: Parts) -> list[Standing]:
    """Read how each configured account stands."""
    now, book = parts.clock.now(), parts.store.accounts
    polls = {(one.account, one.kind): one for one in parts.store.listenings()}
    counts = parts.store.counts(*OPEN)
    health, weights, proved = book.health(), book.weights(), book.proved(now - EVIDENCE_WINDOW)
    standings = []
    for account in parts.fleet.accounts.values():
        messages, cost = book.spent(account.id, now - DAY)
        standings.append(
            Standing(
                account=account,
                now=now,
                health=health.get(account.id, Health(account=account.id)),
                polls={kind: polls[account.id, kind] for kind in KINDS if (account.id, kind) in polls},
                open=Counter({state: count for (state, name), count in counts.items() if name == account.id}),
                messages=messages,
                cost=cost,
                weights=tuple(
                    one for (name, _), one in sorted(weights.items()) if name == account.id and one.points < FULL
                ),
                proved_at=proved.get(account.id),
            )
        )
    return standings


def _poll_json(heard: Listening | None) -> dict[str, Any]:
    """Return how the polls of one kind went; the same keys where there was none."""
    return {
        "asked_at": None if heard is None else iso(heard.asked_at),
        "heard_at": None if heard is None else iso(heard.heard_at),
        "trouble": None if heard is None else heard.trouble or None,
        "gaps": 0 if heard is None else heard.gaps,
    }


def _poll_words(heard: Listening | None) -> str:
    if heard is None:
        return "never asked"
    when = "never heard" if heard.heard_at is None else f"heard {_clock(heard.heard_at)}"
    trouble = f"; {heard.trouble}" if heard.trouble else ""
    gaps = f"; {heard.gaps} lost on the way" if heard.gaps else ""
    return when + trouble + gaps


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%m-%d %H:%M:%S}"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _rounded(days: Decimal) -> Decimal:
    return days.quantize(Decimal(1) if days >= _MANY_DAYS else Decimal("0.1"))
