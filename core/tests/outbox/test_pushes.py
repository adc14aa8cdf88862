"""What vendors push: how far it is trusted, what comes twice, and which poll it brings forward."""

from datetime import timedelta

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_vendor_number
from tocsin.model.push import Trust, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.outbox.arrivals import MOST_PIECES
from tocsin.outbox.record import RawAnswer
from tocsin.outbox.state import State

NUMBER = "13900000000"
DELIVERED, FAILED = ReportState.DELIVERED, ReportState.FAILED
TOKEN, PEER, POLL = Trust.TOKEN, Trust.TOKEN_AND_PEER, Trust.POLL
PUSHED = (TOKEN, PEER)


def report(state=DELIVERED, vendor_id="77", number=NUMBER, **details):
    named = None if vendor_id is None else VendorId(vendor_id)
    return Report(vendor_id=named, to=parse_vendor_number(number), state=state, **details)


def reply(desk, text="TD", **details):
    return InboundMessage(**{"sender": parse_vendor_number(NUMBER), "text": text, "at": desk.now, **details})


def spool(desk, trust):
    return desk.outbox.spool(RawAnswer(account=desk.main, kind="pushed", trust=trust, body=b"raw"), desk.now)


def push(desk, trust, *rows, unparsed=(), shared=False, words=("TD",)):
    """Have a push come, and say whether it was applied."""
    reports = tuple(one for one in rows if isinstance(one, Report))
    inbound = tuple(one for one in rows if isinstance(one, InboundMessage))
    held = VerifiedPush(reports=Batch(rows=reports, unparsed=unparsed), inbound=Batch(rows=inbound))
    return desk.outbox.apply_push(spool(desk, trust), held, words, shared=shared, now=desk.now)


def poll_inbound(desk, *rows):
    raw = desk.spool(kind="inbound")
    desk.outbox.apply_inbound(raw, Batch(rows=rows), desk.now, ("TD",))


def inbox(desk):
    return desk.outbox.evidence(desk.main)[1]


def silenced(desk):
    return [one.number.full for one in desk.outbox.accounts.all_opted_out()]


def test_a_report_from_an_allowed_peer_closes_a_delivery(desk):
    """With token and peer a pushed report is joined like a polled one, and its tier is recorded."""
    delivery = desk.taken()

    assert push(desk, PEER, report())

    assert desk.state(delivery) is State.DELIVERED
    assert [(one.delivery, one.trust) for one in desk.reports()] == [(delivery, PEER)]


@pytest.mark.parametrize("state", [DELIVERED, FAILED])
def test_a_report_with_a_token_alone_touches_nothing(desk, state):
    """Right id and number or not: it is stored with its tier, and neither delivery nor attempt is what it was not."""
    delivery = desk.taken()
    before = desk.snapshot(delivery)

    assert push(desk, TOKEN, report(state))

    assert desk.snapshot(delivery) == before
    assert [(one.delivery, one.trust) for one in desk.reports()] == [(None, TOKEN)]


def test_a_token_alone_settles_no_doubt(desk):
    """The only attempt in doubt of an account and number stays in doubt."""
    delivery = desk.doubted()

    push(desk, TOKEN, report())
    assert desk.state(delivery) is State.IN_DOUBT

    push(desk, PEER, report())
    assert desk.state(delivery) is State.DELIVERED


def test_what_a_token_alone_said_is_never_adopted(desk):
    """A report that waits for its submit's answer is adopted when that comes; one with a token alone is not."""
    (delivery,) = desk.accept()
    attempts = desk.intend(delivery)
    push(desk, TOKEN, report())

    desk.settle(Accepted(VendorId("77")), *attempts)
    assert desk.state(delivery.id) is State.SUBMITTED

    (later,) = desk.accept()
    attempts = desk.intend(later)
    push(desk, PEER, report(vendor_id="78"))
    desk.settle(Accepted(VendorId("78")), *attempts)
    assert desk.state(later.id) is State.DELIVERED


def test_nor_by_way_of_a_doubt(desk):
    """An attempt whose answer is lost does not look for what a token alone said of its number."""
    (delivery,) = desk.accept()
    desk.intend(delivery)
    push(desk, TOKEN, report(), report(vendor_id=None))

    desk.outbox.release(desk.holder, desk.now)

    assert desk.state(delivery.id) is State.IN_DOUBT


