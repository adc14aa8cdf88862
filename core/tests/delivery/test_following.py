"""What a worker does about silence, failure and doubt: who is asked next, and what a late report still changes."""

from datetime import timedelta

import pytest

from tocsin.delivery import poll
from tocsin.errors import Reached, TransportError
from tocsin.model.account import Polling
from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, State
from tocsin.policy.route import RuleChanges
from tocsin.testing.vendor import answer_reports, answer_send

NUMBER = parse_number("13900000000")
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")
IDS = {"one": "71", "two": "72", "three": "73"}


class Carrier:
    """Both vendors: each takes what it is given under an id of its own, and reports what a test wants.

    Attributes:
        loses: accounts whose answer to a submit is lost, though they took it.
        refuses: accounts that refuse a submit.
        words: what each account reports at its next poll.
    """

    def __init__(self):
        self.loses, self.refuses, self.words, self.taken = set(), set(), {}, []

    def __call__(self, request):
        account, method = request.url.removeprefix("http://").replace(".invalid", "").split("/")
        if method == "reports":
            return answer_reports(self.words.pop(account, ()))
        if account in self.refuses:
            return answer_send(Refused(Reason.KEYWORD))
        self.taken.append(account)
        if account in self.loses:
            raise LOST
        return answer_send(Accepted(VendorId(IDS[account])))

    def report(self, account, state, vendor_id=None):
        row = Report(vendor_id=VendorId(vendor_id or IDS[account]), to=NUMBER, state=state, code="WORD")
        self.words.setdefault(account, []).append(row)


@pytest.fixture
def carrier():
    return Carrier()


def fetch(house, account="one"):
    return poll.fetch_reports(house.parts, house.accounts[account], house.holder)


def state(house):
    (delivery,) = house.outbox.deliveries(Filter())
    return delivery.state


def only(house):
    (delivery,) = house.outbox.deliveries(Filter())
    return delivery


def copies(house):
    return sum(one.is_copy for one in house.attempts(only(house)))


def chapters(house):
    told, _ = house.outbox.story(only(house).id)
    return [one.explanation for one in told]


ALERT_SILENCE_S = 300


def test_silence_leads_to_the_next_account(house_of, desk_of, carrier, clock):
    """An alert whose report does not come in five minutes goes to the other account, once, and says why."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)

    desk.until(ALERT_SILENCE_S - 1, step_s=1)
    assert (carrier.taken, state(house)) == (["one"], State.SUBMITTED)
    desk.until(1)

    assert (carrier.taken, state(house)) == (["one", "two"], State.SUBMITTED)
    assert [one.get("trigger") for one in chapters(house) if one["decision"] == "submit"] == ["first", "silence"]
    desk.until(3600, step_s=60)
    assert carrier.taken == ["one", "two"]
    assert only(house).report_overdue


def test_a_report_in_time_leaves_nothing_to_do(house_of, desk_of, carrier):
    """Delivered is delivered: no other account is asked, however long nothing else happens."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.work()
    carrier.report("one", ReportState.DELIVERED)
    fetch(house)

    desk.until(3600, step_s=60)

    assert (carrier.taken, state(house)) == (["one"], State.DELIVERED)


def test_silence_about_a_notice_is_a_mark(house_of, desk_of, carrier):
    """A notice stays with its vendor: it is shown as overdue, and no copy is sent."""
    house = house_of(carrier)
    house.queue(cls=MessageClass.NOTICE)
    desk = desk_of(house)

    desk.until(29 * 60, step_s=60)
    assert not only(house).report_overdue
    desk.until(2 * 60, step_s=60)

    assert (carrier.taken, state(house), only(house).report_overdue) == (["one"], State.SUBMITTED, True)


def test_a_route_may_make_silence_short(house_of, desk_of, carrier):
    """`report_timeout` of a route moves on after that time, also for a class that would only mark it."""
    house = house_of(carrier, rules=RuleChanges(report_timeout=timedelta(seconds=5), max_copies=2))
    house.queue(cls=MessageClass.NOTICE)

    desk_of(house).until(5)

    assert carrier.taken == ["one", "two"]


def test_what_was_taken_without_an_id_is_never_sent_again(house_of, desk_of):
    """No report can name it, so silence proves nothing (I3)."""
    house = house_of(lambda _: answer_send(Accepted(None)))
    house.queue()

    desk_of(house).until(3600, step_s=60)

    assert (state(house), len(house.transport.requests)) == (State.SUBMITTED, 1)


