"""What phones sent, what could not be read, and who may poll."""

from datetime import timedelta

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.phone import parse_vendor_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage
from tocsin.outbox.record import RawAnswer
from tocsin.outbox.store import LEASE


def inbound(sender, text="T", **details):
    return InboundMessage(sender=parse_vendor_number(sender), text=text, **details)


@pytest.mark.parametrize(
    "sender", ["13900000000", "+4915100000000", "10086", "106900001234", "Example", "+8610086", "+1", "+", ""]
)
def test_an_inbound_message_is_stored_as_it_came(desk, sender):
    """A reply is kept with sender, text, time, extension and id, whatever its sender looks like."""
    message = inbound(sender, "收到 🙂\r\n", at=desk.now, extension="0012", vendor_id=VendorId("77"))

    desk.outbox.apply_inbound(desk.spool(kind="inbound"), Batch(rows=(message,)), desk.now)

    _, (stored,) = desk.outbox.evidence(desk.main)
    assert (stored.message, stored.account, stored.received_at) == (message, desk.main, desk.now)


def test_inbound_messages_are_shown_newest_first_by_account(desk):
    """Inbound messages are shown newest first, of all accounts or of the one asked for."""
    for text, account in (("1", desk.main), ("2", desk.backup), ("3", desk.main)):
        raw = desk.spool(account=account, kind="inbound")
        desk.outbox.apply_inbound(raw, Batch(rows=(inbound("10086", text),)), desk.now)

    assert [one.message.text for one in desk.outbox.evidence(None)[1]] == ["3", "2", "1"]
    assert [one.message.text for one in desk.outbox.evidence(desk.main)[1]] == ["3", "1"]


def test_unreadable_pieces_are_kept(desk):
    """What could not be read, in part or at all, is quarantined (I7)."""
    raw = desk.spool(kind="inbound")

    desk.outbox.apply_inbound(raw, Batch(rows=(inbound("10086"),), unparsed=("|,|", "rest")), desk.now)
    desk.outbox.quarantine(raw, "not the vendor's form", desk.now)

    assert desk.quarantined() == ["|,|", "rest", "not the vendor's form"]


def test_a_raw_answer_is_kept_word_for_word(desk):
    """Raw bytes, kind, trust and fault are what was spooled, for as many answers as came."""
    answers = [
        RawAnswer(account=desk.main, kind="reports", trust=Trust.POLL, body=bytes(range(256)), fault="oversized"),
        RawAnswer(account=desk.backup, kind="inbound", trust=Trust.TOKEN, body=b""),
    ]

    names = [desk.outbox.spool(answer, desk.now) for answer in answers]

    assert [desk.rows.get_raw(name) for name in names] == answers


def test_an_answer_is_unread_until_it_is_applied_or_quarantined(desk):
    """What was spooled and not yet applied is found by account and kind, in order: the vendor will not repeat it."""
    first, second, third = (desk.spool(body=body) for body in (b"1", b"2", b"3"))
    elsewhere = desk.spool(account=desk.backup), desk.spool(kind="inbound")
    assert list(desk.outbox.unread(desk.main, "reports")) == [first, second, third]

    desk.outbox.apply_reports(first, Batch(), shared=False, now=desk.now)
    desk.outbox.quarantine(third, "not the vendor's form", desk.now)
    assert {raw: answer.body for raw, answer in desk.outbox.unread(desk.main, "reports").items()} == {second: b"2"}

    desk.outbox.apply_inbound(elsewhere[1], Batch(), desk.now)
    assert list(desk.outbox.unread(desk.backup, "reports")) == [elsewhere[0]]
    assert desk.outbox.unread(desk.main, "inbound") == {}


def test_one_poller_for_each_account(desk):
    """While one holder polls an account no other may; other accounts are free, and so is the holder itself."""
    assert desk.outbox.begin_poll(desk.main, desk.holder, desk.now)

    assert not desk.outbox.begin_poll(desk.main, desk.other_holder, desk.now)
    assert desk.outbox.begin_poll(desk.backup, desk.other_holder, desk.now)
    assert desk.outbox.begin_poll(desk.main, desk.holder, desk.now)


def test_a_poll_lease_ends(desk):
    """A poll lease ends when it is given back, when its time is over, or with its holder."""
    desk.outbox.begin_poll(desk.main, desk.holder, desk.now)
    desk.outbox.end_poll(desk.main, desk.holder)
    assert desk.outbox.begin_poll(desk.main, desk.other_holder, desk.now)

    desk.now += LEASE
    assert not desk.outbox.begin_poll(desk.main, desk.holder, desk.now)
    desk.now += timedelta(microseconds=1)
    assert desk.outbox.begin_poll(desk.main, desk.holder, desk.now)

    desk.dead.add(desk.holder)
    assert desk.outbox.begin_poll(desk.main, desk.other_holder, desk.now)


def test_nobody_ends_anothers_poll(desk):
    """A poller that lost its lease does not end the next one's."""
    desk.outbox.begin_poll(desk.main, desk.holder, desk.now)

    desk.outbox.end_poll(desk.main, desk.other_holder)
    desk.outbox.end_poll(desk.backup, desk.other_holder)

    assert not desk.outbox.begin_poll(desk.main, desk.other_holder, desk.now)
