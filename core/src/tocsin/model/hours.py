"""Hours of the day in a time zone: when a route takes messages, when an account may be used.

Holds no time of its own and never asks for one. Routes ask it, the fleet asks when an account opens again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

_DAY = timedelta(days=1)


def _differs(hours: Hours, _: object, end: time) -> None:
    if end == hours.start:
        raise ValueError("expected an end that differs from the start; without hours, it is open all day")


@attrs.frozen(kw_only=True)
class Hours:
    """A daily window, start included, end not; `22:00-06:00` crosses midnight.

    Where clocks are put back, a time that they show twice is the first one; where they are put forward, a time that
    they leap over is as long after midnight as it would have been, so that 02:30 is 03:30.

    Source: RFC 5545, 3.3.5, form 3.
    """

    start: time
    end: time = attrs.field(validator=_differs)
    zone: ZoneInfo

    def include(self, moment: datetime) -> bool:
        """Say whether the aware moment falls into the window."""
        return any(start <= moment < end for start, end in self._windows(moment))

    def next_start(self, moment: datetime) -> datetime:
        """Return when the window next opens after the aware moment, in UTC."""
        return next(start for start, _ in self._windows(moment) if moment < start)

    def next_end(self, moment: datetime) -> datetime:
        """Return when the window next closes after the aware moment, in UTC."""
        return next(end for _, end in self._windows(moment) if moment < end and not self.include(end))

    def _windows(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the windows of the days around a moment; one that a leap of the clocks swallows is left out."""
        today = moment.astimezone(self.zone).date()
        overnight = _DAY * (self.end < self.start)
        for day in (today + ahead * _DAY for ahead in range(-1, 3)):
            start, end = self._at(day, self.start), self._at(day + overnight, self.end)
            if start < end:
                yield start, end

    def _at(self, day: date, clock: time) -> datetime:
        # In UTC, since datetimes of one zone are compared by their clocks alone.
        return datetime.combine(day, clock, self.zone).astimezone(UTC)
