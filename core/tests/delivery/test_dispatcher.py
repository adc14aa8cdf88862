"""A worker's desk: what it takes out of the store, what it lets leave, and what it does with what comes back."""

from datetime import timedelta
from math import ceil

import pytest

from tocsin.delivery import dispatcher
from tocsin.errors import Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, State
from tocsin.plugin import Capabilities, Exchange, HttpRequest, SendResult, hookimpl
from tocsin.policy.route import RuleChanges
from tocsin.testing.vendor import ExampleVendor, answer_send, sent_to

TAKEN = answer_send(Accepted(VendorId("77")))
REFUSED = answer_send(Refused(Reason.KEYWORD))
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")


def numbers(count, start=0):
    return [f"139{position:08}" for position in range(start, start + count)]


def host(request):
    return request.url.split("/")[2].removesuffix(".invalid")


def hosts(house):
    return [host(request) for request in house.transport.requests]


def sizes(house):
    return [len(sent_to(request)) for request in house.transport.requests]


def states(house, message=None):
    return [one.state for one in house.outbox.deliveries(Filter(message=message))]


def attempts(house, message):
    (delivery,) = house.deliveries(message)
    return [(one.account, one.state) for one in house.attempts(delivery)]


def always(*answers):
    """Answer by host: `one` gets the first, `two` the second; an exception is raised."""

    def answer(request):
        found = dict(zip(("one", "two"), answers, strict=False))[host(request)]
        if isinstance(found, Exception):
            raise found
        return found

    return answer


class Writing(ExampleVendor):
    """Takes personalised texts, and writes down what it is asked to submit."""

    def __init__(self, name="vendor-one", refuse=lambda _: None, **capabilities):
        can = {"max_recipients": 500, "interfaces": ("post",), "personalised": True, **capabilities}
        super().__init__(name, Capabilities(**can))
        self.submissions = []
        self._refuse = refuse

    @hookimpl
    def send(self, account, submission):
        self.submissions.append(submission)
        return Exchange(HttpRequest(url=f"{account.base_url}/send", body=b"", submits=True), self._decode(submission))

    def _decode(self, submission):
        outcome = self._refuse(submission) or Accepted(VendorId("77"))
        return lambda _: SendResult.all(submission.to, outcome)


# what leaves together


@pytest.mark.parametrize(
    ("messages", "each", "room"), [(1, 120, 50), (3, 40, 50), (7, 33, 10), (2, 131, 15), (1, 170, 60), (4, 50, 99)]
)
def test_one_text_leaves_in_as_few_requests_as_can_be(house_of, desk_of, monkeypatch, messages, each, room):
    """One text to N recipients: ceil(N / max) requests, as one message or as many, or claim by claim."""
    monkeypatch.setattr(dispatcher, "MOST_IN_HAND", 100)
    house = house_of(lambda _: TAKEN, max_recipients=room, vendors={"one": Writing(max_recipients=room)})
    for number in range(messages):
        house.queue(*numbers(each, start=number * each), cls=MessageClass.BULK)

    count = desk_of(house).work()

    assert count == ceil(messages * each / room)
    assert set(states(house)) == {State.SUBMITTED}


def test_different_texts_leave_in_one_request_where_the_account_takes_that(house_of, desk_of):
    """Thirty messages, each its own text to its own number: one request by the first account, thirty by the other."""
    writing = Writing()
    house = house_of(lambda _: TAKEN, vendors={"one": writing}, max_recipients=500)
    for position, number in enumerate(numbers(30)):
        house.queue(number, text=f"text {position}")

    assert desk_of(house).work() == 1
    (submission,) = writing.submissions
    assert dict(submission.pairs()) == {
        parse_number(number): f"text {position}【Example】" for position, number in enumerate(numbers(30))
    }


