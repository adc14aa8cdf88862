"""What is taken in together: each decided about as it finds things, all in one transaction."""

from datetime import timedelta

import attrs
import pytest

from tocsin.errors import InvalidInput, KeyConflict
from tocsin.model.alert import AlertStatus
from tocsin.outbox.alert import AlertKey, AlertRecord, Decided, Intake, Stream, StreamKey, whole
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State

KEY = AlertKey(source="am", receiver="oncall", fingerprint="f1")
STREAM = StreamKey(source="am", audience="a")


def firing(desk, key=KEY, **details):
    return AlertRecord(
        **{
            "key": key,
            "status": AlertStatus.FIRING,
            "level": "critical",
            "starts_at": desk.now,
            "ends_at": None,
            "seen_at": desk.now,
            **details,
        }
    )


def unheld(desk, **details):
    return desk.acceptance(holder=None, **details)


def once(desk):
    """An intake that sends a message for an alert that nobody has heard of, and nothing for any other."""
    acceptance = unheld(desk)

    def decide(standing, now):
        if KEY in standing.alerts:
            return Decided()
        told = firing(desk, told_at=now, message=acceptance.message.id)
        return Decided(acceptances=(acceptance,), alerts=(told,))

    return Intake(decide=decide, alerts=(KEY,))


def test_what_depends_on_nothing_is_accepted(desk):
    """Messages of one batch are all stored, each under its own id."""
    wanted = [unheld(desk) for _ in range(3)]

    taken = desk.outbox.take_in([whole(one) for one in wanted], desk.now)

    assert [one.messages for one in taken] == [(one.message.id,) for one in wanted]
    assert all(desk.outbox.message(one.message.id) == one.message for one in wanted)


def test_a_copy_in_the_same_batch_is_seen(desk):
    """Two peers' copies of one alert in one transaction make one message."""
    first, second = desk.outbox.take_in([once(desk), once(desk)], desk.now)

    assert (len(first.messages), second.messages) == (1, ())
    assert len(desk.outbox.deliveries(Filter())) == 1


def test_one_that_cannot_be_accepted_leaves_the_others(desk):
    """An intake that is refused says why and changes nothing; its neighbours are stored."""

    def refuse(_, __):
        raise InvalidInput("nobody to tell")

    first, refused, last = desk.outbox.take_in([whole(unheld(desk)), Intake(decide=refuse), once(desk)], desk.now)

    assert first.error is last.error is None
    assert isinstance(refused.error, InvalidInput)
    assert {one.message for one in desk.outbox.deliveries(Filter())} == {*first.messages, *last.messages}


def test_a_key_in_a_batch_makes_one_message(desk):
    """The same key twice in a batch is one message; with another body it is a conflict, and nothing else fails."""
    again = [whole(unheld(desk, key="k", fingerprint=one)) for one in "ffg"]

    first, same, other = desk.outbox.take_in(again, desk.now)

    assert first.messages == same.messages
    assert isinstance(other.error, KeyConflict)
    assert len(desk.outbox.deliveries(Filter())) == 1


def test_what_breaks_takes_the_batch_back(desk):
    """An error that is nobody's input rolls the whole transaction back."""

    def break_(_, __):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.outbox.take_in([whole(unheld(desk)), Intake(decide=break_)], desk.now)

    assert desk.outbox.deliveries(Filter()) == ()


def test_alerts_and_streams_are_found_as_they_were_saved(desk):
    """Whatever an intake saves, the next one finds, every field of it."""
    alert = firing(desk, ends_at=desk.now, told_at=desk.now, status=AlertStatus.RESOLVED)
    stream = Stream(key=STREAM, opened_at=desk.now, told=3, held={"names": ["db1 – 磁盘"], "firing": 2})
    found = []

    def look(standing, _):
        found.append(standing)
        return Decided()

    desk.outbox.take_in([Intake(decide=lambda _, __: Decided(alerts=(alert,), streams=(stream,)))], desk.now)
    desk.outbox.take_in([Intake(decide=look, alerts=(KEY,), streams=(STREAM,))], desk.now)

    assert found[0].alerts == {KEY: alert}
    assert found[0].streams == {STREAM: stream}


def pended(desk, release_in=timedelta(hours=1)):
    """Hold a message back in a stream; return its id."""
    acceptance = unheld(desk, due_in=release_in)
    stream = Stream(key=STREAM, opened_at=desk.now, pending=acceptance.message.id, held={"firing": 1})
    desk.outbox.take_in([Intake(decide=lambda _, __: Decided(acceptances=(acceptance,), streams=(stream,)))], desk.now)
    return acceptance.message.id


def as_found(desk):
    found = []

    def look(standing, _):
        found.append(standing.streams[STREAM])
        return Decided()

    desk.outbox.take_in([Intake(decide=look, streams=(STREAM,))], desk.now)
    return found[0]


def test_what_is_held_back_is_pending_until_it_is_due(desk):
    """A pending message is one that no worker can have yet; once it is due, the stream begins anew."""
    message = pended(desk)

    assert as_found(desk).pending == message
    desk.wait(hours=1)
    assert (as_found(desk).pending, as_found(desk).held) == (None, {})


def test_what_somebody_cancelled_is_not_pending(desk):
    """A held message that an operator cancelled is not summed up again."""
    message = pended(desk)
    desk.outbox.cancel(tuple(one.id for one in desk.outbox.deliveries(Filter(message=message))), desk.now)

    assert as_found(desk).pending is None


def test_a_newer_message_takes_the_place_of_the_pending_one(desk):
    """What is superseded is cancelled in the transaction that accepts its successor."""
    message = pended(desk)
    newer = unheld(desk, due_in=timedelta(hours=1))

    desk.outbox.take_in(
        [Intake(decide=lambda _, __: Decided(acceptances=(newer,), supersedes=(message,)), streams=(STREAM,))], desk.now
    )

    states = {one.message: one.state for one in desk.outbox.deliveries(Filter())}
    assert states == {message: State.CANCELLED, newer.message.id: State.QUEUED}


def test_alerts_that_nobody_speaks_of_are_forgotten(desk):
    """Forgetting removes what was last heard of before then, and nothing else."""
    old, new = firing(desk), firing(desk, key=attrs.evolve(KEY, fingerprint="f2"), seen_at=desk.now + timedelta(days=2))
    desk.outbox.take_in([Intake(decide=lambda _, __: Decided(alerts=(old, new)))], desk.now)

    assert desk.outbox.forget_alerts(desk.now + timedelta(days=1)) == 1
    assert desk.rows.alerts.get_alerts([old.key, new.key]) == {new.key: new}
