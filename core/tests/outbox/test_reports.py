"""T7: which report touches which attempt, and what becomes of the delivery."""

from datetime import timedelta

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, Report, ReportState
from tocsin.outbox.evidence import CLOCK_SKEW, EVIDENCE_WINDOW
from tocsin.outbox.state import AttemptState, Event, State

DELIVERED, FAILED, ENROUTE, UNKNOWN = (
    ReportState.DELIVERED,
    ReportState.FAILED,
    ReportState.ENROUTE,
    ReportState.UNKNOWN,
)
REFUSED = Refused(Reason.KEYWORD)
OTHER_NUMBER = "13900000001"


@pytest.mark.parametrize(
    ("reported", "state"),
    [(DELIVERED, State.DELIVERED), (FAILED, State.SUBMITTED), (ENROUTE, State.SUBMITTED), (UNKNOWN, State.SUBMITTED)],
    ids=lambda value: value.name,
)
def test_a_report_moves_what_was_submitted(desk, reported, state):
    """Delivered closes a submitted delivery; what a failure leads to is the policy's to say. The attempt keeps all."""
    delivery = desk.taken()

    desk.report(reported, at=desk.now, code="WORD")

    assert desk.state(delivery) is state
    (attempt,) = desk.attempts(delivery)
    assert (attempt.report, attempt.report_code, attempt.report_at) == (reported, "WORD", desk.now)
    (stored,) = desk.reports()
    assert (stored.delivery, stored.by_number, stored.trust) == (delivery, False, Trust.POLL)


@pytest.mark.parametrize(
    "mismatch",
    [{"vendor_id": "78"}, {"number": OTHER_NUMBER}, {"account": "backup"}, {"vendor_id": None}],
    ids=["another id", "another number", "another account", "no id"],
)
def test_only_account_id_and_number_together_match(desk, mismatch):
    """A report that differs in account, id or number touches nothing, and is kept unmatched (I8)."""
    delivery = desk.taken()
    before = desk.snapshot(delivery)

    desk.report(DELIVERED, **mismatch)

    assert desk.snapshot(delivery) == before
    assert [one.delivery for one in desk.reports()] == [None]


def test_one_id_for_many_numbers_is_told_apart_by_number(desk):
    """In a group that the vendor gave one id, each report touches its own recipient."""
    first, second = desk.accept("13900000001", "13900000002")
    desk.settle(Accepted(VendorId("77")), *desk.intend(first, second))

    desk.report(FAILED, number="13900000002")

    assert (desk.state(first.id), desk.state(second.id)) == (State.SUBMITTED, State.SUBMITTED)
    assert [desk.attempts(one.id)[0].report for one in (first, second)] == [None, FAILED]


@pytest.mark.parametrize("later", [UNKNOWN, ENROUTE, FAILED, DELIVERED], ids=lambda value: value.name)
def test_delivered_is_the_last_word(desk, later):
    """After a delivered report no other changes anything: it is the top of the join."""
    delivery = desk.taken()
    desk.report(DELIVERED)
    before = desk.snapshot(delivery)

    desk.report(later)

    assert desk.snapshot(delivery) == before


def test_a_failed_report_may_be_overruled_by_a_delivered_one(desk):
    """UNDELIVERED becomes DELIVERED by a late report, in that order too."""
    delivery = desk.taken()
    desk.report(FAILED)
    assert desk.close(delivery, Event.REPORTED_FAILED)
    assert desk.state(delivery) is State.UNDELIVERED

    desk.report(DELIVERED)

    assert desk.state(delivery) is State.DELIVERED


@pytest.mark.parametrize("state", [DELIVERED, FAILED], ids=lambda value: value.name)
def test_a_report_may_overtake_the_answer_of_its_submit(desk, state):
    """A report that comes between INTENT and settlement waits, and is matched when the answer brings its id."""
    (delivery,) = desk.accept()
    attempts = desk.intend(delivery)
    desk.report(state)
    assert desk.state(delivery.id) is State.SENDING
    assert desk.reports()[0].delivery is None

    desk.settle(Accepted(VendorId("77")), *attempts)

    assert desk.state(delivery.id) is (State.DELIVERED if state is DELIVERED else State.SUBMITTED)
    assert desk.attempts(delivery.id)[0].report is state
    assert desk.reports()[0].delivery == delivery.id