def test_different_texts_go_apart_elsewhere(house_of, desk_of):
    """An account that takes one text for all gets a request for each text."""
    house = house_of(lambda _: TAKEN)
    for position, number in enumerate(numbers(6)):
        house.queue(number, text=f"text {position}")

    assert desk_of(house).work() == 6
    assert sizes(house) == [1] * 6


@pytest.mark.parametrize("cls", [MessageClass.OTP, MessageClass.CRITICAL], ids=lambda cls: cls.value)
def test_codes_and_alarms_leave_in_small_groups(house_of, desk_of, cls):
    """Fifty texts of a class whose lost answer would hurt: twenty to a request at most, personalised or not."""
    writing = Writing()
    house = house_of(lambda _: TAKEN, vendors={"one": writing}, max_recipients=500)
    for position, number in enumerate(numbers(50)):
        house.queue(number, text=f"code {position}", cls=cls)
    house.queue(*numbers(50, start=100), text="one text", cls=cls)

    desk_of(house).work()

    assert sorted(len(one.to) for one in writing.submissions) == [10, 10, 20, 20, 20, 20]


def test_a_number_never_stands_twice_in_a_request(house_of, desk_of):
    """Three texts to one number, in three messages, are three requests."""
    writing = Writing()
    house = house_of(lambda _: TAKEN, vendors={"one": writing})
    for text in "abc":
        house.queue("13900000000", text=text)

    assert desk_of(house).work() == 3


def test_the_most_urgent_leaves_first(house_of, desk_of):
    """With one line, a code overtakes a mass mailing that came before it."""
    writing = Writing(personalised=False)
    house = house_of(lambda _: TAKEN, vendors={"one": writing})
    for cls in (MessageClass.BULK, MessageClass.NOTICE, MessageClass.ALERT, MessageClass.CRITICAL):
        house.queue("13900000000", text=cls.value, cls=cls)

    desk_of(house, lines=1).work()

    assert [one.text for one in writing.submissions] == [
        f"{cls}【Example】" for cls in ("critical", "alert", "notice", "bulk")
    ]


def test_a_code_overtakes_what_fills_the_desk(house_of, desk_of, monkeypatch):
    """While as much is in hand as may be, a code that is queued leaves with the first line after room is made."""
    monkeypatch.setattr(dispatcher, "MOST_IN_HAND", 10)
    writing = Writing(personalised=False)
    house = house_of(lambda _: TAKEN, vendors={"one": writing})
    for position, number in enumerate(numbers(40)):
        house.queue(number, text=f"text {position}", cls=MessageClass.BULK)
    desk = desk_of(house, lines=1)
    desk.land(desk.leave())
    house.queue("13900000099", text="code", cls=MessageClass.OTP)

    desk.land(desk.leave())

    assert writing.submissions[1].text == "code【Example】"


def test_a_full_desk_never_stands_still(house_of, desk_of, monkeypatch):
    """More different texts than may be in hand, none of which fills a request: they leave all the same."""
    monkeypatch.setattr(dispatcher, "MOST_IN_HAND", 10)
    house = house_of(lambda _: TAKEN)
    for position, number in enumerate(numbers(25)):
        house.queue(number, text=f"text {position}")
    desk = desk_of(house)

    assert desk.work() == 25
    assert states(house) == [State.SUBMITTED] * 25


def test_lines_are_busy_from_the_first_while_a_backlog_is_claimed(house_of, desk_of, monkeypatch):
    """A round claims no more than is asked about at once: what can leave does not wait for all that is due."""
    monkeypatch.setattr(dispatcher, "AT_ONCE", 10)
    house = house_of(lambda _: TAKEN)
    for position, number in enumerate(numbers(40)):
        house.queue(number, text=f"text {position}")
    desk = desk_of(house, lines=2)

    (first, second) = desk.leave()

    assert states(house).count(State.QUEUED) == 30
    desk.land((first, second))
    assert desk.work() == 38
    assert states(house) == [State.SUBMITTED] * 40


