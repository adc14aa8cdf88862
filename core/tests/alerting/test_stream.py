"""Storms and quiet hours: one message that sums up, exact in its numbers, replaced until it goes."""

import re
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.alerting.addressing import Asked
from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.hours import Hours
from tocsin.model.message import MessageClass
from tocsin.model.source import Quiet, Repeats, Resolved, Storm
from tocsin.outbox.alert import Decided

FIRING, RESOLVED, EVENT = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.EVENT
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = Quiet(hours=Hours(start=time(22), end=time(7), zone=SHANGHAI))
NOTICE = {"cls": MessageClass.NOTICE}


def one(name, status=FIRING, **changes):
    """An alert without times, so that its order alone says what is what."""
    return Alert(fingerprint=name, status=status, name=name, **changes)


def storm(at_work, count=3):
    """Use up what may be told at once."""
    for number in range(count):
        assert at_work.take(one(f"first{number}")), "told at once"


@pytest.fixture
def stormy(watch):
    """A source that tells three messages in five minutes, and sums up what is more."""
    return watch(storm=Storm(messages=3))


@pytest.fixture
def quiet(watch):
    """A source of notices, at five past midnight."""
    at_work = watch(quiet=NIGHT, **NOTICE)
    at_work.now = datetime(2026, 11, 22, 0, 5, tzinfo=SHANGHAI).astimezone(UTC)
    return at_work


def test_a_storm_is_summed_up(stormy):
    """What is more than the window holds waits for its end, in one message that counts."""
    storm(stormy)
    stormy.wait(minutes=1)
    for name in "ABC":
        stormy.take(one(name, summary="long"))
    stormy.take(one("first0", RESOLVED))

    assert stormy.queued()[3:] == [
        (["00", "01"], 4 * MINUTE, "3 firing, 1 resolved since 22:01 UTC: A, B, C, first0 (resolved)")
    ]


def test_one_held_alert_is_told_in_full(stormy):
    """Of a single alert that is held, all is told, and when it was."""
    storm(stormy)
    stormy.take(one("A", summary="disk full"))

    assert stormy.queued()[3][2] == "FIRING A: disk full (22:00 UTC)"


def test_critical_storms_are_held_like_others(watch):
    """A storm is a storm in every class, each by itself."""
    at_work = watch(storm=Storm(messages=3))
    storm(at_work)
    critical = Asked(cls=MessageClass.CRITICAL)
    for number in range(4):
        at_work.take(one(f"c{number}"), asked=critical)

    assert [wait for _, wait, _ in at_work.queued()] == [0 * MINUTE] * 6 + [5 * MINUTE]


def test_a_fresh_window_begins_with_the_release(stormy):
    """Once the sum is out, messages go at once again; the sum was the first of the new window."""
    storm(stormy)
    stormy.take(one("A"))
    stormy.wait(minutes=5)

    assert stormy.take(one("B")) == ["FIRING B"]
    assert stormy.take(one("C")) == ["FIRING C"]
    stormy.take(one("D"))
    assert stormy.queued()[-1][1] == 5 * MINUTE


def test_a_quiet_window_is_forgotten(stormy):
    """After a window without a storm, all may be told at once anew."""
    storm(stormy, 2)
    stormy.wait(minutes=5)
    for name in "ABC":
        assert stormy.take(one(name)) == [f"FIRING {name}"]


def test_no_storm_mode(watch):
    """With storm mode off, everything goes at once."""
    storm(watch(storm=None), 30)


def test_an_alert_that_came_and_went(stormy):
    """What was resolved while nobody knew that it fired makes no page of its own."""
    storm(stormy)
    stormy.take(one("A"))
    stormy.take(one("A", RESOLVED))
    stormy.take(one("B"))

    assert [text for _, _, text in stormy.queued()[3:]] == [
        "1 firing, 1 came and went since 22:00 UTC: B, A (came and went)"
    ]


def test_only_what_came_and_went(stormy):
    """Where nothing else is left, that is said."""
    storm(stormy)
    stormy.take(one("A"))
    stormy.take(one("A", RESOLVED))

    assert stormy.queued()[3][2] == "1 came and went since 22:00 UTC: A"