@pytest.mark.parametrize("trust", PUSHED)
def test_a_push_that_comes_twice_is_stored_once(desk, trust):
    """Vendors try again, and attackers play back: the same rows of the same account are there once."""
    desk.taken()
    rows = report(at=desk.now), report(FAILED, at=desk.now), report(vendor_id=None), reply(desk)
    for _ in range(3):
        push(desk, trust, *rows, *rows)
        desk.wait(seconds=1)

    assert (len(desk.reports()), len(inbox(desk))) == (3, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"state": FAILED},
        {"vendor_id": "78"},
        {"vendor_id": None},
        {"number": "13900000001"},
        {"code": "X"},
        {"at": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_rows_that_differ_are_both_stored(desk, other):
    """A row that differs in state, id, number, code or time says something else."""
    push(desk, TOKEN, report(at=desk.now))
    push(desk, TOKEN, report(**{"at": desk.now, **other}))

    assert len(desk.reports()) == 2


def test_a_better_witness_is_heard(desk):
    """What a token alone said, an allowed peer may say again: then it counts."""
    delivery = desk.taken()
    push(desk, TOKEN, report())
    push(desk, PEER, report())
    push(desk, TOKEN, report())

    assert desk.state(delivery) is State.DELIVERED
    assert sorted(one.trust for one in desk.reports()) == [TOKEN, PEER]


def test_a_token_alone_silences_nobody(desk):
    """A forged opt-out is kept, with its tier, and not obeyed: who is on call goes on being called."""
    push(desk, TOKEN, reply(desk))

    assert silenced(desk) == []
    assert [one.trust for one in inbox(desk)] == [TOKEN]


@pytest.mark.parametrize("trust", [PEER, POLL])
def test_an_opt_out_that_is_proved_later_is_obeyed_then(desk, trust):
    """The same message by a better way is the same message, trusted as that way is; its word is obeyed."""
    message = reply(desk)
    push(desk, TOKEN, message)

    if trust is PEER:
        push(desk, PEER, message)
    else:
        poll_inbound(desk, message)

    assert silenced(desk) == ["+86" + NUMBER]
    assert [one.trust for one in inbox(desk)] == [trust]


def test_a_push_after_a_poll_adds_nothing(desk):
    """What a poll brought is known when it is pushed, and stays as trusted as it is."""
    message = reply(desk, "x")
    poll_inbound(desk, message)
    push(desk, TOKEN, message)
    push(desk, PEER, message)

    assert [one.trust for one in inbox(desk)] == [POLL]


def test_polls_are_believed_when_they_repeat(desk):
    """A poll takes its rows away: two equal rows of polls are two messages, whatever was pushed before."""
    message = reply(desk, "x")
    push(desk, PEER, message)
    poll_inbound(desk, message, message)
    poll_inbound(desk, message)

    assert [one.trust for one in inbox(desk)] == [POLL] * 3


def test_texts_that_nothing_tells_apart_are_all_kept(desk):
    """Without a time and without an id two equal texts may be two messages."""
    for _ in range(2):
        push(desk, PEER, reply(desk, "x", at=None))
        push(desk, PEER, reply(desk, "y", at=None, vendor_id=VendorId("9")))

    assert sorted(one.message.text for one in inbox(desk)) == ["x", "x", "y"]


@pytest.mark.parametrize(
    "other", [{"text": "T D"}, {"extension": "1"}, {"vendor_id": VendorId("9")}], ids=lambda other: next(iter(other))
)
def test_messages_that_differ_are_both_stored(desk, other):
    """Another text, extension or id is another message, and so is one of another second."""
    push(desk, TOKEN, reply(desk))
    push(desk, TOKEN, reply(desk, **other))
    push(desk, TOKEN, reply(desk, at=desk.now + timedelta(seconds=1)))

    assert len(inbox(desk)) == 3


def test_a_token_alone_makes_the_next_poll_wanted(desk):
    """Only a poll can tell whether it is true, so one of that kind is wanted sooner; an allowed peer needs none."""
    push(desk, PEER, report(), reply(desk))
    assert desk.outbox.wanted_polls(desk.main) == {}

    push(desk, TOKEN, report())
    first = desk.now
    assert desk.outbox.wanted_polls(desk.main) == {"reports": first}

    desk.wait(seconds=5)
    push(desk, TOKEN, reply(desk))
    assert desk.outbox.wanted_polls(desk.main) == {"reports": first, "inbound": desk.now}
    assert desk.outbox.wanted_polls(desk.backup) == {}


def test_a_push_is_applied_once(desk):
    """Whoever comes second, in another process, finds it read and changes nothing."""
    raw = spool(desk, TOKEN)
    held = VerifiedPush(reports=Batch(rows=(report(vendor_id=None),)))

    assert desk.outbox.apply_push(raw, held, shared=False, now=desk.now)
    assert not desk.outbox.apply_push(raw, held, shared=False, now=desk.now)
    assert len(desk.reports()) == 1
    assert desk.outbox.unread(desk.main, "pushed") == {}


def test_a_push_that_nobody_read_is_found(desk):
    """What a killed gateway had spooled stands there to be read, with its tier."""
    raw = spool(desk, TOKEN)

    assert {name: one.trust for name, one in desk.outbox.unread(desk.main, "pushed").items()} == {raw: TOKEN}
    desk.outbox.quarantine(raw, "x", desk.now)


def test_unreadable_pieces_of_a_push_are_kept_within_bounds(desk):
    """A push is kept whole, and up to a hundred of its unreadable pieces beside it: a flood of them is counted."""
    push(desk, TOKEN, unparsed=("a", "b"))
    assert desk.quarantined() == ["a", "b"]

    push(desk, TOKEN, unparsed=("c",) * (MOST_PIECES + 7))
    assert desk.quarantined()[2:] == ["c"] * MOST_PIECES + ["and 7 more"]