def test_no_more_is_claimed_than_may_be_in_hand(house_of, desk_of, monkeypatch):
    """What is not claimed stays queued, for whoever is next if this worker dies."""
    monkeypatch.setattr(dispatcher, "MOST_IN_HAND", 100)
    house = house_of(lambda _: TAKEN, max_recipients=40)
    house.queue(*numbers(250), cls=MessageClass.BULK)
    desk = desk_of(house, lines=0)

    assert desk.leave() == ()
    assert (desk.dispatcher.in_hand, desk.dispatcher.full) == (100, True)
    assert states(house).count(State.CLAIMED) == 100
    desk.lines = 4
    assert desk.work() == ceil(250 / 40)


def test_what_a_request_cannot_hold_takes_a_line_for_each_piece(house_of, desk_of):
    """Of a group that does not fit, as many pieces get an INTENT as there are lines; the others keep their turn."""

    class Narrow(ExampleVendor):
        @hookimpl
        def fits(self, submission):
            return "too many" if len(submission.to) > 3 else ""

    house = house_of(lambda _: TAKEN, vendors={"one": Narrow("narrow")})
    house.queue(*numbers(24))
    desk = desk_of(house, lines=4)

    departures = desk.leave()

    assert [len(one.attempts) for one in departures] == [3, 3, 3, 3]
    assert states(house).count(State.CLAIMED) == 12
    desk.land(departures)
    desk.work()
    assert [to.mainland for request in house.transport.requests for to in sent_to(request)] == numbers(24)


class Moody(ExampleVendor):
    """Fails to say what it can, each time but so many."""

    def __init__(self, answers):
        super().__init__("vendor-one")
        self._answers = answers

    @hookimpl
    def capabilities(self):
        self._answers -= 1
        if self._answers < 0:
            raise ZeroDivisionError
        return Capabilities(max_recipients=100, interfaces=("post",))


@pytest.mark.parametrize("answers", range(7))
def test_a_plugin_that_fails_to_say_what_it_can_stops_nobody(house_of, desk_of, answers):
    """Whenever it begins to fail, everybody is submitted, by another account or one by one, and the worker goes on."""
    house = house_of(lambda _: TAKEN, vendors={"one": Moody(answers)})
    message = house.queue(*numbers(3))

    desk_of(house).work()

    assert states(house, message) == [State.SUBMITTED] * 3


# what comes back


def test_what_one_account_does_not_take_goes_to_the_next_at_once(house_of, desk_of):
    """A refusal, and proof that nothing left, lead to the next account in the next round: no time goes by."""
    house = house_of(always(UNREACHED, TAKEN))
    message = house.queue()
    other = house.queue("13900000001")

    desk_of(house).work()

    assert (
        attempts(house, message)
        == attempts(house, other)
        == [
            ("one", AttemptState.NOT_SENT),
            ("two", AttemptState.ACCEPTED),
        ]
    )


def test_while_nobody_can_be_reached_it_is_tried_in_rounds(house_of, desk_of):
    """Both vendors dark: each has its turn, then there are pauses, and it is delivered soon after they come back."""
    dark = True

    def answer(_):
        if dark:
            raise UNREACHED
        return TAKEN

    house = house_of(answer)
    message = house.queue()
    desk = desk_of(house)

    desk.work()
    (delivery,) = house.deliveries(message)
    assert (delivery.state, delivery.holder) == (State.QUEUED, None)
    assert delivery.due_at > house.clock.now()
    assert len(attempts(house, message)) == 2
    desk.until(600, step_s=5)
    tried = len(attempts(house, message))
    dark = False
    desk.until(300, step_s=5)

    assert 6 <= tried <= 24
    assert states(house, message) == [State.SUBMITTED]


