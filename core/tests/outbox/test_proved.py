"""Which accounts are known to deliver, by their reports."""

from datetime import timedelta

from tocsin.model.report import ReportState


def test_the_newest_delivered_report_counts(desk):
    """Of each account it is known when what it took was last delivered; a failed report proves nothing."""
    before = desk.now - timedelta(seconds=1)
    desk.taken("71", number="13900000001")
    desk.taken("72", number="13900000002", account=desk.backup)
    desk.wait(seconds=5)
    first = desk.now
    desk.report(ReportState.DELIVERED, "71", "13900000001", at=first)
    desk.report(ReportState.FAILED, "72", "13900000002", desk.backup, at=first)
    assert desk.outbox.accounts.proved(before) == {desk.main: first}

    desk.taken("73", number="13900000003")
    desk.wait(seconds=5)
    desk.report(ReportState.DELIVERED, "73", "13900000003", at=desk.now)
    assert desk.outbox.accounts.proved(before) == {desk.main: desk.now}


def test_a_report_without_a_time_proves_what_was_accepted(desk):
    """Where a vendor's report does not say when, the acceptance is the proof's time: never too new."""
    desk.taken("71")
    accepted_at = desk.now
    desk.wait(seconds=5)
    desk.report(ReportState.DELIVERED, "71")

    assert desk.outbox.accounts.proved(accepted_at - timedelta(seconds=1)) == {desk.main: accepted_at}


def test_what_was_taken_earlier_is_left_out(desk):
    """Only what was accepted after the time asked about counts."""
    desk.taken("71")
    desk.report(ReportState.DELIVERED, "71", at=desk.now)

    assert desk.outbox.accounts.proved(desk.now) == {}
    assert desk.outbox.accounts.proved(desk.now - timedelta(microseconds=1)) == {desk.main: desk.now}
