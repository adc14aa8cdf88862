"""How the polls of each account have gone: what silence is judged by."""

from datetime import timedelta

import pytest

from tocsin.outbox.record import Listening


def heard(desk, account=None, kind="reports", **details):
    return Listening(account=account or desk.main, kind=kind, **{"asked_at": desk.now, **details})


@pytest.mark.parametrize("how", ["note", "end"])
def test_how_a_poll_went_is_remembered(desk, how):
    """What is noted of a poll, with its lease or without one, is found as it was noted."""
    went = heard(desk, heard_at=desk.now, trouble="", gaps=0)
    if how == "note":
        desk.outbox.note_poll(went)
    else:
        desk.outbox.begin_poll(desk.main, desk.holder, desk.now)
        desk.outbox.end_poll(desk.main, desk.holder, went)
        assert desk.outbox.begin_poll(desk.main, desk.other_holder, desk.now)

    assert desk.outbox.listenings() == (went,)


def test_a_poll_that_says_nothing_leaves_what_was_known(desk):
    """To give a poll's lease back without a word changes nothing of what is remembered."""
    desk.outbox.note_poll(heard(desk, heard_at=desk.now))
    before = desk.outbox.listenings()
    desk.outbox.begin_poll(desk.main, desk.holder, desk.now)

    desk.outbox.end_poll(desk.main, desk.holder)

    assert desk.outbox.listenings() == before


def test_a_failed_poll_does_not_forget_when_it_was_last_heard(desk):
    """Trouble and time are the last poll's; `heard_at` is that of the last one that brought a whole answer."""
    first = desk.now
    desk.outbox.note_poll(heard(desk, heard_at=first))
    desk.wait(seconds=30)

    desk.outbox.note_poll(heard(desk, trouble="connect-timeout"))

    (found,) = desk.outbox.listenings()
    assert (found.heard_at, found.asked_at, found.trouble) == (first, desk.now, "connect-timeout")
    desk.wait(seconds=30)
    desk.outbox.note_poll(heard(desk, heard_at=desk.now))
    (found,) = desk.outbox.listenings()
    assert (found.heard_at, found.trouble) == (desk.now, "")


def test_a_first_poll_that_fails_was_never_heard(desk):
    """Where no poll ever brought an answer, there is no time of hearing."""
    desk.outbox.note_poll(heard(desk, trouble="dns"))

    assert desk.outbox.listenings()[0].heard_at is None


def test_gaps_are_counted(desk):
    """What polls lost on their way adds up, and is never forgotten."""
    for gaps in (1, 0, 2):
        desk.outbox.note_poll(heard(desk, gaps=gaps))

    assert [one.gaps for one in desk.outbox.listenings()] == [3]


def test_each_account_and_kind_is_remembered_apart(desk):
    """Polls of another account, or of inbound messages, say nothing about these; all are told in order."""
    for account, kind, gaps in ((desk.main, "reports", 1), (desk.main, "inbound", 2), (desk.backup, "reports", 4)):
        desk.outbox.note_poll(heard(desk, account, kind, gaps=gaps))

    assert [(one.account, one.kind, one.gaps) for one in desk.outbox.listenings()] == [
        ("backup", "reports", 4),
        ("main", "inbound", 2),
        ("main", "reports", 1),
    ]


def test_a_listening_survives_the_store_to_the_microsecond(desk):
    """Times come back as they went in."""
    asked_at = desk.now + timedelta(microseconds=123457)
    went = heard(desk, asked_at=asked_at, heard_at=asked_at + timedelta(microseconds=1), trouble="周", gaps=7)

    desk.outbox.note_poll(went)

    assert desk.outbox.listenings() == (went,)