def test_every_report_that_overtook_is_matched(desk):
    """Of a group's reports that came too early, and twice, each finds its own delivery."""
    deliveries = desk.accept("13900000001", "13900000002", "13900000003")
    attempts = desk.intend(*deliveries)
    for number in ("13900000003", "13900000001", "13900000003"):
        desk.report(DELIVERED, number=number)

    desk.settle(Accepted(VendorId("77")), *attempts)

    assert [desk.state(one.id) for one in deliveries] == [State.DELIVERED, State.SUBMITTED, State.DELIVERED]
    assert [one.delivery for one in desk.reports()] == [deliveries[2].id, deliveries[0].id, deliveries[2].id]


@pytest.mark.parametrize(("age", "matched"), [(EVIDENCE_WINDOW, True), (EVIDENCE_WINDOW * 1.001, False)])
def test_a_report_waits_72_hours_for_its_submit(desk, age, matched):
    """A report that matches nothing is kept for matching for 72 hours, and no longer."""
    desk.report(DELIVERED)
    desk.now += age

    delivery = desk.taken()

    assert desk.state(delivery) is (State.DELIVERED if matched else State.SUBMITTED)


def test_a_late_answer_is_matched_with_what_came_before(desk):
    """A lost lease's acceptance, too, finds the report that came before it."""
    (delivery,) = desk.accept()
    attempts = desk.intend(delivery)
    desk.report(DELIVERED, shared=True)
    desk.outbox.release(desk.holder, desk.now)
    assert desk.state(delivery.id) is State.IN_DOUBT

    desk.settle(Accepted(VendorId("77")), *attempts)

    assert desk.state(delivery.id) is State.DELIVERED


def test_a_report_that_overtook_a_lost_answer_settles_the_doubt(desk):
    """A report that came before its submit's answer was known to be lost settles the doubt as it would have later."""
    (delivery,) = desk.accept()
    attempts = desk.intend(delivery)
    desk.report(DELIVERED)

    desk.settle(Unknown("read-timeout"), *attempts)

    assert desk.state(delivery.id) is State.DELIVERED


def test_the_id_that_settled_a_doubt_finds_what_waited_for_it(desk):
    """A report that came while two were in doubt is joined once a later one of its id has settled one of them."""
    first = desk.doubted()
    (second,) = desk.accept()
    attempts = desk.intend(second)
    desk.outbox.release(desk.holder, desk.now)
    desk.report(DELIVERED)
    assert desk.reports()[0].delivery is None

    desk.settle(Accepted(VendorId("78")), *attempts)
    desk.report(ENROUTE)

    assert [(one.delivery, one.by_number) for one in desk.reports()] == [(first, True), (first, False)]
    assert desk.state(first) is State.DELIVERED


# the only doubt


@pytest.mark.parametrize(
    ("reported", "state"),
    [(DELIVERED, State.DELIVERED), (FAILED, State.SUBMITTED), (ENROUTE, State.SUBMITTED), (UNKNOWN, State.SUBMITTED)],
    ids=lambda value: value.name,
)
@pytest.mark.parametrize("parked", [False, True], ids=["in doubt", "parked"])
def test_the_only_doubt_is_settled_by_number(desk, reported, state, parked):
    """One attempt in doubt of that account and number: the report proves that it was taken, and says that it did."""
    delivery = desk.doubted()
    if parked:
        assert desk.close(delivery, Event.PARK)

    desk.report(reported)

    assert desk.state(delivery) is state
    (attempt,) = desk.attempts(delivery)
    assert (attempt.state, attempt.vendor_id, attempt.report) == (AttemptState.ACCEPTED, "77", reported)
    (stored,) = desk.reports()
    assert (stored.delivery, stored.by_number) == (delivery, True)


def test_a_settled_doubt_hears_later_reports(desk):
    """The id that settled a doubt matches the reports that follow."""
    delivery = desk.doubted()
    desk.report(ENROUTE)
    desk.report(DELIVERED)

    assert desk.state(delivery) is State.DELIVERED
    assert [one.by_number for one in desk.reports()] == [False, True]


