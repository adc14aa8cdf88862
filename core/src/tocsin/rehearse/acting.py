"""The character of a scripted vendor: its behaviour, and the troubles that are upon it at that moment."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from random import Random

from tocsin.model.outcome import Reason, Refused
from tocsin.rehearse.ledger import Parcel
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Trouble
from tocsin.rehearse.vendor import Course, Fate

PATIENCE_S = 8.0
"""How long we wait for the first byte of an answer: what takes longer is lost. As `tocsin.wire.pool` does."""

_CONNECT_S = 0.05
_REFUSAL_CODE = "rehearsed"


class Acting:
    """Plays a part of a scenario. Fits `tocsin.rehearse.vendor.Character`.

    Args:
        behaviour: while nothing troubles it.
        troubles: in the order in which they count.
        dice: its own.
    """

    def __init__(self, behaviour: Behaviour, troubles: tuple[Trouble, ...], dice: Random) -> None:
        self._behaviour = behaviour
        self._troubles = troubles
        self._dice = dice
        self._met: deque[float] = deque()

    def fate(self, parcels: Sequence[Parcel], now_s: float) -> Fate:  # noqa: ARG002 (what counts is the moment)
        if self._meets(Kind.DARK, now_s):
            return Fate(delay_s=_CONNECT_S, unreached="connect-refused")
        slow = self._meets(Kind.SLOW_ANSWERS, now_s)
        delay_s = self._behaviour.latency.draw(self._dice) + (slow.delay_s if slow else 0.0)
        if (reason := self._refuses(now_s)) is not None:
            return Fate(delay_s=min(delay_s, PATIENCE_S), refused=Refused(reason, _REFUSAL_CODE))
        if delay_s > PATIENCE_S or self._meets(Kind.SILENT, now_s):
            return Fate(delay_s=PATIENCE_S, lost="first-byte-timeout")
        return Fate(delay_s=delay_s)

    def course(self, parcel: Parcel, now_s: float) -> Course:  # noqa: ARG002 (no parcel is like another)
        behaviour, dice = self._behaviour, self._dice
        arrives = dice.random() < behaviour.delivers and not self._meets(Kind.NEVER_DELIVERS, now_s)
        phone_s, report_s = behaviour.phone_delay.draw(dice), behaviour.report_delay.draw(dice)
        reports = dice.random() < behaviour.reports and not self._meets(Kind.NO_REPORTS, now_s)
        late = self._meets(Kind.SLOW_REPORTS, now_s)
        return Course(
            rings_after_s=phone_s if arrives else None,
            report_after_s=phone_s + report_s + (late.delay_s if late else 0.0) if reports else None,
            code="DELIVRD" if arrives else "UNDELIV",
        )

    def reachable(self, now_s: float) -> bool:
        return self._meets(Kind.DARK, now_s) is None

    def _meets(self, kind: Kind, now_s: float) -> Trouble | None:
        """Return the trouble of a kind that strikes now, if any does."""
        for trouble in self._troubles:
            if trouble.kind is kind and trouble.at(now_s) and self._dice.random() < trouble.share:
                return trouble
        return None

    def _refuses(self, now_s: float) -> Reason | None:
        if (trouble := self._meets(Kind.REFUSING, now_s)) is not None:
            return trouble.reason
        throttling = self._meets(Kind.THROTTLING, now_s)
        rate = throttling.rate if throttling is not None else self._behaviour.rate
        if rate is not None and not self._has_room(rate, now_s):
            return Reason.THROTTLED
        return self._behaviour.refusal if self._dice.random() >= self._behaviour.accepts else None

    def _has_room(self, rate: Rhythm, now_s: float) -> bool:
        """Count a request, unless there were too many of late."""
        while self._met and self._met[0] <= now_s - rate.window_s:
            self._met.popleft()
        if len(self._met) >= max(1, math.floor(rate.count)):
            return False
        self._met.append(now_s)
        return True