def test_while_reports_cannot_be_fetched_silence_proves_nothing(house_of, desk_of, carrier, clock):
    """The account was polled, and is not any more: an alert waits; as soon as it is polled again in vain, it moves."""
    house = house_of(carrier)
    fetch(house)
    house.queue()
    desk = desk_of(house)

    desk.until(3600, step_s=30)
    assert carrier.taken == ["one"]
    fetch(house)
    desk.until(60, step_s=30)

    assert carrier.taken == ["one", "two"]


def test_an_account_that_is_not_polled_any_more_is_taken_at_its_silence(house_of, desk_of, carrier):
    """Its reports are pushed from now on: that they were fetched once is no reason to wait for the next fetch."""
    house = house_of(carrier, poll=Polling(reports_s=0))
    fetch(house)
    house.queue()

    desk_of(house).until(ALERT_SILENCE_S, step_s=30)

    assert carrier.taken == ["one", "two"]


def test_a_critical_message_takes_silence_at_its_word(house_of, desk_of, carrier):
    """It cannot afford to wait for a poller that is down."""
    house = house_of(carrier)
    fetch(house)
    house.queue(cls=MessageClass.CRITICAL)

    desk_of(house).until(90, step_s=30)

    assert carrier.taken == ["one", "two"]


@pytest.mark.parametrize("cls", [MessageClass.OTP, MessageClass.CRITICAL, MessageClass.ALERT], ids=str)
def test_a_failed_report_leads_to_the_next_account_at_once(house_of, desk_of, carrier, cls):
    """A carrier that did not deliver leaves room for a copy through another vendor."""
    house = house_of(carrier)
    house.queue(cls=cls)
    desk = desk_of(house)
    desk.work()
    carrier.report("one", ReportState.FAILED)
    fetch(house)

    desk.work()

    assert (carrier.taken, state(house), copies(house)) == (["one", "two"], State.SUBMITTED, 1)


@pytest.mark.parametrize("cls", [MessageClass.NOTICE, MessageClass.BULK], ids=str)
def test_a_failed_report_ends_what_is_not_urgent(house_of, desk_of, carrier, cls):
    """A class that stops there is undelivered, and no copy is sent."""
    house = house_of(carrier)
    house.queue(cls=cls)
    desk = desk_of(house)
    desk.work()
    carrier.report("one", ReportState.FAILED)
    fetch(house)

    desk.work()

    assert (carrier.taken, state(house)) == (["one"], State.UNDELIVERED)


def test_where_every_account_failed_it_is_undelivered(house_of, desk_of, carrier):
    """Each account's failed report leads to the next, and the last one's to the end."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.work()
    for account in ("one", "two"):
        carrier.report(account, ReportState.FAILED)
        fetch(house, account)
        desk.work()

    assert (carrier.taken, state(house)) == (["one", "two"], State.UNDELIVERED)
    assert "reported that it was not delivered" in chapters(house)[-1]["why"]


def test_a_late_report_of_the_first_copy_counts(house_of, desk_of, carrier):
    """Silence led to the second account; the first one's delivered report comes after all: delivered, two copies."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.until(ALERT_SILENCE_S, step_s=60)
    assert carrier.taken == ["one", "two"]
    carrier.report("one", ReportState.DELIVERED)
    fetch(house)

    desk.work()

    assert (state(house), copies(house)) == (State.DELIVERED, 2)
    assert [one.report for one in house.attempts(only(house))] == [ReportState.DELIVERED, None]