def test_it_expires_where_nobody_can_be_reached_until_its_time_is_over(house_of, desk_of):
    """The last pause ends with the message's time; then it has expired, and no vendor is asked again (I9)."""
    house = house_of(always(UNREACHED, UNREACHED), rules=RuleChanges(expires_after=timedelta(seconds=60)))
    message = house.queue()
    desk = desk_of(house)

    desk.until(59)
    assert states(house, message) == [State.QUEUED]
    desk.until(2)

    assert states(house, message) == [State.EXPIRED]
    tried = len(house.transport.requests)
    desk.until(600, step_s=60)
    assert len(house.transport.requests) == tried


def test_what_waits_for_a_line_expires_there(house_of, desk_of):
    """Its time goes by while every line is busy: it does not leave any more."""
    house = house_of([], rules=RuleChanges(expires_after=timedelta(seconds=30)))
    message = house.queue()
    desk = desk_of(house, lines=0)
    desk.until(29)
    assert states(house, message) == [State.CLAIMED]
    house.clock.advance(1)
    desk.lines = 1

    desk.work()
    desk.work()

    assert states(house, message) == [State.EXPIRED]
    assert (desk.dispatcher.in_hand, house.transport.requests) == (0, [])


def test_a_culprit_is_split_out_of_a_mixed_group(house_of, desk_of):
    """A group of different texts is halved, into mixed groups, until the culprit stands alone and has failed."""
    guilty = parse_number("13900000005")
    refuse = lambda submission: Refused(Reason.SPLIT) if guilty in submission.to else None  # noqa: E731
    writing = Writing(refuse=refuse)
    house = house_of(lambda _: TAKEN, accounts=("one",), vendors={"one": writing})
    for position, number in enumerate(numbers(8)):
        house.queue(number, text=f"text {position}")

    desk_of(house).work()

    with_culprit = [len(one.to) for one in writing.submissions if guilty in one.to]
    assert with_culprit == [8, 4, 2, 1]
    assert [len(one.to) for one in writing.submissions if guilty not in one.to] == [4, 2, 1]
    assert states(house).count(State.SUBMITTED) == 7


def test_a_mixed_group_that_is_not_taken_as_such_goes_one_by_one(house_of, desk_of):
    """The account takes no personalised group after all: each goes alone by the same account."""
    refuse = lambda submission: Refused(Reason.ONE_BY_ONE) if len(submission.to) > 1 else None  # noqa: E731
    writing = Writing(refuse=refuse)
    house = house_of(lambda _: TAKEN, vendors={"one": writing})
    for position, number in enumerate(numbers(5)):
        house.queue(number, text=f"text {position}")

    desk_of(house).work()

    assert [len(one.to) for one in writing.submissions] == [5, 1, 1, 1, 1, 1]
    assert [one.account for one in house.outbox.deliveries(Filter())] == ["one"] * 5


def test_a_mixed_group_is_repeated_once_as_it_was(house_of, desk_of):
    """`retry_once` submits the same group again, whole; a second such refusal leads to the next account."""
    first = Writing(refuse=lambda _: Refused(Reason.RETRY_ONCE))
    second = Writing("vendor-two")
    house = house_of(lambda _: TAKEN, vendors={"one": first, "two": second})
    for position, number in enumerate(numbers(5)):
        house.queue(number, text=f"text {position}")

    desk_of(house).work()

    assert [len(one.to) for one in first.submissions] == [5, 5]
    assert [len(one.to) for one in second.submissions] == [5]


# what happens meanwhile


def test_what_is_scheduled_leaves_at_its_time(house_of, desk_of, clock):
    """Nothing leaves early; at its time it goes by an account that cannot schedule, as a message to send at once."""
    writing = Writing(personalised=False, scheduling=False)
    house = house_of(lambda _: TAKEN, vendors={"one": writing})
    message = house.queue(send_at=clock.now() + timedelta(minutes=10))
    desk = desk_of(house)

    desk.until(599, step_s=1)
    assert (states(house, message), writing.submissions) == ([State.QUEUED], [])
    desk.until(1)

    assert states(house, message) == [State.SUBMITTED]
    assert [one.send_at for one in writing.submissions] == [None]


