"""The shipped fakes do as they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tocsin.testing import FakeClock, RecordingTransport, ScriptedTransport, ScriptExhausted


def test_clock_moves_only_when_told():
    """Wall clock and monotonic time stand still, and go on together."""
    clock = FakeClock(datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    before = clock.monotonic()
    clock.advance(2.5)

    assert clock.now() == datetime(2026, 1, 1, 0, 0, 2, 500_000, tzinfo=UTC)
    assert clock.monotonic() - before == 2.5


def test_clock_refuses_to_run_back():
    """Time has a zone and a direction."""
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="back"):
        FakeClock().advance(-1)


def test_transport_gives_its_script_in_turn():
    """Answers are returned, exceptions raised, requests and the closing recorded."""
    transport = ScriptedTransport(["one", OSError("two")])

    assert transport.perform("first") == "one"
    with pytest.raises(OSError, match="two"):
        transport.perform("second")
    with pytest.raises(ScriptExhausted, match="request 3"):
        transport.perform("third")
    transport.close()

    assert transport.requests == ["first", "second", "third"]
    assert transport.closed


def test_recording_transport_carries_and_keeps():
    """Every request is kept in order and carried as it is; closing closes the transport beneath."""
    beneath = ScriptedTransport(["first", "second"])
    recording = RecordingTransport(beneath)

    assert [recording.perform("a"), recording.perform("b")] == ["first", "second"]
    recording.close()

    assert recording.requests == beneath.requests == ["a", "b"]
    assert beneath.closed
