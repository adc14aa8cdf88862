"""A worker's desk: takes what is due out of the store, lets it leave as lines become free, and settles what comes back.

It knows the store and the policy, and neither threads nor waiting: the worker gives it those, the simulator others.
One thread works at a desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tocsin.delivery.ask import ask, write_down
from tocsin.delivery.coalesce import Group, Platform
from tocsin.delivery.pace import Pace
from tocsin.delivery.parts import Parts
from tocsin.delivery.plan import fitting, plan
from tocsin.delivery.reconcile import AT_ONCE, reconcile
from tocsin.delivery.submit import Arrival, Departure, arrive, depart
from tocsin.delivery.survey import Survey
from tocsin.model.account import Account
from tocsin.model.ids import DeliveryId, HolderId
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State

MOST_IN_HAND = 5000
"""Deliveries that are claimed and have not left: enough to fill requests, few enough to start over after a crash."""


class Dispatcher:
    """One holder's desk.

    Args:
        parts: what delivery works with.
        holder: who claims.
    """

    def __init__(self, parts: Parts, holder: HolderId) -> None:
        self._parts = parts
        self._holder = holder
        self._platform = Platform(parts.fleet.personalised)
        self._unplanned: set[DeliveryId] = set()
        self._all_are_here = True
        self._shut: dict[str, datetime] = {}
        self._room_at: datetime | None = None

    @property
    def in_hand(self) -> int:
        """How many deliveries are claimed and have not left."""
        return len(self._platform) + len(self._unplanned)

    @property
    def full(self) -> bool:
        """Whether nothing more is claimed until something leaves."""
        return self.in_hand >= MOST_IN_HAND

    def next_due(self) -> datetime | None:
        """Return when there is something to do; None for never.

        A delivery is due, unless nothing more is claimed; a route that had nobody may have somebody; an account that
        had let out as much as it may has room again.
        """
        due_at = None if self.full else self._parts.store.next_due(tuple(self._shut))
        moments = (*self._shut.values(), due_at, self._room_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def round(self, has_line: Callable[[Account], bool]) -> tuple[Departure, ...]:
        """Ask about all that is due, and let go what has a line to its vendor.

        Args:
            has_line: takes a free line to the account's vendor; False where none is left.

        Returns:
            What may leave now; each is to be carried, and to come back by `settle`.
        """
        while reconcile(self._parts) == AT_ONCE:
            pass
        self._ask_again()
        self._claim()
        pace = Pace(self._parts.fleet, self._parts.store.meter(self._parts.clock.now()))
        departures = self._depart(self._leaving(pace.keep(has_line)))
        self._room_at = pace.free_at()
        return departures

    def settle(self, arrivals: Sequence[Arrival]) -> None:
        """Commit what became of departures, and keep what no vendor took for the next round."""
        arrive(self._parts, arrivals)
        self._unplanned |= {one.delivery for arrival in arrivals for one in arrival.departure.attempts}

    def release(self) -> None:
        """Give back what is claimed."""
        self._parts.store.release(self._holder, self._parts.clock.now())
        self._platform = Platform(self._parts.fleet.personalised)
        self._unplanned.clear()

    def _claim(self) -> None:
        """Claim and ask, as many as may be at once: lines must not stand idle while a backlog is being claimed."""
        most = max(0, min(AT_ONCE, MOST_IN_HAND - self.in_hand))
        now = self._parts.clock.now()
        self._shut = Survey(self._parts.fleet, self._parts.store, now).shut_routes()
        claimed = self._parts.store.claim_due(self._holder, most, now, tuple(self._shut)) if most else ()
        self._consider(claimed)
        self._all_are_here = len(claimed) < most

    def _ask_again(self) -> None:
        """Ask about what is still claimed and has no plan: no vendor took it, or its time went by while it waited."""
        if not self._unplanned:
            return
        found = self._parts.store.get(tuple(sorted(self._unplanned)))
        mine = [one for one in found if one.state is State.CLAIMED and one.holder == self._holder]
        mine = [one for one in mine if one.id not in self._platform]  # of a claim lost and taken again: a newer plan
        self._unplanned = set()
        self._consider(mine)

    def _consider(self, claimed: Sequence[Delivery]) -> None:
        """Ask, and plan. Whatever fails on the way, what is claimed stays on the list of what is to be asked about."""
        names = {one.id for one in claimed}
        self._unplanned |= names
        asked = ask(self._parts, claimed, may_wait=True)
        write_down(self._parts, asked)
        for one in plan(self._parts.fleet, asked):
            self._platform.add(one)
        self._unplanned -= names

    def _leaving(self, has_line: Callable[[Account], bool]) -> list[Group]:
        """Take what may leave from the platform. Of a group that its account cannot carry at once, the rest waits."""
        leaving: list[Group] = []
        for group in self._platform.leave(has_line, all_are_here=self._all_are_here):
            first, *rest = fitting(self._parts.fleet, group)
            with_line = [one for one in rest if has_line(one.account)]
            leaving += [first, *with_line]
            self._platform.put_back(one for one in rest if one not in with_line)
        return leaving

    def _depart(self, groups: Sequence[Group]) -> tuple[Departure, ...]:
        """Let groups leave; whoever is left behind, also by a store that fails, is asked about again."""
        self._unplanned |= {one.delivery.id for group in groups for one in group.planned.values()}
        departures = depart(self._parts, groups)
        self._unplanned -= {attempt.delivery for one in departures for attempt in one.attempts}
        return departures