def test_of_two_doubts_none_is_settled(desk):
    """Where two attempts are in doubt, a report that names neither settles neither."""
    doubts = desk.doubted(), desk.doubted()

    desk.report(DELIVERED)

    assert [desk.state(one) for one in doubts] == [State.IN_DOUBT, State.IN_DOUBT]
    assert desk.reports()[0].delivery is None


def test_an_attempt_under_way_is_as_good_as_a_doubt(desk):
    """A report may have overtaken the answer of a submit that is under way: then it settles no other one's doubt."""
    doubt = desk.doubted()
    (later,) = desk.accept()
    attempts = desk.intend(later)
    desk.report(DELIVERED, vendor_id="78")

    desk.settle(Accepted(VendorId("78")), *attempts)

    assert (desk.state(doubt), desk.state(later.id)) == (State.IN_DOUBT, State.DELIVERED)


def test_a_doubt_elsewhere_is_nobodys_business(desk):
    """Attempts in doubt of other accounts and numbers neither are settled, nor make this one ambiguous."""
    doubt = desk.doubted()
    others = desk.doubted(account=desk.backup), desk.doubted(number=OTHER_NUMBER)

    desk.report(DELIVERED)

    assert desk.state(doubt) is State.DELIVERED
    assert [desk.state(one) for one in others] == [State.IN_DOUBT, State.IN_DOUBT]


def test_a_shared_account_settles_no_doubt(desk):
    """Where other software sends through the account, a report that names no submit of ours may be theirs."""
    delivery = desk.doubted()

    desk.report(DELIVERED, shared=True)

    assert desk.state(delivery) is State.IN_DOUBT
    assert desk.reports()[0].delivery is None


@pytest.mark.parametrize(
    ("before", "settled"), [(CLOCK_SKEW, True), (CLOCK_SKEW + timedelta(microseconds=1), False)], ids=["skew", "older"]
)
def test_a_report_older_than_the_attempt_settles_no_doubt(desk, before, settled):
    """A report from before the submit is another message's, but for what a vendor's clock may be behind."""
    delivery = desk.doubted()

    desk.report(DELIVERED, at=desk.now - before)

    assert desk.state(delivery) is (State.DELIVERED if settled else State.IN_DOUBT)


@pytest.mark.parametrize(("age", "settled"), [(EVIDENCE_WINDOW, True), (EVIDENCE_WINDOW * 1.001, False)])
def test_a_doubt_hears_reports_for_72_hours(desk, age, settled):
    """An attempt is settled by number within the evidence window, and not beyond it."""
    delivery = desk.doubted()
    desk.now += age

    desk.report(DELIVERED)

    assert desk.state(delivery) is (State.DELIVERED if settled else State.IN_DOUBT)


# late truth


def test_a_delivered_report_ends_what_is_queued_again(desk):
    """What waits for a second copy is not sent again once the first is known to have arrived."""
    delivery = desk.doubted()
    assert desk.outbox.reopen((desk.find(delivery),), desk.now) == (delivery,)
    assert desk.state(delivery) is State.QUEUED

    desk.report(DELIVERED)

    assert desk.state(delivery) is State.DELIVERED


def test_a_delivered_report_ends_what_is_claimed(desk):
    """A claim for a second copy falls with the proof that the first arrived: its INTENT writes nothing."""
    delivery = desk.doubted()
    claimed = desk.reclaimed(delivery)

    desk.report(DELIVERED)

    assert desk.intend(claimed) == ()
    assert desk.state(delivery) is State.DELIVERED


def test_a_delivered_report_waits_for_the_copy_that_is_being_sent(desk):
    """While a second copy is under way the delivery is SENDING; the first one's report is counted when it settles."""
    delivery = desk.doubted()
    claimed = desk.reclaimed(delivery)
    attempts = desk.intend(claimed, account=desk.backup)
    desk.report(DELIVERED)
    assert desk.state(delivery) is State.SENDING

    desk.settle(NotSent("dns"), *attempts, epoch=claimed.epoch, keep=True)

    assert desk.state(delivery) is State.DELIVERED
    assert desk.find(delivery).holder is None