def test_a_late_report_while_the_move_waits_ends_it(house_of, desk_of, carrier):
    """The report comes while the second copy still waits for a line: it does not leave."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.work()
    desk.lines = 0
    desk.until(ALERT_SILENCE_S, step_s=60)
    assert state(house) is State.CLAIMED
    carrier.report("one", ReportState.DELIVERED)
    fetch(house)
    desk.lines = 4

    desk.until(5)

    assert (carrier.taken, state(house), desk.dispatcher.in_hand) == (["one"], State.DELIVERED, 0)


def test_a_failed_report_of_an_older_copy_changes_nothing(house_of, desk_of, carrier):
    """Of two copies the newer may still arrive: the delivery stays with its vendor."""
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.until(ALERT_SILENCE_S, step_s=60)
    carrier.report("one", ReportState.FAILED)
    fetch(house)

    desk.until(60)

    assert (carrier.taken, state(house)) == (["one", "two"], State.SUBMITTED)


def test_a_second_copy_that_nobody_takes_leaves_the_first_under_way(house_of, desk_of, carrier):
    """Silence leads to an account that refuses: the first copy's report is still awaited, and never said to fail."""
    carrier.refuses = {"two"}
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)

    desk.until(3600, step_s=60)

    assert (state(house), only(house).report_overdue) == (State.SUBMITTED, True)
    assert [one.state for one in house.attempts(only(house))] == [AttemptState.ACCEPTED, AttemptState.REFUSED]


def test_after_three_days_nobody_will_ever_know(house_of, desk_of, carrier):
    """The window for reports closes on what stayed silent; a later report still corrects it."""
    house = house_of(carrier)
    house.queue(cls=MessageClass.NOTICE)
    desk = desk_of(house)

    desk.until(71 * 3600, step_s=3600)
    assert state(house) is State.SUBMITTED
    desk.until(2 * 3600, step_s=1800)
    assert state(house) is State.REPORT_TIMEOUT
    carrier.report("one", ReportState.DELIVERED)
    fetch(house)

    assert state(house) is State.DELIVERED


def test_a_doubt_waits_for_evidence_then_goes_to_the_other(house_of, desk_of, carrier):
    """An alert in doubt waits a minute; then the other account gets its one copy."""
    carrier.loses = {"one"}
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)

    desk.until(59)
    assert (carrier.taken, state(house)) == (["one"], State.IN_DOUBT)
    desk.until(1)

    assert (carrier.taken, state(house), copies(house)) == (["one", "two"], State.SUBMITTED, 2)


def test_evidence_ends_a_doubt(house_of, desk_of, carrier):
    """A report that settles it within the wait means no copy."""
    carrier.loses = {"one"}
    house = house_of(carrier)
    house.queue()
    desk = desk_of(house)
    desk.work()
    carrier.report("one", ReportState.DELIVERED)
    fetch(house)

    desk.until(600, step_s=60)

    assert (carrier.taken, state(house)) == (["one"], State.DELIVERED)


@pytest.mark.parametrize("cls", [MessageClass.NOTICE, MessageClass.BULK], ids=str)
def test_a_doubt_that_is_held_is_parked_with_an_alarm(house_of, desk_of, carrier, lines, cls):
    """A class of one copy waits for evidence as long as it may, then stands parked, and somebody is told."""
    carrier.loses = {"one"}
    house = house_of(carrier)
    house.queue(cls=cls)
    desk = desk_of(house)

    desk.until(25 * 3600, step_s=600)

    assert (carrier.taken, state(house)) == (["one"], State.PARKED)
    assert [(one["reason"], one["count"]) for one in lines.of("tocsin.alarm")] == [("parked", "1")]


def test_when_both_are_in_doubt_it_is_parked(house_of, desk_of, carrier):
    """Two lost answers are all the copies an alert may have."""
    carrier.loses = {"one", "two"}
    house = house_of(carrier, accounts=("one", "two", "three"))
    house.queue()

    desk_of(house).until(3600, step_s=30)

    assert (carrier.taken, state(house)) == (["one", "two"], State.PARKED)


def test_a_failed_report_ends_a_parked_doubt(house_of, desk_of, carrier):
    """Parked, then reported undelivered: for a notice that is the end."""
    carrier.loses = {"one"}
    house = house_of(carrier)
    house.queue(cls=MessageClass.NOTICE)
    desk = desk_of(house)
    desk.until(3600, step_s=600)
    assert state(house) is State.PARKED
    carrier.report("one", ReportState.FAILED)
    fetch(house)

    desk.work()

    assert state(house) is State.UNDELIVERED


def test_doubts_of_many_messages_go_on_in_one_request(house_of, desk_of, carrier):
    """Fifty messages of one text, each in doubt: the second copies leave together, as the first ones did."""
    carrier.loses = {"one"}
    house = house_of(carrier)
    for position in range(50):
        house.queue(f"139000000{position:02}")
    desk = desk_of(house)

    desk.until(60, step_s=10)

    assert carrier.taken == ["one", "two"]
