"""The character of a scripted vendor: its behaviour, and the troubles that are upon it at that moment."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from random import Random

from tocsin.model.ids import DeliveryId
from tocsin.model.outcome import Reason, Refused
from tocsin.rehearse.ledger import Parcel
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Trouble
from tocsin.rehearse.vendor import Course, Fate
from tocsin.simulate.dice import dice_of

PATIENCE_S = 8.0
"""How long we wait for the first byte of an answer: what takes longer is lost. As `tocsin.wire.pool` does."""

_CONNECT_S = 0.05
_TICK_S = 5e-7
"""Half of what a clock counts: two times that are exactly so far apart are not, as floats."""
_REFUSAL_CODE = "rehearsed"


class Acting:
    """Plays a part of a scenario. Fits `tocsin.rehearse.vendor.Character`.

    What becomes of a message with this vendor is drawn for that message, whatever else it is sent before or after: so
    two configurations that send the same meet the same.

    Args:
        behaviour: while nothing troubles it.
        troubles: in the order in which they count.
        name: of its dice.
    """

    def __init__(self, behaviour: Behaviour, troubles: tuple[Trouble, ...], name: str) -> None:
        self._behaviour = behaviour
        self._troubles = troubles
        self._name = name
        self._asked: Counter[DeliveryId] = Counter()
        self._met: deque[float] = deque()

    def fate(self, parcels: Sequence[Parcel], now_s: float) -> Fate:
        self._asked.update(one.delivery for one in parcels)
        dice = self._dice("request", parcels[0])
        if self._meets(Kind.DARK, now_s, dice):
            return Fate(delay_s=_CONNECT_S, unreached="connect-refused")
        slow = self._meets(Kind.SLOW_ANSWERS, now_s, dice)
        delay_s = self._behaviour.latency.draw(dice) + (slow.delay_s if slow else 0.0)
        if (reason := self._refuses(now_s, dice)) is not None:
            return Fate(delay_s=min(delay_s, PATIENCE_S), refused=Refused(reason, _REFUSAL_CODE))
        if delay_s > PATIENCE_S or self._meets(Kind.SILENT, now_s, dice):
            return Fate(delay_s=PATIENCE_S, lost="first-byte-timeout")
        return Fate(delay_s=delay_s)

    def course(self, parcel: Parcel, now_s: float) -> Course:
        behaviour, dice = self._behaviour, self._dice("phone", parcel)
        phone_s, report_s = behaviour.phone_delay.draw(dice), behaviour.report_delay.draw(dice)
        rings, speaks = dice.random() < behaviour.delivers, dice.random() < behaviour.reports
        arrives = rings and not self._meets(Kind.NEVER_DELIVERS, now_s, dice)
        reports = speaks and not self._meets(Kind.NO_REPORTS, now_s, dice)
        late = self._meets(Kind.SLOW_REPORTS, now_s, dice)
        return Course(
            rings_after_s=phone_s if arrives else None,
            report_after_s=phone_s + report_s + (late.delay_s if late else 0.0) if reports else None,
            code="DELIVRD" if arrives else "UNDELIV",
        )

    def reachable(self, now_s: float) -> bool:
        return self._meets(Kind.DARK, now_s, dice_of(f"{self._name} asked at {now_s}")) is None

    def _dice(self, about: str, parcel: Parcel) -> Random:
        """Return fresh dice for the message, and for how often it was sent here."""
        return dice_of(f"{self._name} {about} {parcel.delivery} {self._asked[parcel.delivery]}")

    def _meets(self, kind: Kind, now_s: float, dice: Random) -> Trouble | None:
        """Return the trouble of a kind that strikes now, if any does."""
        for trouble in self._troubles:
            if trouble.kind is kind and trouble.at(now_s) and dice.random() < trouble.share:
                return trouble
        return None

    def _refuses(self, now_s: float, dice: Random) -> Reason | None:
        if (trouble := self._meets(Kind.REFUSING, now_s, dice)) is not None:
            return trouble.reason
        throttling = self._meets(Kind.THROTTLING, now_s, dice)
        rate = throttling.rate if throttling is not None else self._behaviour.rate
        if rate is not None and not self._has_room(rate, now_s):
            return Reason.THROTTLED
        return self._behaviour.refusal if dice.random() >= self._behaviour.accepts else None

    def _has_room(self, rate: Rhythm, now_s: float) -> bool:
        """Count a request, unless there were too many of late."""
        while self._met and now_s - self._met[0] > rate.window_s - _TICK_S:
            self._met.popleft()
        if len(self._met) >= rate.count:
            return False
        self._met.append(now_s)
        return True