@pytest.mark.parametrize(
    ("event", "state"), [(Event.GIVE_UP, State.FAILED), (Event.EXPIRE, State.EXPIRED)], ids=lambda value: value.value
)
def test_a_delivered_report_corrects_what_was_closed(desk, event, state):
    """A delivery that was closed without success says so once a report proves that it did arrive."""
    delivery = desk.doubted()
    claimed = desk.reclaimed(delivery)
    assert desk.close(delivery, event, seen=claimed)
    assert desk.state(delivery) is state

    desk.report(DELIVERED)

    assert desk.state(delivery) is State.DELIVERED


def test_an_older_attempts_failure_changes_nothing(desk):
    """That the first copy failed says nothing about the second, which is still out."""
    delivery = desk.doubted()
    desk.resent(delivery, Accepted(VendorId("78")))

    desk.report(FAILED)

    assert desk.state(delivery) is State.SUBMITTED
    assert [one.report for one in desk.attempts(delivery)] == [FAILED, None]


def test_an_older_attempts_delivery_closes_it(desk):
    """Any copy that arrived is enough."""
    delivery = desk.doubted()
    desk.resent(delivery, Accepted(VendorId("78")))

    desk.report(DELIVERED)

    assert desk.state(delivery) is State.DELIVERED


@pytest.mark.parametrize(
    ("reported", "state"), [(FAILED, State.SUBMITTED), (ENROUTE, State.SUBMITTED)], ids=lambda value: value.name
)
@pytest.mark.parametrize("outcome", [REFUSED, NotSent("dns")], ids=["refused", "not sent"])
def test_the_newest_copy_that_may_ring_decides(desk, outcome, reported, state):
    """An attempt that proved to ring nobody is no copy: evidence of the only copy settles what was parked for it."""
    delivery = desk.doubted()
    desk.resent(delivery, outcome, keep=True)
    assert desk.close(delivery, Event.PARK)
    assert desk.state(delivery) is State.PARKED

    desk.report(reported)

    assert desk.state(delivery) is state


# what is kept


def test_a_row_for_a_stranger_is_kept(desk):
    """A report of a number that is none of ours, and no E.164 number, is stored as it came."""
    desk.report(DELIVERED, number="10086", vendor_id=None, code="DELIVRD")

    (stored,) = desk.reports()
    assert (stored.report.to.full, stored.report.vendor_id, stored.report.code) == ("10086", None, "DELIVRD")


def test_whole_rows_are_applied_and_the_rest_is_quarantined(desk):
    """What could not be read of an answer is kept aside, and hinders nothing that could be read."""
    delivery = desk.taken()
    row = Report(vendor_id=VendorId("77"), to=parse_number("13900000000"), state=DELIVERED)

    desk.outbox.apply_reports(desk.spool(), Batch(rows=(row,), unparsed=("77,139",)), shared=False, now=desk.now)

    assert desk.state(delivery) is State.DELIVERED
    assert desk.quarantined() == ["77,139"]


def test_a_batch_is_applied_whole_or_not_at_all(desk):
    """A fault at one row takes the whole batch back, and the raw answer stays for another try."""
    delivery = desk.taken()
    good = Report(vendor_id=VendorId("77"), to=parse_number("13900000000"), state=DELIVERED)
    raw = desk.spool(body=b"word for word")

    with pytest.raises(AttributeError):
        desk.outbox.apply_reports(raw, Batch(rows=(good, object())), shared=False, now=desk.now)

    assert (desk.state(delivery), desk.reports()) == (State.SUBMITTED, ())
    assert desk.rows.get_raw(raw).body == b"word for word"


def test_reports_are_shown_newest_first_by_account(desk):
    """Evidence is shown newest first, of all accounts or of the one asked for."""
    for vendor_id, account in (("1", desk.main), ("2", desk.backup), ("3", desk.main)):
        desk.report(ENROUTE, vendor_id=vendor_id, account=account)

    assert [one.report.vendor_id for one in desk.reports()] == ["3", "2", "1"]
    assert [one.report.vendor_id for one in desk.outbox.evidence(desk.main)[0]] == ["3", "1"]
