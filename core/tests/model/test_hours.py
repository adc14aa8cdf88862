"""When a window is open, and when it next opens and closes: by day, across midnight, and where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tocsin.model.hours import Hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 1, 1, 12, tzinfo=SHANGHAI)
OFFICE = Hours(start=time(9), end=time(18), zone=SHANGHAI)
NIGHT = Hours(start=time(22), end=time(6), zone=SHANGHAI)
TICK = timedelta(microseconds=1)

# Lord Howe leaps by half an hour, Gaza changes at odd times, Azores stands behind UTC.
zones = st.sampled_from(
    ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Gaza", "Atlantic/Azores"]
).map(ZoneInfo)
clocks = st.one_of(st.times(), st.sampled_from([time(0), time(1, 30), time(2), time(2, 30), time(3), time(23, 59)]))
LEAPS = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]
moments = st.one_of(
    st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    st.builds(
        lambda leap, minutes: leap + timedelta(minutes=minutes), st.sampled_from(LEAPS), st.integers(-3000, 3000)
    ),
)


@st.composite
def windows(draw):
    start, end = draw(clocks), draw(clocks)
    assume(start != end)
    return Hours(start=start, end=end, zone=draw(zones))


def at(clock: str, day: int = 1) -> datetime:
    return datetime.combine(datetime(2026, 1, day).date(), time.fromisoformat(clock), SHANGHAI)


@pytest.mark.parametrize(
    ("start", "end", "inside", "outside"),
    [
        (time(9), time(18), ["09:00", "12:00", "17:59:59"], ["08:59:59", "18:00", "00:00"]),
        (time(22), time(6), ["22:00", "23:59:59", "00:00", "05:59:59"], ["06:00", "12:00", "21:59:59"]),
        (time(0), time(23, 59), ["00:00", "23:58"], ["23:59"]),
        (time(18), time(0), ["18:00", "23:59:59"], ["17:59:59", "00:00"]),
    ],
    ids=["by day", "across midnight", "all but a minute", "to midnight"],
)
def test_hours_hold_their_start_and_not_their_end(start, end, inside, outside):
    """A window holds its start and not its end, and may cross midnight."""
    hours = Hours(start=start, end=end, zone=SHANGHAI)

    assert [clock for clock in (*inside, *outside) if hours.include(at(clock))] == inside


def test_hours_that_hold_nothing_are_refused():
    """A window that ends when it starts cannot be made."""
    with pytest.raises(ValueError, match="an end that differs from the start"):
        Hours(start=time(0), end=time(0), zone=SHANGHAI)


def test_hours_are_made_by_name():
    """Start and end cannot be mistaken for each other."""
    with pytest.raises(TypeError):
        Hours(time(9), time(18), SHANGHAI)


def test_hours_are_read_on_their_own_zones_clock():
    """The same moment is inside or outside by the window's zone, whatever zone the moment is told in."""
    moment = datetime(2026, 1, 1, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai

    assert OFFICE.include(moment)
    assert not attrs.evolve(OFFICE, zone=ZoneInfo("UTC")).include(moment)


@given(st.times(), st.times(), st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 27), timezones=st.just(UTC)))
def test_a_window_and_its_rest_share_no_moment(start, end, moment):
    """Each moment is in a window or in the rest of the day, and never in both."""
    assume(start != end)
    window = Hours(start=start, end=end, zone=ZoneInfo("UTC"))
    rest = Hours(start=end, end=start, zone=ZoneInfo("UTC"))

    assert window.include(moment) + rest.include(moment) == 1


@pytest.mark.parametrize(
    ("hours", "now", "opens", "closes"),
    [
        (OFFICE, at("08:00"), at("09:00"), at("18:00")),
        (OFFICE, at("09:00"), at("09:00", day=2), at("18:00")),
        (OFFICE, at("18:00"), at("09:00", day=2), at("18:00", day=2)),
        (NIGHT, at("21:00"), at("22:00"), at("06:00", day=2)),
        (NIGHT, at("23:00"), at("22:00", day=2), at("06:00", day=2)),
        (NIGHT, at("05:00"), at("22:00"), at("06:00")),
    ],
)
def test_a_window_says_when_it_next_opens_and_closes(hours, now, opens, closes):
    """The next opening and the next closing lie after the moment, today or tomorrow."""
    assert (hours.next_start(now), hours.next_end(now)) == (opens, closes)
    assert hours.next_start(now).tzinfo is hours.next_end(now).tzinfo is UTC


