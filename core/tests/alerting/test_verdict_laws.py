"""Two peers tell of the same transitions, in whatever order: each is told once at most, and the last word is true."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.alerting.verdict import Heard, Verdict, judge
from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.ids import MessageId
from tocsin.model.source import Resolved, Source
from tocsin.outbox.alert import AlertKey

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
KEY = AlertKey(source="alertmanager", receiver="ops", fingerprint="a")
SOURCE = Source(name="alertmanager", kind="alertmanager")
FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED

lengths = st.lists(st.integers(1, 1500), min_size=1, max_size=5)
"""Seconds from one transition to the next; an odd one out fires still."""


@st.composite
def storms(draw):
    """Transitions of one alert, and deliveries of them: (number of the transition, what a peer says of it)."""
    gaps = draw(lengths)
    moments = [NOW - sum(gaps[index:]) * SECOND for index in range(len(gaps))]
    deliveries = draw(st.lists(st.tuples(st.integers(0, len(gaps) - 1), st.integers(-9, 9)), min_size=1, max_size=12))
    return [(number, _told(moments, number, skew * MILLISECOND)) for number, skew in deliveries]


def _told(moments, number, skew):
    """What a peer says of a transition: it may have begun to fire some milliseconds earlier or later there."""
    begun = number - number % 2
    status, end = (FIRING, None) if number == begun else (RESOLVED, moments[number])
    return Alert(fingerprint="a", status=status, name="X", starts_at=moments[begun] + skew, ends_at=end)


@st.composite
def processes(draw):
    """Notifications of one alert, each by a process that a busy machine runs when it likes.

    Their times are whole seconds that stand for a moment within them; an end does not say what it is the end of. Each
    is (number of the transition, what is said of it, seconds until it is heard), and is taken in at its place.
    """
    gaps = draw(st.lists(st.integers(2, 900), min_size=1, max_size=5))
    moments = [NOW - sum(gaps[index:]) * SECOND for index in range(len(gaps))]
    drawn = draw(
        st.lists(
            st.tuples(st.integers(0, len(gaps) - 1), st.integers(0, 999_999), st.integers(0, 300)),
            min_size=1,
            max_size=12,
        )
    )
    return [(number, _notified(moments, number, part), heard_s) for number, part, heard_s in drawn]


def _notified(moments, number, part):
    moment = moments[number] + timedelta(microseconds=part)
    if number % 2:
        return Alert(fingerprint="a", status=RESOLVED, name="X", ends_at=moment)
    return Alert(fingerprint="a", status=FIRING, name="X", starts_at=moment)


def take(deliveries, pace=SECOND, source=SOURCE):
    """Deliver one after the other; return the numbers of what was told, the statuses, and the last record.

    What was overtaken by its end is told as what came and went: its status is that of its end.
    """
    record, numbers, statuses, now = None, [], [], NOW
    for number, alert in deliveries:
        verdict, record = judge(record, Heard(key=KEY, alert=alert), source, now)
        if verdict.is_told:
            record = attrs.evolve(record, told_at=now, message=MessageId("m"))
            numbers.append(number)
            statuses.append(RESOLVED if verdict is Verdict.OVERTAKEN else alert.status)
        now += pace
    return numbers, statuses, record


@given(storms())
def test_each_transition_is_told_once_at_most(deliveries):
    """Whatever the order, copies, and the skew of two peers' clocks: no transition is told twice."""
    numbers, _, _ = take(deliveries)

    assert len(numbers) == len(set(numbers))


@given(processes())
def test_processes_in_any_order(deliveries):
    """Whenever processes are heard and taken in: no transition is told twice, and the last word is true."""
    record, told = None, []
    for number, alert, heard_s in deliveries:
        now = NOW + heard_s * SECOND
        verdict, record = judge(record, Heard(key=KEY, alert=alert, waited=True), SOURCE, now)
        if verdict.is_told:
            record = attrs.evolve(record, told_at=now, message=MessageId("m"))
            told.append((number, RESOLVED if verdict is Verdict.OVERTAKEN else alert.status))
    latest = RESOLVED if max(number for number, _, _ in deliveries) % 2 else FIRING

    assert len({number for number, _ in told}) == len(told)
    assert record.status is latest
    assert told[-1][1] is latest


@given(storms())
def test_the_last_word_is_the_last_transition(deliveries):
    """What is known in the end, and what was told last, is the latest transition that anybody spoke of."""
    _, statuses, record = take(deliveries)
    latest = FIRING if max(number for number, _ in deliveries) % 2 == 0 else RESOLVED

    assert record.status is latest
    assert statuses[-1] is latest


@given(storms())
@example([(0, _told([NOW - 60 * SECOND], 0, 0 * SECOND))] * 2)
def test_all_at_one_instant(deliveries):
    """Both laws hold where all deliveries arrive at the same instant."""
    numbers, _, record = take(deliveries, pace=0 * SECOND)

    assert len(numbers) == len(set(numbers))
    assert (record.status is FIRING) == (max(number for number, _ in deliveries) % 2 == 0)


@given(storms())
def test_who_wants_no_ends_is_told_of_none(deliveries):
    """With `never`, no end is told, and what fires is told as before."""
    told = take(deliveries, source=attrs.evolve(SOURCE, resolved=Resolved.NEVER))[0]

    assert told == [number for number in take(deliveries)[0] if number % 2 == 0]


@given(st.lists(st.sampled_from((FIRING, RESOLVED, AlertStatus.EVENT)), min_size=1, max_size=12), st.booleans())
def test_without_times_it_is_total(statuses, repeated):
    """A stack that says no times is told of all the same, and nothing is told twice in a row."""
    record, told = None, []
    for number, status in enumerate(statuses):
        alert = Alert(fingerprint="a", status=status, name="X")
        verdict, record = judge(record, Heard(key=KEY, alert=alert, repeated=repeated), SOURCE, NOW + number * SECOND)
        assert isinstance(verdict, Verdict)
        if verdict.is_told:
            record = attrs.evolve(record, told_at=NOW + number * SECOND)
            told.append(status)

    assert all(one is not other for one, other in pairwise(told))