def test_messages_of_different_times_leave_together_once_they_are_due(house_of, desk_of, clock):
    """One text that was scheduled for three times, all gone by, is one request."""
    house = house_of(lambda _: TAKEN)
    for position, number in enumerate(numbers(3)):
        house.queue(number, send_at=clock.now() + timedelta(minutes=position))
    clock.advance(600)

    assert desk_of(house).work() == 1


def test_what_is_cancelled_while_queued_does_not_leave(house_of, desk_of):
    """A cancelled delivery is not claimed; the others of its message leave."""
    house = house_of(lambda _: TAKEN)
    message = house.queue(*numbers(3))
    first, *_ = house.deliveries(message)
    house.outbox.cancel((first.id,), house.clock.now())

    desk_of(house).work()

    assert states(house, message) == [State.CANCELLED, State.SUBMITTED, State.SUBMITTED]
    assert sizes(house) == [2]


def test_what_is_claimed_cannot_be_cancelled(house_of, desk_of):
    """Once it is in hand, cancelling changes nothing, and says so."""
    house = house_of([])
    message = house.queue()
    desk = desk_of(house, lines=0)
    desk.work()
    (delivery,) = house.deliveries(message)

    assert house.outbox.cancel((delivery.id,), house.clock.now()) == ()
    assert states(house, message) == [State.CLAIMED]
    desk.dispatcher.release()


def test_a_claim_that_was_lost_lets_nothing_out(house_of, desk_of, clock):
    """Another holder has what waited here for a line: it does not leave from this desk."""
    house = house_of(lambda _: TAKEN)
    message = house.queue()
    desk = desk_of(house, lines=0)
    desk.work()
    clock.advance(61)
    house.outbox.recover(clock.now())
    house.outbox.claim_due("somebody-else", 10, clock.now())
    desk.lines = 4

    assert desk.work() == 0
    (delivery,) = house.deliveries(message)
    assert (delivery.state, delivery.holder, desk.dispatcher.in_hand) == (State.CLAIMED, "somebody-else", 0)
    house.outbox.release("somebody-else", clock.now())


@pytest.mark.parametrize("lines", [1, 2, 9])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_claim_that_was_lost_and_taken_again_lets_one_out(house_of, desk_of, clock, rounds, lines):
    """A machine that slept, whose claims somebody gave back, claims them anew: one request each by each account."""
    house = house_of(always(UNREACHED, TAKEN))
    messages = [house.queue(), house.queue(text="another")]
    desk = desk_of(house, lines=0)
    desk.work()
    for _ in range(rounds):
        clock.advance(61)
        house.outbox.recover(clock.now())
        desk.work()
    desk.lines = lines

    desk.until(9)

    for message in messages:
        assert attempts(house, message) == [("one", AttemptState.NOT_SENT), ("two", AttemptState.ACCEPTED)]
    assert desk.dispatcher.in_hand == 0


def test_the_answer_of_a_lost_claim_is_kept_as_evidence(house_of, desk_of, clock):
    """An acceptance that comes when the claim is over ends the doubt that the claim left behind."""
    seen = []

    def answer_late(_):
        clock.advance(61)
        house.outbox.recover(clock.now())
        seen.extend(states(house))
        return TAKEN

    house = house_of(answer_late)
    message = house.queue()
    desk = desk_of(house)

    desk.land(desk.leave())

    assert seen == [State.IN_DOUBT]
    assert states(house, message) == [State.SUBMITTED]
    assert desk.leave() == ()


def test_what_is_claimed_is_given_back(house_of, desk_of):
    """A desk that closes leaves everything that has not left queued, for the next one."""
    house = house_of([TAKEN])
    message = house.queue(*numbers(3))
    desk = desk_of(house, lines=0)
    desk.work()
    assert states(house, message) == [State.CLAIMED] * 3

    desk.dispatcher.release()

    assert states(house, message) == [State.QUEUED] * 3
    assert desk.dispatcher.in_hand == 0
    assert desk_of(house).work() == 1