@given(windows(), moments, st.floats(0, 1))
def test_a_closed_window_stays_closed_until_it_opens(hours, moment, share):
    """While it is closed, nothing before the next opening is in the window, and the opening is."""
    assume(not hours.include(moment))
    opens = hours.next_start(moment)

    assert moment < opens <= moment + timedelta(days=2)
    assert hours.include(opens)
    assert not hours.include(opens - TICK)
    assert not hours.include(min(moment + share * (opens - moment), opens - TICK))


@given(windows(), moments, st.floats(0, 1))
def test_an_open_window_stays_open_until_it_closes(hours, moment, share):
    """While it is open, everything before the next closing is in the window, and the closing is not."""
    assume(hours.include(moment))
    closes = hours.next_end(moment)

    assert moment < closes <= moment + timedelta(days=2)
    assert not hours.include(closes)
    assert hours.include(closes - TICK)
    assert hours.include(min(moment + share * (closes - moment), closes - TICK))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        # 2026-03-29: 02:00 is 03:00
        (time(1), time(4), "2026-03-29T01:00+01:00", "2026-03-29T04:00+02:00"),
        (time(2, 30), time(5), "2026-03-29T03:30+02:00", "2026-03-29T05:00+02:00"),
        (time(1), time(2, 30), "2026-03-29T01:00+01:00", "2026-03-29T03:30+02:00"),
        # 2026-10-25: 03:00 is 02:00
        (time(1), time(4), "2026-10-25T01:00+02:00", "2026-10-25T04:00+01:00"),
        (time(2, 30), time(5), "2026-10-25T02:30+02:00", "2026-10-25T05:00+01:00"),
        (time(1), time(2, 30), "2026-10-25T01:00+02:00", "2026-10-25T02:30+02:00"),
    ],
)
def test_a_day_on_which_the_clocks_change_has_one_window(start, end, opens, closes):
    """A time that is shown twice is the first one; one that is leapt over is as long after midnight as ever."""
    hours = Hours(start=start, end=end, zone=BERLIN)
    before = berlin(opens) - timedelta(minutes=1)

    assert (hours.next_start(before), hours.next_end(before)) == (berlin(opens), berlin(closes))
    assert hours.next_start(berlin(closes)) > berlin(closes) + timedelta(hours=12)


@pytest.mark.parametrize("end", [time(3, 15), time(3, 30)])
def test_a_window_that_a_leap_swallows_is_left_out_that_day(end):
    """From 02:30, which is 03:30, to 03:15 or to 03:30 there is nothing: it opens on the next day."""
    hours = Hours(start=time(2, 30), end=end, zone=BERLIN)

    assert hours.next_start(berlin("2026-03-28T12:00+01:00")) == berlin("2026-03-30T02:30+02:00")


def test_a_rest_that_a_leap_swallows_does_not_close_it():
    """Open but from 02:30, which is 03:30, to 03:00: on that day it does not close."""
    hours = Hours(start=time(3), end=time(2, 30), zone=BERLIN)

    assert hours.next_end(berlin("2026-03-28T12:00+01:00")) == berlin("2026-03-30T02:30+02:00")
    assert hours.include(berlin("2026-03-29T03:30+02:00"))


def test_two_moments_of_one_clock_are_told_apart():
    """Of the hour that is shown twice, each half is judged by itself, whatever zone the moment is told in."""
    hours = Hours(start=time(1), end=time(2, 30), zone=BERLIN)
    first = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN)

    assert hours.include(first)
    assert not hours.include(first.replace(fold=1))
    assert hours.next_end(first) - first.astimezone(UTC) == timedelta(minutes=15)
