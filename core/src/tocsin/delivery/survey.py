"""How all accounts stand at one moment: read once, for all deliveries that are asked about together.

It builds the policy's candidates: what each account of a route would send, what stands in its way for good, and what
closes it just now. Reads the store and the fleet; asks no vendor, decides nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property

import attrs

from tocsin.delivery.fleet import Fleet, Offer
from tocsin.model.account import Account
from tocsin.model.ids import AccountId, DeliveryId
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164, Msisdn
from tocsin.model.quality import FULL, Weight, prefix_of
from tocsin.outbox.breaker import FOREVER, Mode, mode, shut_until
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Attempt, Delivery
from tocsin.outbox.spending import Bounds, Sent
from tocsin.policy.balance import is_below_floor, is_fresh
from tocsin.policy.judge import Bar, Candidate, Closure
from tocsin.policy.order import Lot, order
from tocsin.policy.route import Route, Strategy
from tocsin.policy.standing import retries

SHORT = timedelta(seconds=5)
"""A limit on submits that frees a place within this time closes nothing: the desk waits for it."""

_LOOK_AGAIN = timedelta(seconds=30)
_ASK_AGAIN = timedelta(seconds=10)
_PROBE = timedelta(seconds=2)
"""How soon to ask again while an account is being probed."""

_BARS = {Mode.DISABLED: Bar.DISABLED, Mode.DRAINED: Bar.STICKY, Mode.FORCED_OPEN: Bar.STICKY}
_LIFTED = frozenset((Bar.BREAKER, Bar.STICKY, Bar.DISABLED, Bar.BALANCE))
_WORDS = {
    Mode.DISABLED: "an operator has taken it out of use",
    Mode.DRAINED: "its balance is used up",
    Mode.FORCED_OPEN: "it is refused as an account",
    Mode.OPEN: "its breaker is open",
    Mode.PROBING: "its breaker is open, and one request is under way to see",
}


class Survey:
    """The fleet at one moment.

    Args:
        fleet: the accounts.
        store: what is known of them.
        now: the moment.
        to: the numbers that will be asked about.
    """

    def __init__(self, fleet: Fleet, store: Store, now: datetime, to: Iterable[E164] = ()) -> None:
        self._fleet = fleet
        self._store = store
        self._now = now
        self._meter = store.meter(now)
        self._health = store.accounts.health()
        numbers = tuple(dict.fromkeys(to))
        self._opted_out = store.accounts.opted_out(numbers)
        self._sent: dict[Msisdn, list[Sent]] = defaultdict(list)
        for one in self._meter.sent_to(numbers, self._windows()) if numbers else ():
            self._sent[one.to].append(one)
        self._closures: dict[AccountId, tuple[Closure, ...]] = {}
        self._may_resend: dict[MessageClass, bool] = {}

    def candidates(
        self, delivery: Delivery, message: Message, attempts: tuple[Attempt, ...] = (), *, may_wait: bool = True
    ) -> tuple[Candidate, ...]:
        """Return the accounts that a delivery may leave through, in the order of its route; none where that is gone.

        Args:
            delivery: as it stands.
            message: of it.
            attempts: all of them, in order.
            may_wait: whether somebody will ask again later.
        """
        route = self._fleet.route(delivery.route)
        if route is None:
            return ()
        names = route.accounts if delivery.only is None else (delivery.only,)
        found = [self._candidate(name, route, delivery.to, message, attempts) for name in names]
        if may_wait:
            found = [attrs.evolve(one, closures=self._soon(self._long(one.closures))) for one in found]
        return order(route, found, Lot(turn=delivery.turn, draw=draw_of(delivery.id)))

    def may_resend(self, cls: MessageClass) -> bool:
        """Say whether the duplicate budget of a class leaves one more copy out of doubt."""
        if cls not in self._may_resend:
            free = any(self._fleet.bounds(name, cls).resends_freely for name in self._fleet.accounts)
            self._may_resend[cls] = free or self._meter.may_resend(cls, self._fleet.budgets)
        return self._may_resend[cls]

    def _windows(self) -> Iterator[Bounds]:
        """Yield the bounds of each account: those of critical messages, and those of all others."""
        for name in self._fleet.accounts:
            yield from (self._fleet.bounds(name, cls) for cls in (MessageClass.CRITICAL, MessageClass.ALERT))

    def shut_routes(self) -> dict[str, datetime]:
        """Return the routes of which every account is closed to everybody, each with when to look again."""
        shut: dict[str, datetime] = {}
        for route in self._fleet.routes:
            each = [self._long(self._general(name)) for name in route.accounts]
            if all(each) and route.strategy is not Strategy.BROADCAST:
                shut[route.name] = min(max(one.until for one in closures) for closures in each)
        return shut

    def _candidate(
        self, name: AccountId, route: Route, to: E164, message: Message, attempts: tuple[Attempt, ...]
    ) -> Candidate:
        offer = self._fleet.offer(name, message, to)
        health = self._health.get(name)
        return Candidate(
            account=name,
            obstacles=(*self._opt_out(to, message.cls), *offer.obstacles),
            closures=(*self._general(name), *self._particular(name, to, message.cls, offer, attempts)),
            segments=offer.segments,
            cost=offer.cost,
            quality=self._quality(name, route, to),
            ejected_at=None if health is None else health.ejected_at,
        )

    def _opt_out(self, to: E164, cls: MessageClass) -> tuple[str, ...]:
        left_out = to in self._opted_out and cls not in self._fleet.opt_out.exempt
        return ("the recipient wants no more messages",) if left_out else ()

    def _quality(self, name: AccountId, route: Route, to: E164) -> int:
        if route.strategy not in (Strategy.BEST, Strategy.WEIGHTED):
            return FULL
        weight = self._weights.get((name, prefix_of(to)))
        return FULL if weight is None else weight.points

    @cached_property
    def _weights(self) -> Mapping[tuple[AccountId, str], Weight]:
        return self._store.accounts.weights()

    def _general(self, name: AccountId) -> tuple[Closure, ...]:
        """Return what closes an account to everybody."""
        if name not in self._closures:
            account = self._fleet.accounts.get(name)
            self._closures[name] = () if account is None else tuple(self._find_general(account))
        return self._closures[name]

    def _find_general(self, account: Account) -> Iterator[Closure]:
        yield from self._unwell(account)
        if account.hours is not None and not account.hours.include(self._now):
            yield _closure(Bar.HOURS, account.hours.next_start(self._now), "it is outside its hours")
        bounds = self._fleet.bounds(account.id, MessageClass.ALERT)
        for bar, free_at, words in (
            (Bar.SUBMITS, self._meter.submits_free_at(account.id, bounds.submits), "its submits are used up"),
            (Bar.LIMIT, self._meter.account_free_at(account.id, bounds), "its messages are used up"),
        ):
            if free_at is not None:
                yield _closure(bar, free_at, f"{words} until {_clock(free_at)}")

    def _unwell(self, account: Account) -> Iterator[Closure]:
        health = self._health.get(account.id)
        if health is None:
            return
        standing, until = mode(health, self._now), shut_until(health, self._now)
        if until is not None:
            until = {Mode.DISABLED: self._now + _LOOK_AGAIN, Mode.PROBING: self._now + _PROBE}.get(standing, until)
            yield _closure(_BARS.get(standing, Bar.BREAKER), until, f"{_WORDS[standing]}{_until(standing, until)}")
        balance = health.balance
        if balance is not None and is_fresh(account, balance, self._now) and is_below_floor(account, balance):
            words = f"its balance of {balance.amount} is below its floor of {account.balance_floor}"
            yield _closure(Bar.BALANCE, self._now + _LOOK_AGAIN, words)

    def _soon(self, closures: tuple[Closure, ...]) -> tuple[Closure, ...]:
        """Ask again before long about what somebody may lift at any time, by a balance or by `accounts resume`."""
        soon = self._now + _ASK_AGAIN
        return tuple(attrs.evolve(one, until=min(one.until, soon)) if one.bar in _LIFTED else one for one in closures)

    def _long(self, closures: tuple[Closure, ...]) -> tuple[Closure, ...]:
        """Leave out what is over so soon that the desk waits for it."""
        return tuple(one for one in closures if one.bar is not Bar.SUBMITS or one.until - self._now > SHORT)

    def _particular(
        self, name: AccountId, to: E164, cls: MessageClass, offer: Offer, attempts: tuple[Attempt, ...]
    ) -> Iterator[Closure]:
        """Return what closes an account to this delivery."""
        bounds = self._fleet.bounds(name, cls)
        free_at = self._meter.recipient_free_at(name, to, cls, bounds, self._sent.get(to, ()))
        if free_at is not None:
            words = f"the number has had as many messages as it may until {_clock(free_at)}"
            yield _closure(Bar.LIMIT, free_at, words)
        if offer.cost is not None and (free_at := self._meter.money_free_at(name, offer.cost, bounds)) is not None:
            yield _closure(Bar.MONEY, free_at, "the day's money is spent")
        if retries(attempts, name) and (free_at := self._meter.retry_free_at(name, bounds.budgets)) is not None:
            yield _closure(Bar.RETRIES, free_at, "its retry budget is spent")


def draw_of(delivery: DeliveryId) -> float:
    """Return a number from 0 to 1, below 1, that is the delivery's own: the same each time that it is asked about."""
    digest = hashlib.blake2b(delivery.encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _closure(bar: Bar, until: datetime, why: str) -> Closure:
    return Closure(bar=bar, until=until, why=why)


def _until(standing: Mode, until: datetime) -> str:
    return "" if standing in (Mode.DISABLED, Mode.PROBING) or until is FOREVER else f" until {_clock(until)}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"
