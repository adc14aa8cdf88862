"""Takes notices into the store: those that wait on the spool, and one that is just handed in after them.

Each is decided about as of the moment at which it was heard, and against what newer news may be known by now. So a file
is taken in once, although a kill may come between the commit and the file's removal; what waited too long expires like
any other message; and what waited while newer news came in tells nobody the old. See `tocsin.alerting.verdict`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.alerting.addressing import Asked
from tocsin.alerting.front import Alerts
from tocsin.clock import Clock
from tocsin.errors import InvalidInput, StoreFailed, TocsinError
from tocsin.outbox.alert import Intake, Taken
from tocsin.outbox.record import Delivery, Filter
from tocsin.spool.directory import Spool
from tocsin.spool.slip import DamagedSlip, Slip, decode_slip

MOST = 200
"""Files that are taken in together."""

MOST_ON_THE_WAY = 20
"""Files that somebody in a hurry takes in beside what is its own."""

FALLBACK = "icinga"
"""By whose terms a slip is told whose source is not there: nobody hands it in again."""

_FRESH = timedelta(minutes=1)


class TakesIn(Protocol):
    """What is asked of the store. See `tocsin.outbox.ports.Store`."""

    def take_in(self, intakes: Sequence[Intake], now: datetime) -> tuple[Taken, ...]: ...

    def deliveries(self, wanted: Filter) -> tuple[Delivery, ...]: ...


class Uptake:
    """The way from slips to the store.

    Args:
        spool: where slips may wait.
        store: takes them in.
        alerts: where notices are handed in.
        clock: tells the time.
    """

    def __init__(self, spool: Spool, store: TakesIn, alerts: Alerts, clock: Clock) -> None:
        self._spool = spool
        self._store = store
        self._alerts = alerts
        self._clock = clock
        self._alarmed: set[str] = set()

    def take_up(self) -> int:
        """Take in what waits on the spool, the oldest first; return how many slips were.

        Raises:
            StoreFailed, CommitUnknown: of the store; the files stay.
        """
        waiting = self._look()
        if not waiting:
            return 0
        with self._spool.alone() as alone:
            slips = self._read(self._look() if alone else ())
            self._take(slips)
            return len(slips)

    def take_in(self, slip: Slip) -> Taken:
        """Take a slip in, after those that wait on the spool.

        Raises:
            InvalidInput: nobody can be told of it.
            StoreFailed: of the store; or others are before it that cannot be taken in at once, and it has to wait too.
            CommitUnknown: of the store.
        """
        intake = self._intake_of(slip)
        with self._spool.alone() as alone:
            names = self._look()
            slips = self._read(names[:MOST_ON_THE_WAY] if alone else ())
            if names and (not alone or len(names) > MOST_ON_THE_WAY):
                self._take(slips)
                raise StoreFailed("others wait on the spool, and are first")
            return self._take(slips, intake)[-1]

    def _take(self, slips: dict[str, Slip], *more: Intake) -> tuple[Taken, ...]:
        """Take slips in by one transaction, then remove their files."""
        intakes = self._intakes(slips)
        if not (intakes or more):
            return ()
        taken = self._store.take_in((*intakes.values(), *more), self._clock.now())
        for name, one in zip(intakes, taken, strict=False):
            if one.error is None:
                self._spool.remove(name)
                self._tell_expired(slips[name], one)
            else:
                self._refuse(name, one.error)
        return taken

    def _intakes(self, slips: dict[str, Slip]) -> dict[str, Intake]:
        intakes = {}
        for name, slip in slips.items():
            try:
                intakes[name] = self._intake_of(slip)
            except InvalidInput as error:
                self._refuse(name, error)
        return intakes

    def _intake_of(self, slip: Slip) -> Intake:
        """Return a slip's intake, decided about as of when it was heard."""
        name = slip.source if slip.source in self._alerts.sources else FALLBACK
        asked = Asked(groups=slip.groups, to=slip.to, cls=slip.cls)
        return self._alerts.intake_of(name, slip.notice, asked, heard_at=slip.heard_at)

    def _look(self) -> tuple[str, ...]:
        try:
            return self._spool.waiting(MOST)
        except StoreFailed as error:
            self._alarm("", "spool-unreadable", error)
            return ()

    def _read(self, names: Sequence[str]) -> dict[str, Slip]:
        """Return the slips of files that can be read; what is damaged is set aside."""
        slips = {}
        for name in names:
            try:
                content = self._spool.read(name)
                if content is not None:
                    slips[name] = decode_slip(content)
            except StoreFailed as error:
                self._alarm(name, "spool-unreadable", error)
            except DamagedSlip as error:
                self._spool.set_aside(name)
                self._alarm(name, "spool-damaged", error)
        return slips

    def _refuse(self, name: str, error: TocsinError) -> None:
        """Set a slip aside that nobody can be told of as the configuration is."""
        self._spool.set_aside(name)
        self._alarm(name, "spool-refused", error)

    def _tell_expired(self, slip: Slip, taken: Taken) -> None:
        """Log what waited too long to be sent. The store has it all the same, and lets it expire."""
        now = self._clock.now()
        if now - slip.heard_at > _FRESH:
            late = [one for name in taken.messages for one in self._store.deliveries(Filter(message=name))]
            if count := sum(one.expires_at <= now for one in late):
                from tocsin import observe

                observe.log.warning(observe.SPOOL_EXPIRED, count=count)

    def _alarm(self, name: str, reason: str, error: TocsinError) -> None:
        """Alarm, once of each file. The log is loaded where there is something to say: somebody may be in a hurry."""
        if name not in self._alarmed:
            from tocsin import observe

            self._alarmed.add(name)
            observe.log.error(observe.ALARM, reason=reason, cause=str(error))
