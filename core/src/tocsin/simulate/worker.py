"""A worker in virtual time: the production desk, with the world in the place of threads, signals and power switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tocsin.delivery import poll
from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.lines import has_line
from tocsin.delivery.salvage import salvage
from tocsin.delivery.submit import Arrival, Departure, carry
from tocsin.delivery.watch import Watch
from tocsin.errors import AnswerError, CommitUnknown, PluginError, StoreFailed, TransportError
from tocsin.model.ids import AccountId, HolderId
from tocsin.model.outcome import Refused
from tocsin.simulate.actor import Actor, Crash
from tocsin.simulate.dice import dice_of
from tocsin.simulate.scenario import Strike
from tocsin.simulate.seen import Kind

if TYPE_CHECKING:
    from tocsin.simulate.world import World

LINES = 1
UPKEEP_S = 10.0
PAUSE_S = 1.0
_LEASE_S = 60.0
_STANDS_STILL = 0.5
_LOOKS_S = (0.0, 0.5, 2.0)
"""How long after a standstill it looks: a worker does so ten times a second."""


class SimWorker(Actor):
    """One worker, started anew whenever it ends."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, f"worker {number}")
        self.dice = dice_of(f"worker {world.scenario.seed} {number}")
        self.paused_until_s = 0.0
        self._pause_s = 0.0
        self._ready_at_s = 0.0
        self._life = 0
        self.start()

    @property
    def ready_at_s(self) -> float:
        """When it will do something again."""
        return max(self.paused_until_s, self._ready_at_s)

    @property
    def able(self) -> bool:
        """Whether it would do something now."""
        return not (self.down or self.ending) and self.world.timeline.monotonic() >= self.ready_at_s

    @property
    def busy(self) -> bool:
        """Whether it has something in hand."""
        return not (self.down or self.ending) and bool(self.desk.in_hand or self.flying.total())

    def start(self) -> None:
        """Begin a life: under a new name, with nothing in hand."""
        self._life += 1
        self.down, self.ending, self._broken = False, False, False
        self.calm_down()
        self.holder = HolderId(f"{self.name} life {self._life}")
        self.parts = self.world.parts(self.dice)
        self.desk = Dispatcher(self.parts, self.holder)
        self.watch = Watch(self.parts)
        self.arrived: list[Arrival] = []
        self.flying: Counter[AccountId] = Counter()
        self._kept_up_at_s = self.world.timeline.monotonic()
        self.do("start", self._recover)

    def do(self, name: str, deed: Callable[[], object]) -> None:
        """Do something in this life: later if paused, and never if it is over by then."""
        life = self._life

        def now() -> None:
            if self._life != life or self.down:
                return
            wait_s = self.paused_until_s - self.world.timeline.monotonic()
            if wait_s > 0:
                self.world.timeline.after(wait_s, f"{self.name} wakes: {name}", now)
                return
            self._try(deed)

        now()

    def later(self, delay_s: float, name: str, deed: Callable[[], object]) -> None:
        """Do something that much later."""
        life = self._life

        def then() -> None:
            if self._life == life:
                self.do(name, deed)

        self.world.timeline.after(delay_s, f"{self.name}: {name}", then)

    def tick(self) -> None:
        """Take one turn of the worker's loop."""
        if self.ending:
            return
        self._settle()
        self._keep_up()
        free = Counter({account: LINES - self.flying[account] for account in self.parts.fleet.accounts})
        for departure in self.desk.round(partial(has_line, free)):
            self.flying[departure.account.id] += 1
            delay_s = self.dice.choice((0.0, 0.001, 0.05))
            self.later(delay_s, f"carry {departure.attempts[0].submit}", partial(self._carry, departure))

    def poll(self, account: AccountId) -> None:
        """Poll an account once; come again soon where that failed."""
        if self.ending:
            return
        try:
            answer = poll.fetch_reports(self.parts, self.world.account(account), self.holder)
        except (TransportError, AnswerError, PluginError, poll.PollBusy, StoreFailed):
            self.world.poll_again(account)
        else:
            if isinstance(answer, Refused):
                self.world.poll_again(account)

    def meet(self, strike: Strike, measure: float) -> None:
        """Be struck."""
        now_s = self.world.timeline.monotonic()
        match strike:
            case Strike.CRASH:
                self.dies_in = int(measure)
            case Strike.PAUSE:
                self._pause_s = measure
            case Strike.STOP:
                self.world.saw(Kind.STOPPED)
                self.do("stop", self._stop)
            case Strike.STORE_FULL:
                self.full_until_s = now_s + measure
            case Strike.COMMIT_LOST | Strike.COMMIT_KEPT:
                self.fails_next = strike

    def after_commit(self) -> None:
        """Stand still from here on, if that is what is to come: nothing that follows happens in time."""
        if self._pause_s and self.dice.random() < _STANDS_STILL:
            self.world.saw(Kind.PAUSED)
            self.paused_until_s = self.world.timeline.monotonic() + self._pause_s
            if self._pause_s > _LEASE_S and (self.flying.total() or self.desk.in_hand):
                self.world.saw(Kind.LEASE_LOST)
            for pause_s in _LOOKS_S:
                self.later(self._pause_s + pause_s, "look", self.tick)
            self._pause_s = 0.0

    def _try(self, deed: Callable[[], object]) -> None:
        try:
            with self.acting():
                deed()
        except Crash:
            self._die()
        except CommitUnknown:
            self._break()
        except StoreFailed:
            self._fall_short()

    def _break(self) -> None:
        """Save what is known, once nothing is under way any more; where that breaks too, be gone."""
        if self._broken:
            self._over()
            return
        self._broken = self.ending = True
        self._end()

    def _fall_short(self) -> None:
        """Try again in a while; at the end of a life there is no while."""
        if self.ending and not self.flying.total():
            self._over()
        self._ready_at_s = self.world.timeline.monotonic() + PAUSE_S

    def _recover(self) -> None:
        self.parts.store.recover(self.world.timeline.now())

    def _settle(self) -> None:
        if self.arrived:
            self.desk.settle(self.arrived)
            self.world.settled(self.arrived)
            self.arrived = []

    def _keep_up(self) -> None:
        now_s = self.world.timeline.monotonic()
        if now_s - self._kept_up_at_s >= UPKEEP_S:
            self._kept_up_at_s = now_s
            self.watch.keep()
            if self.desk.in_hand or self.flying.total():
                self.parts.store.renew(self.holder, self.world.timeline.now())
            self._recover()

    def _carry(self, departure: Departure) -> None:
        """Let a request out, and let its answer come when the vendor says."""
        result = self.world.carry(departure, partial(carry, self.parts, departure))
        delay_s = self.world.vendor(departure.account.id).delay_s
        arrival = Arrival(departure, result, delay_s)
        self.later(delay_s, f"answer of {departure.attempts[0].submit}", partial(self._arrive, arrival))

    def _arrive(self, arrival: Arrival) -> None:
        self.flying[arrival.departure.account.id] -= 1
        self.arrived.append(arrival)
        if self.ending:
            self._end()
        else:
            self.tick()

    def _stop(self) -> None:
        self.ending = True
        self._end()

    def _end(self) -> None:
        """Once nothing is under way: settle or save what is known, give back what is claimed, and start anew."""
        self.ending = True
        if self.flying.total():
            return
        if self._broken:
            self.later(0.0, "salvage", self._salvage)
            return
        self._settle()
        self.desk.release()
        self._over()

    def _salvage(self) -> None:
        salvage(self.world.parts(self.dice), self.holder, self.arrived)
        self.world.settled(self.arrived)
        self._over()

    def _die(self) -> None:
        if self.flying.total():
            self.world.saw(Kind.CRASH_IN_FLIGHT)
        self._over()

    def _over(self) -> None:
        """Be gone: the name with its lock, whatever was in memory, and every event of this life."""
        self.down = True
        self._life += 1
        self.world.gone(self.holder)
        self.world.timeline.after(self.dice.choice((0.1, 2.0, 30.0)), f"{self.name}: starts anew", self.start)
