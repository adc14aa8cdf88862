"""The verdict table, row by row."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tocsin.alerting.verdict import Heard, Verdict, judge
from tocsin.model.alert import Alert, AlertStatus
from tocsin.model.message import MessageClass
from tocsin.model.source import Repeats, Resolved, Source
from tocsin.outbox.alert import AlertKey, AlertRecord

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KEY = AlertKey(source="alertmanager", receiver="ops", fingerprint="a")
FIRING, RESOLVED, EVENT = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.EVENT
SOURCE = Source(name="alertmanager", kind="alertmanager")
BEGAN = NOW - HOUR


def heard(status=FIRING, repeated=False, cls=MessageClass.ALERT, waited=False, **changes):
    given = {"name": "DiskFull", "starts_at": BEGAN} | changes
    return Heard(
        key=KEY, alert=Alert(fingerprint="a", status=status, **given), repeated=repeated, cls=cls, waited=waited
    )


def known(status=FIRING, told=20 * MINUTE, seen=20 * MINUTE, **changes):
    """What is known: told of and heard of so long ago."""
    given = {"level": "", "starts_at": BEGAN, "ends_at": NOW - 30 * MINUTE if status is RESOLVED else None} | changes
    told_at = None if told is None else NOW - told
    return AlertRecord(key=KEY, status=status, seen_at=NOW - seen, told_at=told_at, **given)


def verdict(before, after, source=SOURCE):
    return judge(before, after, source, NOW)[0]


DROPS = attrs.evolve(SOURCE, repeats=Repeats.DROP)
NEVER = attrs.evolve(SOURCE, resolved=Resolved.NEVER)
TOLD = attrs.evolve(SOURCE, resolved=Resolved.TOLD)
ENDED = {"ends_at": NOW - MINUTE}

ROWS = {
    "nothing, firing": (None, heard(), SOURCE, Verdict.NEW),
    "nothing, resolved": (None, heard(RESOLVED, **ENDED), SOURCE, Verdict.RESOLVED),
    "nothing, resolved, of those told of": (None, heard(RESOLVED, **ENDED), TOLD, Verdict.UNTOLD),
    "nothing, resolved, never": (None, heard(RESOLVED, **ENDED), NEVER, Verdict.UNTOLD),
    "firing, firing within the window": (known(told=9 * MINUTE), heard(), SOURCE, Verdict.DUPLICATE),
    "firing, firing after the window": (known(told=10 * MINUTE), heard(), SOURCE, Verdict.REPEAT),
    "firing, firing after the window, dropped": (known(told=10 * MINUTE), heard(), DROPS, Verdict.DROPPED),
    "firing, said to be a repeat": (known(told=5 * MINUTE), heard(repeated=True), SOURCE, Verdict.REPEAT),
    "firing, a copy of a repeat": (known(told=15 * SECOND), heard(repeated=True), SOURCE, Verdict.DUPLICATE),
    "firing, firing at another level": (known(told=SECOND, level="warn"), heard(level="crit"), SOURCE, Verdict.CHANGED),
    "firing, firing at the level before": (
        known(told=SECOND, level="crit", starts_at=BEGAN + SECOND),
        heard(level="warn"),
        SOURCE,
        Verdict.LATE,
    ),
    "firing, firing at another level by another clock": (
        known(told=SECOND, level="crit", starts_at=BEGAN + SECOND - TICK),
        heard(level="warn"),
        SOURCE,
        Verdict.CHANGED,
    ),
    "firing, firing at no level": (known(told=SECOND, level="warn"), heard(), SOURCE, Verdict.DUPLICATE),
    "firing, begun a window later": (known(told=SECOND), heard(starts_at=BEGAN + 10 * MINUTE), DROPS, Verdict.REFIRED),
    "firing, begun a little later": (known(told=SECOND), heard(starts_at=BEGAN + SECOND), DROPS, Verdict.DUPLICATE),
    "firing, never told": (known(told=None), heard(), SOURCE, Verdict.NEW),
    "firing, resolved": (known(), heard(RESOLVED, **ENDED), SOURCE, Verdict.RESOLVED),
    "firing, resolved, of those told of": (known(), heard(RESOLVED, **ENDED), TOLD, Verdict.RESOLVED),
    "firing untold, resolved, of those told of": (known(told=None), heard(RESOLVED), TOLD, Verdict.UNTOLD),
    "firing, resolved, never": (known(), heard(RESOLVED, **ENDED), NEVER, Verdict.UNTOLD),
    "firing, resolved before that began": (
        known(),
        heard(RESOLVED, starts_at=BEGAN - HOUR, ends_at=BEGAN - MINUTE),
        SOURCE,
        Verdict.LATE,
    ),
    "firing, resolved at no time, by a slow clock": (
        known(starts_at=NOW + HOUR),
        heard(RESOLVED, starts_at=None),
        SOURCE,
        Verdict.RESOLVED,
    ),
    "resolved, firing begun before that end": (known(RESOLVED, seen=4 * SECOND), heard(), SOURCE, Verdict.LATE),
    "resolved, firing begun before that end, which nobody heard of": (
        known(RESOLVED, seen=SECOND, starts_at=None),
        heard(),
        SOURCE,
        Verdict.OVERTAKEN,
    ),
    "resolved, firing begun at that end, which nobody heard of": (
        known(RESOLVED, seen=SECOND),
        heard(starts_at=NOW - 30 * MINUTE),
        SOURCE,
        Verdict.OVERTAKEN,
    ),
    "resolved, firing begun in the second that is known": (
        known(RESOLVED, seen=SECOND),
        heard(starts_at=BEGAN + SECOND - TICK),
        SOURCE,
        Verdict.LATE,
    ),
    "resolved yesterday, firing begun before that end, which nobody heard of": (
        known(RESOLVED, seen=SECOND, starts_at=None, ends_at=NOW - DAY),
        heard(starts_at=NOW - DAY - HOUR),
        SOURCE,
        Verdict.LATE,
    ),
    "resolved, firing begun after that end": (
        known(RESOLVED, seen=SECOND),
        heard(starts_at=NOW - 29 * MINUTE),
        SOURCE,
        Verdict.REFIRED,
    ),
    "resolved long ago, firing begun before, which nobody heard of": (
        known(RESOLVED, seen=10 * MINUTE - TICK, starts_at=None),
        heard(),
        SOURCE,
        Verdict.OVERTAKEN,
    ),
    "resolved longer ago, firing begun before, which nobody heard of": (
        known(RESOLVED, seen=10 * MINUTE, starts_at=None),
        heard(),
        SOURCE,
        Verdict.REFIRED,
    ),
    "resolved four minutes ago, firing begun before": (
        known(RESOLVED, seen=4 * MINUTE),
        heard(),
        SOURCE,
        Verdict.REFIRED,
    ),
    "resolved long ago, firing begun before, waited": (
        known(RESOLVED, seen=10 * MINUTE - TICK),
        heard(waited=True),
        SOURCE,
        Verdict.LATE,
    ),
    "resolved longer ago, firing begun before, waited": (
        known(RESOLVED, seen=10 * MINUTE),
        heard(waited=True),
        SOURCE,
        Verdict.REFIRED,
    ),
    "resolved less than four minutes ago, firing begun before": (
        known(RESOLVED, seen=4 * MINUTE - TICK),
        heard(),
        SOURCE,
        Verdict.LATE,
    ),
    "resolved, firing since nobody knows": (
        known(RESOLVED, seen=SECOND),
        heard(starts_at=None),
        SOURCE,
        Verdict.REFIRED,
    ),
    "resolved, resolved": (known(RESOLVED), heard(RESOLVED, **ENDED), SOURCE, Verdict.DUPLICATE),
    "resolved, resolved of what fired after it": (
        known(RESOLVED),
        heard(RESOLVED, starts_at=NOW - 20 * MINUTE, **ENDED),
        SOURCE,
        Verdict.RESOLVED,
    ),
    "resolved, resolved later, since nobody knows": (
        known(RESOLVED),
        heard(RESOLVED, starts_at=None, **ENDED),
        SOURCE,
        Verdict.RESOLVED,
    ),
    "resolved, resolved in the same second, since nobody knows": (
        known(RESOLVED),
        heard(RESOLVED, starts_at=None, ends_at=NOW - 30 * MINUTE + SECOND - TICK),
        SOURCE,
        Verdict.DUPLICATE,
    ),
    "nothing, event": (None, heard(EVENT), SOURCE, Verdict.NEW),
    "event, event": (known(EVENT), heard(EVENT), SOURCE, Verdict.DUPLICATE),
    "event, firing of that name": (known(EVENT), heard(), SOURCE, Verdict.NEW),
    "nothing, event of yesterday": (None, heard(EVENT, starts_at=NOW - DAY), SOURCE, Verdict.STALE),
    "firing, resolved yesterday": (known(), heard(RESOLVED, ends_at=NOW - 5 * HOUR, starts_at=None), SOURCE, None),
    "nothing, resolved yesterday": (None, heard(RESOLVED, ends_at=NOW - DAY), SOURCE, Verdict.STALE),
    "nothing, critical resolved an hour ago": (
        None,
        heard(RESOLVED, ends_at=NOW - HOUR, cls=MessageClass.CRITICAL),
        SOURCE,
        Verdict.RESOLVED,
    ),
    "nothing, notice resolved 5 hours ago": (
        None,
        heard(RESOLVED, ends_at=NOW - 5 * HOUR, cls=MessageClass.NOTICE),
        SOURCE,
        Verdict.RESOLVED,
    ),
}
WAITED = {
    "firing heard later, firing of the same beginning": (FIRING, heard(level="crit"), Verdict.LATE),
    "firing heard later, firing begun before it": (FIRING, heard(starts_at=BEGAN - HOUR, level="crit"), Verdict.LATE),
    "firing heard later, firing begun after it": (
        FIRING,
        heard(starts_at=BEGAN + MINUTE, level="crit"),
        Verdict.CHANGED,
    ),
    "firing heard later, resolved before that began": (FIRING, heard(RESOLVED, ends_at=BEGAN), Verdict.LATE),
    "firing heard later, resolved after that began": (FIRING, heard(RESOLVED, **ENDED), Verdict.RESOLVED),
    "resolved heard later, firing begun before that end": (RESOLVED, heard(), Verdict.LATE),
    "resolved heard later, firing begun after that end": (RESOLVED, heard(starts_at=NOW - MINUTE), Verdict.REFIRED),
    "resolved heard later, resolved before it": (RESOLVED, heard(RESOLVED, ends_at=BEGAN), Verdict.LATE),
    "resolved heard later, resolved after it": (
        RESOLVED,
        heard(RESOLVED, starts_at=None, **ENDED),
        Verdict.RESOLVED,
    ),
    "event, the event": (EVENT, heard(EVENT), Verdict.LATE),
}
ROWS |= {
    f"{name}, waited": (
        known(status, seen=0 * SECOND, told=SECOND, level="warn"),
        attrs.evolve(after, waited=True),
        SOURCE,
        expected,
    )
    for name, (status, after, expected) in WAITED.items()
}
ROWS["firing, resolved yesterday"] = (
    known(starts_at=NOW - 2 * DAY),
    heard(RESOLVED, ends_at=NOW - DAY),
    SOURCE,
    Verdict.STALE,
)


@pytest.mark.parametrize(("before", "after", "source", "expected"), ROWS.values(), ids=ROWS)
def test_row(before, after, source, expected):
    """Each row of the table is what the table says."""
    assert verdict(before, after, source) is expected


def test_every_verdict_has_a_row():
    """No verdict is there that these rows do not show."""
    assert {row[-1] for row in ROWS.values()} == set(Verdict)


@pytest.mark.parametrize("row", [name for name, row in ROWS.items() if row[-1] is Verdict.LATE])
def test_what_comes_late_changes_nothing(row):
    """A lagging copy leaves the record as it was, so that it cannot put off the end of the window."""
    before, after, source, _ = ROWS[row]

    assert judge(before, after, source, NOW)[1] is before


def test_what_is_stale_is_known_to_be_over():
    """Nobody is told of an end of yesterday, but it is an end: firing again after it is news."""
    _, record = judge(known(starts_at=NOW - 2 * DAY), heard(RESOLVED, ends_at=NOW - DAY), SOURCE, NOW)

    assert record.status is RESOLVED
    assert verdict(record, heard(starts_at=NOW - HOUR)) is Verdict.REFIRED


def test_a_copy_keeps_what_was_told():
    """A copy is heard of, and leaves time and message of what was told alone."""
    before = known(told=9 * MINUTE)
    _, record = judge(before, heard(), SOURCE, NOW)

    assert record == attrs.evolve(before, seen_at=NOW)


def test_an_end_without_a_time_is_now():
    """Where the stack does not say when it was over, it is over now."""
    assert judge(known(), heard(RESOLVED), SOURCE, NOW)[1].ends_at == NOW
