"""Whose turn it is: stands for the loops of all workers, which look at the store ten times a second.

An event for each look would be nothing but looks. So the next one is planned for when there is something to see: a
delivery that is due, a lease that ends, a lock that is free, a lease that wants to be renewed.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tocsin.delivery.survey import Survey
from tocsin.model.ids import AccountId
from tocsin.outbox.state import State
from tocsin.simulate.timeline import START

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_LOOK_S = 0.1
_UPKEEP_S = 10.0
_BUSY_S = 3.0
"""How often somebody looks at the least, while something is in hand."""

_POLLED = 0.2
"""How often a look goes with a poll: real ones come every few seconds, most of them to hear nothing."""

_TOGETHER = 0.3
"""How often a look is everybody's, not only of who has something in hand."""


class Waking:
    """Plans the looks of all workers."""

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._dice = dice
        self._planned_s: list[float] = []

    def plan(self) -> None:
        """Plan a look, unless one is planned that is early enough."""
        world = self._world
        moment_s = self._next_s()
        if moment_s is None or all(one.down or one.ending for one in world.workers):
            return
        now_s = world.timeline.monotonic()
        moment_s = max(moment_s, now_s, min(one.ready_at_s for one in world.workers if not (one.down or one.ending)))
        if any(planned_s <= moment_s + _LOOK_S for planned_s in self._planned_s):
            return
        planned_s = moment_s + self._dice.random() * _LOOK_S
        self._planned_s.append(planned_s)
        world.timeline.after(planned_s - now_s, "look", partial(self._look, planned_s))

    def poll(self, account: AccountId) -> None:
        """Let some worker poll; later, if none can."""
        able = [one for one in self._world.workers if one.able]
        if not able:
            self._world.poll_again(account)
            return
        worker = self._dice.choice(able)
        worker.do("poll", lambda: worker.poll(account))

    def watch(self) -> None:
        """Let every account be polled, and some worker look after the weights then."""
        for account in self._world.vendors:
            self.poll(account)
        able = [one for one in self._world.workers if one.able]
        if able:
            worker = self._dice.choice(able)
            worker.do("watch", worker.watch.keep)

    def _look(self, planned_s: float) -> None:
        self._planned_s.remove(planned_s)
        able = [one for one in self._world.workers if one.able]
        if able:
            first = self._dice.choice(able)
            everybody = self._dice.random() < _TOGETHER
            for worker in (first, *(one for one in able if one is not first and (everybody or one.busy))):
                worker.do("look", worker.tick)
            if self._dice.random() < _POLLED:
                self.poll(self._dice.choice(tuple(self._world.vendors)))

    def _due(self) -> list[datetime]:
        """Return when something is due; where all that is queued has nobody to go through, when somebody opens."""
        world = self._world
        if world.rows.next_due((State.QUEUED,)) is None:
            due_at = world.store.next_due()
            return [] if due_at is None else [due_at]
        shut = Survey(world.fleet, world.store, world.timeline.now()).shut_routes()
        due_at = world.store.next_due(tuple(shut))
        return [*shut.values(), *(() if due_at is None else (due_at,))]

    def _next_s(self) -> float | None:
        rows, now_s = self._world.rows, self._world.timeline.monotonic()
        moments = [(moment - START).total_seconds() for moment in self._due()]
        for holder, until in rows.holders().items():
            free = self._world.scenario.locks and holder in self._world.dead
            ends_s = (until - START).total_seconds() + _LOOK_S
            moments.append(now_s + _UPKEEP_S if free or ends_s <= now_s else ends_s)
        if any(one.busy for one in self._world.workers):
            moments.append(now_s + _BUSY_S)
        return min(moments, default=None)
