"""The worker of a rehearsal: the production desk and pollers, with a timeline in the place of threads and waiting.

Its turns are those of `tocsin.delivery.worker.Worker`: settle, keep up, let leave what can, wait for the next thing to
happen. What that loop does, this one does; what it decides is decided by the same code.
"""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.lines import GATHER_S, LINES, has_line
from tocsin.delivery.poller import Poller
from tocsin.delivery.submit import Arrival, Departure
from tocsin.delivery.watch import EVERY_S, Watch
from tocsin.delivery.worker import LOOK_S, UPKEEP_S
from tocsin.model.account import Account
from tocsin.model.ids import AccountId, HolderId
from tocsin.rehearse.stage import Stage

TURN_S = 0.01
"""How long a turn takes at least: the desk's own work costs no more time here."""

REST_S = 30.0
"""How long a poll may be left out that would bring nothing, and that nobody waits for."""

QUIET_S = 600.0
"""Nothing is due for so long, and no report is on its way: until shortly before, no vendor is polled."""

_SOON_S = 60.0
_HOLDER = HolderId("rehearsal")


class StageWorker:
    """One worker, and its pollers.

    Args:
        stage: what it works with.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._parts = stage.parts
        self._desk = Dispatcher(stage.parts, _HOLDER)
        self._watch = Watch(stage.parts)
        self._arrived: list[Arrival] = []
        self._flying: Counter[AccountId] = Counter()
        self._kept_up_s = 0.0
        self._planned: tuple[float, int] | None = None
        self._turns = 0
        self._pollers = [StagePoller(self, stage, account) for account in self._parts.fleet.accounts.values()]

    @property
    def busy(self) -> bool:
        """Whether it has something in hand, or under way."""
        return bool(self._flying.total() or self._arrived or self._desk.in_hand)

    def next_due_s(self) -> float | None:
        """Return when there is something to do; None for never."""
        due_at = self._desk.next_due()
        return None if due_at is None else self._stage.seconds_of(due_at)

    def wake(self, delay_s: float = 0.0) -> None:
        """Take a turn by then, and poll again where nobody was polled."""
        self._plan(delay_s)
        for poller in self._pollers:
            poller.wake()

    def hear(self) -> None:
        """Take a turn when there is something to do, after what a poll brought: that is at once, or as before."""
        due_s = self.next_due_s()
        if due_s is not None:
            self._plan(max(0.0, due_s - self._stage.timeline.monotonic()))

    def _plan(self, delay_s: float) -> None:
        """Plan the next turn, unless an earlier one is planned."""
        at_s = self._stage.timeline.monotonic() + delay_s
        if self._planned is not None and self._planned[0] <= at_s:
            return
        self._turns += 1
        self._planned = (at_s, self._turns)
        self._stage.timeline.after(delay_s, "turn", partial(self._turn, self._turns))

    def _turn(self, number: int) -> None:
        if self._planned is None or self._planned[1] != number:
            return  # an earlier one came before it
        self._planned = None
        self._settle()
        self._keep_up()
        departures = self._desk.round(partial(has_line, self._free()))
        for departure in departures:
            self._begin(departure)
        self._plan(self._wait_s(at_once=bool(departures)))

    def _free(self) -> Counter[AccountId]:
        return Counter({account: LINES - self._flying[account] for account in self._parts.fleet.accounts})

    def _wait_s(self, *, at_once: bool) -> float:
        """Return how long to wait for the next turn, if nothing comes back before."""
        most_s = UPKEEP_S if self.busy else EVERY_S
        due_s = self.next_due_s()
        if due_s is None:
            return most_s
        wait_s = due_s - self._stage.timeline.monotonic()
        return max(TURN_S if at_once or wait_s > 0 else LOOK_S, min(wait_s, most_s))

    def _settle(self) -> None:
        if self._arrived:
            self._desk.settle(self._arrived)
            self._arrived = []

    def _keep_up(self) -> None:
        now_s = self._stage.timeline.monotonic()
        if now_s - self._kept_up_s < UPKEEP_S:
            return
        self._kept_up_s = now_s
        self._watch.keep()
        now = self._parts.clock.now()
        if self.busy:
            self._parts.store.renew(_HOLDER, now)
        self._parts.store.recover(now)

    def _begin(self, departure: Departure) -> None:
        """Carry a departure; its answer comes when its vendor says."""
        account = departure.account.id
        self._flying[account] += 1
        arrival = self._stage.carry(departure)
        self._stage.timeline.after(self._stage.vendors[account].delay_s, "answer", partial(self._arrive, arrival))

    def _arrive(self, arrival: Arrival) -> None:
        self._flying[arrival.departure.account.id] -= 1
        self._arrived.append(arrival)
        self._plan(GATHER_S)


class StagePoller:
    """The production poller of one account; a timeline says when it is its turn.

    A poll that would bring nothing is left out, as long as nobody waits for what it would say: most of them are such.

    Args:
        worker: is woken by what a poll brought.
        stage: what it works with.
        account: whose.
    """

    def __init__(self, worker: StageWorker, stage: Stage, account: Account) -> None:
        self._worker = worker
        self._timeline = stage.timeline
        self._vendors = tuple(stage.vendors.values())
        self._vendor = stage.vendors[account.id]
        self._pace_s = account.poll.reports_s or account.poll.balance_s
        self._polled_s = -REST_S
        self._never = threading.Event()
        self._poller = Poller(stage.parts, account, _HOLDER, worker.hear)
        self._asleep = _is_polled(stage, account)

    def wake(self) -> None:
        """Poll again."""
        if self._asleep:
            self._asleep = False
            self._timeline.after(max(0.0, self._poller.wait_s()), "poll", self._poll)

    def _poll(self) -> None:
        now_s, due_s = self._timeline.monotonic(), self._worker.next_due_s()
        pause_s = self._pace_s
        if self._matters(now_s, due_s):
            self._polled_s = now_s
            self._poller.poll_due(self._never)
            pause_s = self._poller.wait_s()
        nap_s = self._nap_s(now_s, due_s)
        self._asleep = nap_s is None
        if nap_s is not None:
            self._timeline.after(max(nap_s, pause_s, TURN_S), "poll", self._poll)

    def _matters(self, now_s: float, due_s: float | None) -> bool:
        """Say whether a poll now would bring something, fail, or be missed."""
        is_awaited = due_s is not None and due_s <= now_s + 2 * self._pace_s
        return is_awaited or now_s >= self._polled_s + REST_S or self._vendor.has_news(now_s)

    def _nap_s(self, now_s: float, due_s: float | None) -> float | None:
        """Return how long nothing can be heard that anybody waits for: 0 for not at all, None until something comes."""
        if self._worker.busy or any(vendor.owes for vendor in self._vendors):
            return 0.0
        if due_s is None:
            return None
        return due_s - now_s - _SOON_S if due_s > now_s + QUIET_S else 0.0


def _is_polled(stage: Stage, account: Account) -> bool:
    """Say whether an account is polled at all."""
    plugin = stage.parts.fleet.registry.vendors.get(account.vendor)
    pace = account.poll
    return plugin is not None and (
        (pace.reports_s > 0 and plugin.implements("fetch_reports"))
        or (pace.balance_s > 0 and plugin.implements("query_balance"))
    )
