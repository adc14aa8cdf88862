"""Sequences of posts that were observed of real stacks, in their shape: what people are told of each."""

import json
from datetime import timedelta

import pytest

from tocsin.model.alert import AlertRequest
from tocsin.registry import build_registry

YEAR_ONE = "0001-01-01T00:00:00Z"
ALERTMANAGER = build_registry().sources["alertmanager"]


def one(fingerprint, status="firing", starts="21:50:00.383252558Z", ends=None, **labels):
    return {
        "status": status,
        "labels": {"alertname": "DiskFull", "host": fingerprint} | labels,
        "annotations": {},
        "startsAt": f"2026-11-21T{starts}",
        "endsAt": f"2026-11-21T{ends}" if ends else YEAR_ONE,
        "generatorURL": "",
        "fingerprint": fingerprint,
    }


def post(*alerts, **changes):
    return {"receiver": "ops", "version": "4", "truncatedAlerts": 0, "alerts": list(alerts)} | changes


@pytest.fixture
def tell(watch):
    """Posts as Alertmanager does, so many seconds after the last; returns the texts of what comes of it."""
    at_work = watch()

    def tell(document, seconds=5):
        at_work.wait(seconds=seconds)
        request = AlertRequest(headers=(), query=(), body=json.dumps(document).encode())
        notice = ALERTMANAGER.read_alerts(ALERTMANAGER.kind.settings(), request, at_work.now)
        return at_work.take(
            *notice.alerts, receiver=notice.receiver, truncated=notice.truncated, repeated=notice.repeated
        )

    return tell


def test_a_group_fires_and_is_resolved_in_two_steps(tell):
    """Two fire; one is resolved while the other fires; that one is resolved, and fires again."""
    assert tell(post(one("db1"), one("db2"))) == ["FIRING DiskFull db1\nFIRING DiskFull db2"]
    assert tell(post(one("db1", "resolved", ends="21:59:00Z"), one("db2"))) == ["RESOLVED DiskFull db1"]
    assert tell(post(one("db2", "resolved", ends="21:59:12Z"))) == ["RESOLVED DiskFull db2"]
    assert tell(post(one("db2", starts="21:59:29.833543728Z"))) == ["FIRING DiskFull db2"]


def test_a_receiver_that_is_slow_hears_twice(tell):
    """The second peer posts the same 15 s later, at another address of its own, 2.5 ms apart."""
    first = post(one("db1", starts="21:50:53.969324524Z"), externalURL="http://am1.example:9093")
    second = post(one("db1", starts="21:50:53.966829214Z"), externalURL="http://am2.example:9093")

    assert tell(first) == ["FIRING DiskFull db1"]
    assert tell(second, 15) == []


def test_firing_after_resolved(tell):
    """One peer's copy of the beginning comes 4.4 s after the other peer's end, and wakes nobody."""
    tell(post(one("db1")))
    assert tell(post(one("db1", "resolved", ends="21:59:00Z"))) == ["RESOLVED DiskFull db1"]
    assert tell(post(one("db1")), 4.4) == []
    assert tell(post(one("db1", "resolved", ends="21:59:00Z"))) == []


def test_26_attempts_of_one_notification(tell):
    """A stack that gives up each time, and posts the same again for six minutes, makes one message."""
    assert sum(len(tell(post(one("db1")), 14)) for _ in range(26)) == 1


def test_a_superset_after_failures(tell):
    """While it could not be delivered the group grew: what is told already is not told again."""
    tell(post(one("db1")))
    assert tell(post(one("db1"), one("db2"), one("db3"))) == ["FIRING DiskFull db2\nFIRING DiskFull db3"]


def test_a_repeat_interval(tell):
    """Four hours later the same again is a repeat, and so is one that says so; the other peer's copy of it is not."""
    tell(post(one("db1")))
    assert tell(post(one("db1")), 4 * 3600) == ["FIRING DiskFull db1"]
    assert tell(post(one("db1"), notification_reason="repeat interval elapsed"), 300) == ["FIRING DiskFull db1"]
    assert tell(post(one("db1"), notification_reason="repeat interval elapsed"), 15) == []


def test_truncated(tell):
    """With max_alerts, what was left out is counted."""
    assert tell(post(one("h1"), one("h2"), receiver=r"max\.alerts\+2", truncatedAlerts=3)) == [
        "FIRING DiskFull h1\nFIRING DiskFull h2\n+3 more"
    ]


def test_a_link_that_was_cut(tell):
    """An alert that its stack took for over, and finds firing as before, is told once no copy can be under way."""
    tell(post(one("db1")))
    tell(post(one("db1", "resolved", ends="21:59:00Z")))
    assert tell(post(one("db1")), timedelta(minutes=10).total_seconds()) == ["FIRING DiskFull db1"]


def test_a_stack_that_sends_no_ends(tell):
    """With send_resolved off, what fires anew is told by when it began, even where repeats are close."""
    tell(post(one("db1")), 60)
    assert tell(post(one("db1", starts="22:05:00Z")), 300) == ["FIRING DiskFull db1"]