def test_who_wants_no_ends_gets_none_in_the_sum(watch):
    """With `never`, what ended while it was held is not told at all; with nothing left, no message is."""
    at_work = watch(storm=Storm(messages=3), resolved=Resolved.NEVER)
    storm(at_work)
    at_work.take(one("A"))
    at_work.take(one("A", RESOLVED))

    assert len(at_work.queued()) == 3
    assert at_work.take(one("A")) == ["FIRING A"]
    assert at_work.take(one("A", RESOLVED)) == []


def test_a_copy_changes_nothing(stormy):
    """The copy of an alert that is held makes no new sum."""
    storm(stormy)
    (text,) = stormy.take(one("A"))

    assert stormy.take(one("A")) == []
    assert stormy.queued()[3][2] == text


def test_quiet_hours_hold_a_notice(quiet):
    """A notice by night waits for the morning, in one message with others, by the clock of those hours."""
    quiet.take(one("A"))
    quiet.take(one("B", EVENT))
    quiet.wait(hours=1)
    quiet.take(one("C"))

    assert quiet.queued() == [
        (["00", "01"], timedelta(hours=5, minutes=55), "2 firing, 1 noted since 00:05: A, C, B (noted)")
    ]


def test_quiet_hours_let_others_pass(quiet):
    """Classes that are not named pass by night as by day."""
    quiet.take(one("A"), asked=Asked(cls=MessageClass.CRITICAL))
    quiet.take(one("B"), asked=Asked(cls=MessageClass.ALERT))

    assert [wait for _, wait, _ in quiet.queued()] == [0 * MINUTE] * 2


def test_by_day_a_notice_goes_at_once(quiet):
    """Outside of the quiet hours nothing is held; a notice held by night is not told twice by day."""
    quiet.take(one("A"))
    quiet.wait(hours=7)

    assert quiet.take(one("B")) == ["FIRING B"]
    assert quiet.take(one("A", RESOLVED)) == ["RESOLVED A"]


def test_a_storm_that_ends_by_night_waits_for_the_morning(quiet):
    """What a storm holds until quiet hours have begun is held until they end."""
    quiet.source = attrs.evolve(quiet.source, storm=Storm(messages=1, window=10 * MINUTE))
    quiet.now = datetime(2026, 11, 22, 21, 55, tzinfo=SHANGHAI).astimezone(UTC)
    quiet.take(one("A"))
    quiet.take(one("B"))

    assert [wait for _, wait, _ in quiet.queued()] == [0 * MINUTE, timedelta(hours=9, minutes=5)]


def test_a_storm_of_ten_thousand_is_kept_small(stormy):
    """However many alerts are held, what is kept of them is small, and its numbers are right."""
    storm(stormy)
    for start in range(0, 10_000, 500):
        stormy.take(*(one(f"A{number}") for number in range(start, start + 500)), truncated=7)
    stormy.take(*(one(f"A{number}", RESOLVED) for number in range(10, 9_000)))
    kept = []
    looks = attrs.evolve(stormy.intake(one("A0")), decide=lambda standing, _: kept.append(standing) or Decided())
    stormy.outbox.take_in([looks], stormy.now)
    (stream,) = kept[0].streams.values()

    assert len(str(stream.held)) < 2_500
    text = stormy.queued()[3][2]
    assert text.startswith("1010 firing, 8990 came and went since 22:00 UTC: A0, A1, ")
    named = text.split(": ")[1].rsplit(" +", 1)
    assert named[0].count(",") + 1 + int(named[1].removesuffix(" more")) == 10_007


class Reference:
    """What people believe, and what is held, kept in full: what the streams must agree with."""

    def __init__(self):
        self.believed, self.held = {}, {}

    def tell(self, name, status):
        self.believed[name] = status is FIRING

    def hold(self, name, status):
        if status is EVENT:
            self.held[name] = "noted"
        elif status is FIRING:
            self.held[name] = "firing"
        else:
            self.held[name] = "resolved" if self.believed.get(name) else "came and went"

    def release(self):
        for name, part in self.held.items():
            self.believed[name] = part == "firing"
        self.held = {}


