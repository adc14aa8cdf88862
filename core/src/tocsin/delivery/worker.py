"""The worker: one loop over a desk, a few lines to each vendor, a poller for each account. Threads, no decisions.

The loop alone claims, writes INTENT and settles. Lines carry requests, pollers bring evidence. What is in hand when the
store fails is kept and tried again; after a commit that failed nobody knows what stands, so the worker saves what it
knows through a fresh connection, and ends to be started anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import attrs

from tocsin import observe
from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.lines import Lines, has_line
from tocsin.delivery.parts import Parts
from tocsin.delivery.poller import Poller
from tocsin.delivery.salvage import salvage
from tocsin.delivery.submit import Arrival
from tocsin.delivery.watch import Watch
from tocsin.errors import CommitUnknown, StoreError, StoreFailed, TocsinError
from tocsin.model.account import Account
from tocsin.model.ids import HolderId
from tocsin.outbox.alert import REMEMBERED
from tocsin.outbox.ports import Store

LOOK_S = 0.1
"""How often the store is looked at for what other processes put there."""

TAKE_UP_S = 2.0
"""How often the worker takes up what waits on the spool."""

UPKEEP_S = 10.0
"""How often the worker renews its lease, and looks for holders that died."""

FORGET_S = 3600.0
"""How often the worker forgets what is old."""

PAUSE_S = 1.0
"""How long the worker waits before it tries a failed store again."""


class Worker:
    """One worker on one store.

    Args:
        parts: what delivery works with.
        holder: the name that it claims under.
        reopen: opens the store anew, for what is known when a commit's outcome is not.
        take_up: takes into the store what waits on the spool.
    """

    def __init__(
        self,
        parts: Parts,
        holder: HolderId,
        reopen: Callable[[], Store],
        take_up: Callable[[], object] = lambda: None,
    ) -> None:
        self._stopping = threading.Event()
        self._parts = attrs.evolve(parts, hold_on=self._hold_on)
        self._holder = holder
        self._reopen = reopen
        self._take_up = take_up
        self._taken_up_at: float | None = None
        self._desk = Dispatcher(self._parts, holder)
        self._watch = Watch(self._parts)
        self._lines = Lines(self._parts)
        self._arrived: list[Arrival] = []
        self._broken: list[BaseException] = []
        self._kept_up_at = parts.clock.monotonic()
        self._forgot_at: float | None = None

    def stop(self) -> None:
        """Begin to end: claim nothing more, settle what is under way. Safe in a signal handler and from any thread."""
        self._stopping.set()
        self._lines.wake()

    def run(self, *, drain: bool = False) -> None:
        """Work until told to stop.

        Args:
            drain: end by itself once nothing is due and nothing is under way; poll nobody.

        Raises:
            CommitUnknown: what was known is saved; start anew. So it is with whatever else breaks the loop.
        """
        pollers = [] if drain else self._start_pollers()
        observe.log.info(observe.WORKER_STARTED)
        try:
            self._loop(drain=drain)
            self._raise_unknown()
            self._end()
        except Exception as error:
            reason = "commit-unknown" if isinstance(error, CommitUnknown) else "worker-broken"
            observe.log.error(observe.ALARM, reason=reason, cause=_in_words(error))
            self._save()
            raise
        finally:
            self.stop()
            self._lines.close()
            for thread in pollers:
                thread.join()
            observe.log.info(observe.WORKER_STOPPED)
        if self._broken:
            raise self._broken[0]

    def _loop(self, *, drain: bool) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
                if drain and self._idle():
                    return
            except StoreFailed as error:
                observe.log.error(observe.ALARM, reason="store-failed", cause=str(error))
                self._arrived += self._lines.arrivals(PAUSE_S)  # to wait for the event would block a signal's handler

    def _raise_unknown(self) -> None:
        """Raise a poller's commit of unknown outcome: what is known is saved then as after one of the loop's own."""
        for error in self._broken:
            if isinstance(error, CommitUnknown):
                raise error

    def _step(self) -> None:
        """Settle what came back, let go what can leave, and wait for the next thing to happen."""
        self._settle()
        self._keep_up()
        self._empty_spool()
        for departure in self._desk.round(partial(has_line, self._lines.free())):
            self._lines.begin(departure)
        self._arrived += self._lines.arrivals(min(LOOK_S, self._wait_s()))

    def _settle(self) -> None:
        """Commit what came back, all of it together. Until that succeeds, it is kept."""
        if self._arrived:
            self._desk.settle(self._arrived)
            self._arrived = []

    def _idle(self) -> bool:
        return not (self._lines.under_way or self._desk.in_hand or self._arrived) and self._wait_s() > 0

    def _wait_s(self) -> float:
        """Return how long nothing is due."""
        due_at = self._desk.next_due()
        wait = timedelta(days=1) if due_at is None else due_at - self._parts.clock.now()
        return max(0.0, wait.total_seconds())

    def _keep_up(self) -> None:
        """Give a sign of life, look after the accounts, and take up what dead holders left behind."""
        now = self._parts.clock.monotonic()
        if now - self._kept_up_at < UPKEEP_S:
            return
        self._kept_up_at = now
        self._watch.keep()
        if self._desk.in_hand or self._lines.under_way:
            self._parts.store.renew(self._holder, self._parts.clock.now())
        if recovered := self._parts.store.recover(self._parts.clock.now()):
            observe.log.warning(observe.STORE_RECOVERED, count=recovered)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Let go, once in a while, of alerts that nobody has spoken of for long."""
        if self._forgot_at is None or now - self._forgot_at >= FORGET_S:
            self._forgot_at = now
            self._parts.store.forget_alerts(self._parts.clock.now() - REMEMBERED)

    def _empty_spool(self) -> None:
        """Take up what waits on the spool: at the beginning, and every few seconds."""
        now = self._parts.clock.monotonic()
        if self._taken_up_at is None or now - self._taken_up_at >= TAKE_UP_S:
            self._taken_up_at = now
            self._take_up()

    def _end(self) -> None:
        """Wait for what is under way, settle it, and give back what is claimed."""
        self._wait_for_lines()
        try:
            self._settle()
            self._desk.release()
        except StoreFailed as error:  # the next start finds the holder gone, and what it had under way in doubt
            observe.log.error(observe.ALARM, reason="store-failed", cause=str(error))

    def _save(self) -> None:
        """Write down through a fresh connection what is known of all that was under way."""
        self._wait_for_lines()
        try:
            store = self._reopen()
        except StoreError as error:
            observe.log.error(observe.ALARM, reason="evidence-lost", count=len(self._arrived), cause=str(error))
            return
        try:
            salvage(attrs.evolve(self._parts, store=store), self._holder, self._arrived)
        except StoreError as error:
            observe.log.error(observe.ALARM, reason="evidence-lost", count=len(self._arrived), cause=str(error))
        finally:
            store.close()

    def _wait_for_lines(self) -> None:
        while self._lines.under_way:
            self._arrived += self._lines.arrivals(LOOK_S)

    def _start_pollers(self) -> list[threading.Thread]:
        accounts = self._parts.fleet.accounts.values()
        threads = [threading.Thread(target=self._poll, args=(one,), name=f"poll-{one.id}") for one in accounts]
        for thread in threads:
            thread.start()
        return threads

    def _poll(self, account: Account) -> None:
        """Run one account's poller. What breaks it ends the worker, which raises it."""
        try:
            Poller(self._parts, account, self._holder, self._lines.wake).run(self._stopping)
        except Exception as error:  # noqa: BLE001 (raised again in the worker's own thread)
            self._broken.append(error)
            self.stop()

    def _hold_on(self) -> bool:
        return not self._stopping.wait(PAUSE_S)


def _in_words(error: Exception) -> str:
    """Return what may be logged of an error: the text of one that is ours, the kind of any other."""
    return str(error) if isinstance(error, TocsinError) else type(error).__name__