steps = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from((FIRING, RESOLVED)), st.sampled_from((0, 0, 0, 20, 200))),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200)
@given(steps)
def test_the_sum_is_exact(watch, steps):
    """Whatever fires and is resolved, before, in and after storms: the sum counts each held alert once, as it is."""
    at_work, reference, known = (
        watch(storm=Storm(messages=2, window=MINUTE), repeats=Repeats.DROP),
        Reference(),
        {},
    )
    release = None
    for number, status, seconds in steps:
        at_work.wait(seconds=seconds)
        if release is not None and at_work.now >= release:
            reference.release()
            release = None
        name = f"N{number}"
        texts = at_work.take(one(name, status))
        news = known.get(name) is not status
        known[name] = status
        assert bool(texts) == news
        if not news:
            continue
        waiting = [(wait, text) for _, wait, text in at_work.queued() if wait > 0 * SECOND]
        assert len(waiting) <= 1
        if waiting:
            release = at_work.now + waiting[0][0]
            reference.hold(name, status)
            assert counts(texts[0]) == Counter(reference.held.values())
        else:
            reference.tell(name, status)


def counts(text):
    """What a sum says: how many of what."""
    head = text.split(" since ")[0]
    if head == text:  # one alert, in full
        return Counter({"firing" if text.startswith("FIRING") else "resolved": 1})
    return Counter({word: int(number) for number, word in re.findall(r"(\d+) ([a-z ]+)", head)})


def test_what_was_heard_earlier_is_counted_once(stormy):
    """A notice of before the holding began, taken in while it lasts, is counted like any other, once."""
    storm(stormy)
    stormy.wait(minutes=2)
    stormy.take(one("A"))
    late = stormy.intake(one("B"))
    earlier = attrs.evolve(late, decide=lambda standing, now: late.decide(standing, now - MINUTE))
    stormy.outbox.take_in([earlier], stormy.now)
    stormy.take(one("B", RESOLVED))

    assert stormy.queued()[3][2] == "1 firing, 1 came and went since 22:02 UTC: A, B (came and went)"


def test_a_change_of_what_is_held(watch):
    """What changes while it is held is counted once: its level, and whether it fires at all."""
    at_work = watch(storm=Storm(messages=3))
    storm(at_work)
    at_work.take(one("A", level="warn"), one("E", EVENT))
    at_work.take(one("A", level="crit"), one("E", EVENT), one("B"))

    assert [text for _, _, text in at_work.queued()[3:]] == ["2 firing, 1 noted since 22:00 UTC: A, B, E (noted)"]


def test_an_end_that_is_not_told_touches_nothing_else(watch):
    """With `never`, the end of what was told before the holding began changes nothing of what is held."""
    at_work = watch(storm=Storm(messages=3), resolved=Resolved.NEVER)
    storm(at_work)
    at_work.take(one("A"), one("B"))
    at_work.take(one("first0", RESOLVED))

    assert at_work.queued()[3][2] == "2 firing since 22:00 UTC: A, B"


def test_held_events_are_told_once(quiet):
    """An event that is held, and heard of again, is held once."""
    quiet.take(one("A", EVENT, summary="by ann"))
    quiet.take(one("A", EVENT, summary="by ann"))

    assert [text for _, _, text in quiet.queued()] == ["A: by ann (00:05)"]


def overtaken(at_work):
    """What fired, and was over before anybody heard of it."""
    return one("over", starts_at=at_work.now - MINUTE)


def test_what_its_end_overtook_is_told_so(watch):
    """Where the end came in first, nobody reads that it fires."""
    at_work = watch()
    at_work.take(one("over", RESOLVED, ends_at=at_work.now))

    assert at_work.take(overtaken(at_work)) == ["came and went: over"]
    assert at_work.take(overtaken(at_work)) == []


def test_what_its_end_overtook_is_held_as_what_came_and_went(stormy):
    """Told of at once or held: what is over is not counted among what fires."""
    stormy.take(one("over", RESOLVED, ends_at=stormy.now))
    storm(stormy, 2)
    stormy.take(overtaken(stormy))
    (_, _, text) = stormy.queued()[-1]

    assert text == "1 came and went since 22:00 UTC: over"


def test_an_end_that_is_held_counts_what_it_overtook_once(stormy):
    """Its end is held as what came and went; that it began adds nothing to that."""
    storm(stormy)
    stormy.take(one("over", RESOLVED, ends_at=stormy.now))
    before = stormy.queued()[-1]
    stormy.take(overtaken(stormy))

    assert stormy.queued()[-1] == before
    assert before[-1] == "1 came and went since 22:00 UTC: over"
