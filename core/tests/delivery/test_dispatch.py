"""One pass over a message: what comes of each kind of answer."""

import pytest

from tocsin.delivery.dispatch import dispatch
from tocsin.errors import Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.outbox.state import AttemptState, State
from tocsin.plugin import hookimpl
from tocsin.policy.route import InDoubt, RuleChanges
from tocsin.testing.vendor import ExampleVendor, answer_send, sent_text, sent_to
from tocsin.wire.http import HttpResponse

TAKEN = answer_send(Accepted(VendorId("77")))
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")


def hosts(house):
    return [request.url.split("/")[2].removesuffix(".invalid") for request in house.transport.requests]


def states(deliveries):
    return [one.state for one in deliveries]


def test_an_accepted_message_is_submitted(house_of):
    """A success leaves the delivery submitted under the vendor's id, by the first account of its route."""
    house = house_of([TAKEN])

    (delivery,) = house.send()

    assert (delivery.state, delivery.account) == (State.SUBMITTED, "one")
    assert [one.vendor_id for one in house.attempts(delivery)] == ["77"]
    assert [sent_text(one) for one in house.transport.requests] == ["disk full on db1【Example】"]


def test_lost_answer_is_held(house_of):
    """A read timeout after the request went out leaves the delivery in doubt; it is not queued again."""
    house = house_of([LOST])

    (delivery,) = house.send()

    assert delivery.state is State.IN_DOUBT
    assert hosts(house) == ["one"]


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(status=200, body=b"<html>"),
        HttpResponse(status=200),
        HttpResponse(status=200, body=TAKEN.body, fault="oversized"),
        answer_send(Unknown("vendor says -1")),
        answer_send({}),
    ],
    ids=["undecodable", "empty", "cut", "unknown", "nobody named"],
)
def test_whatever_proves_nothing_is_doubt(house_of, answer):
    """An answer that is no proof of anything leaves the delivery in doubt, and asks no other account."""
    house = house_of([answer])

    assert states(house.send()) == [State.IN_DOUBT]
    assert hosts(house) == ["one"]


def test_what_was_not_sent_goes_to_the_next_account(house_of):
    """Proof that nothing left lets the next account try at once."""
    house = house_of([UNREACHED, TAKEN])

    (delivery,) = house.send()

    assert (delivery.state, delivery.account) == (State.SUBMITTED, "two")
    assert [one.state for one in house.attempts(delivery)] == [AttemptState.NOT_SENT, AttemptState.ACCEPTED]


def test_when_nobody_is_reached_it_has_failed(house_of):
    """Each account is tried once; where none is reached the delivery has failed."""
    house = house_of([UNREACHED, UNREACHED])

    assert states(house.send()) == [State.FAILED]
    assert hosts(house) == ["one", "two"]


@pytest.mark.parametrize(
    ("reason", "tried"),
    [(Reason.INVALID_NUMBER, ["one"]), (Reason.AUTHENTICATION, ["one", "two"]), (Reason.KEYWORD, ["one", "two"])],
    ids=lambda value: getattr(value, "label", None),
)
def test_a_refusal_stops_or_moves_on_by_its_reason(house_of, reason, tried):
    """What no vendor can deliver stops; an account's own trouble, and a vendor's taste, lead to the next."""
    house = house_of(lambda _: answer_send(Refused(reason)))

    assert states(house.send()) == [State.FAILED]
    assert hosts(house) == tried


def test_each_recipient_goes_its_own_way(house_of):
    """Of one answer with many outcomes each delivery takes its own: taken, doubtful, refused for good, next account."""
    numbers = ["13900000001", "13900000002", "13900000003", "13900000004"]
    taken, doubtful, hopeless, elsewhere = map(parse_number, numbers)
    mixed = {
        taken: Accepted(VendorId("1")),
        doubtful: Unknown("no word"),
        hopeless: Refused(Reason.BLOCKED),
        elsewhere: Refused(Reason.KEYWORD),
    }
    house = house_of([answer_send(mixed), TAKEN])

    deliveries = house.send(*numbers)

    assert states(deliveries) == [State.SUBMITTED, State.IN_DOUBT, State.FAILED, State.SUBMITTED]
    assert [sent_to(one) for one in house.transport.requests] == [(taken, doubtful, hopeless, elsewhere), (elsewhere,)]


@pytest.mark.parametrize("culprit", range(7))
def test_a_culprit_is_split_out_of_its_group(house_of, culprit):
    """A group is halved by the same account until the culprit stands alone; it alone goes to the next account."""
    numbers = [f"1390000000{position}" for position in range(7)]
    guilty = parse_number(numbers[culprit])

    def answer(request):
        spoilt = guilty in sent_to(request) and request.url.startswith("http://one.")
        return answer_send(Refused(Reason.SPLIT, "-14") if spoilt else Accepted(VendorId("77")))

    house = house_of(answer)
    deliveries = house.send(*numbers)

    assert states(deliveries) == [State.SUBMITTED] * 7
    assert [one.account for one in deliveries] == ["two" if one.to == guilty else "one" for one in deliveries]
    with_culprit = [sent_to(one) for one in house.transport.requests if guilty in sent_to(one)]
    assert with_culprit[-2:] == [(guilty,), (guilty,)]
    assert len(with_culprit) <= 4 + 1


def test_a_stale_stamp_is_sent_again_once(house_of):
    """`retry_once` makes a second attempt by the same account under an INTENT of its own."""
    house = house_of([answer_send(Refused(Reason.RETRY_ONCE)), TAKEN])

    (delivery,) = house.send()

    assert hosts(house) == ["one", "one"]
    assert [one.number for one in house.attempts(delivery)] == [1, 2]
    assert delivery.state is State.SUBMITTED


@pytest.mark.parametrize(
    ("cls", "sizes"),
    [
        (MessageClass.OTP, [20, 20, 10]),
        (MessageClass.CRITICAL, [20, 20, 10]),
        (MessageClass.ALERT, [30, 20]),
        (MessageClass.BULK, [30, 20]),
    ],
    ids=lambda value: value.value if isinstance(value, MessageClass) else None,
)
def test_groups_are_as_large_as_account_and_class_allow(house_of, cls, sizes):
    """Fifty recipients leave in as few requests as the account takes; one lost OTP answer leaves twenty in doubt."""
    house = house_of(lambda _: TAKEN, max_recipients=30)

    deliveries = house.send(*(f"139000000{position}" for position in range(10, 60)), cls=cls)

    requests = [sent_to(one) for one in house.transport.requests]
    assert [len(to) for to in requests] == sizes
    assert [to for group in requests for to in group] == [one.to for one in deliveries]


def test_a_duplicate_after_a_doubt_ends_it(house_of, clock):
    """The same account's "duplicate content" after a lost answer is evidence: submitted, and not sent elsewhere."""
    house = house_of(
        [LOST, answer_send(Refused(Reason.DUPLICATE))],
        rules=RuleChanges(when_in_doubt=InDoubt.RESEND_SAME, max_copies=3),
    )
    (delivery,) = house.send()
    clock.advance(3600)

    (delivery,) = house.resolve(delivery.message)

    assert delivery.state is State.SUBMITTED
    assert [one.state for one in house.attempts(delivery)] == [AttemptState.ACCEPTED, AttemptState.REFUSED]


def test_progress_counts_every_delivery_once(house_of):
    """Progress adds up to the number of deliveries that are done with."""
    numbers = [parse_number(f"1390000000{position}") for position in range(4)]
    first = {
        numbers[0]: Accepted(None),
        numbers[1]: Unknown("?"),
        numbers[2]: Refused(Reason.BLOCKED),
        numbers[3]: Refused(Reason.KEYWORD),
    }
    house = house_of([answer_send(first), TAKEN])
    steps = []

    dispatch(house.parts, house.accept(*(one.full for one in numbers)), house.holder, steps.append)

    assert sum(steps) == 4


def test_a_message_that_is_not_there_is_nobodys_business(house_of):
    """A pass over an unknown message, or one that another holder has, does nothing."""
    house = house_of([])
    assert house.dispatch("no-such") == ()

    (delivery,) = house.dispatch(house.accept(holder="somebody-else"))
    assert (delivery.state, delivery.holder) == (State.CLAIMED, "somebody-else")


def test_nobody_who_can_carry_it(house_of):
    """Where no account can carry the message it fails without a request, and each account's reason is told."""
    vendors = {name: ExampleVendor(f"vendor-{name}", unfit=f"{name} cannot") for name in ("one", "two")}
    house = house_of([], vendors=vendors)

    (delivery,) = house.send()

    (chapter,), _ = house.outbox.story(delivery.id)
    assert delivery.state is State.FAILED
    assert [one["detail"] for one in chapter.explanation["candidates"]] == ["one cannot", "two cannot"]


def test_every_attempt_has_its_decision_in_the_story(house_of):
    """Each submit and each end is explained, in order."""
    house = house_of([UNREACHED, answer_send(Refused(Reason.KEYWORD, "-6"))])

    (delivery,) = house.send()

    chapters, _ = house.outbox.story(delivery.id)
    assert [(one.explanation["decision"], one.explanation.get("account")) for one in chapters] == [
        ("submit", "one"),
        ("submit", "two"),
        ("give_up", None),
    ]


class Impatient(BaseException):
    """A pass goes on for ever."""


def test_a_pass_ends_while_evidence_may_still_come(house_of, clock):
    """A doubt that was claimed too early goes back to wait: the pass does not claim it again and again."""
    house = house_of([LOST])
    (delivery,) = house.send()
    house.outbox.reopen((delivery,), clock.now())
    decisions = iter(range(50))

    def decided(_):
        if next(decisions, None) is None:
            raise Impatient

    dispatch(house.parts, delivery.message, house.holder, decided)

    assert len(house.transport.requests) == 1


class Capacity(ExampleVendor):
    """Carries so many recipients at once as its `fits` says, and breaks at a certain size."""

    def __init__(self, most, breaks_at=None):
        super().__init__("vendor-one")
        self._most, self._breaks_at = most, breaks_at

    @hookimpl
    def fits(self, submission):
        if len(submission.to) == self._breaks_at:
            raise OverflowError
        return "too many" if len(submission.to) > self._most else ""


@pytest.mark.parametrize(("most", "sizes"), [(10, [10]), (9, [5, 5]), (3, [3, 2, 3, 2]), (1, [1] * 10)])
def test_a_group_is_halved_until_it_fits(house_of, most, sizes):
    """What one request cannot hold is halved before INTENT; order is kept, and no refused request is made."""
    house = house_of([TAKEN] * len(sizes), vendors={"one": Capacity(most)})
    numbers = [f"1390000000{index}" for index in range(10)]

    deliveries = house.send(*numbers)

    sent = [sent_to(request) for request in house.transport.requests]
    assert [len(to) for to in sent] == sizes
    assert [number.mainland for to in sent for number in to] == numbers
    assert set(states(deliveries)) == {State.SUBMITTED}


def test_a_plugin_that_cannot_say_what_fits_is_asked_to_send(house_of):
    """A fault while a group is measured strands nobody: the group goes as it is."""
    house = house_of([TAKEN], vendors={"one": Capacity(9, breaks_at=10)})

    deliveries = house.send(*[f"1390000000{index}" for index in range(10)])

    assert set(states(deliveries)) == {State.SUBMITTED}


def test_a_group_that_is_not_taken_as_such_goes_one_by_one(house_of):
    """A refusal of the group as such leads to each recipient alone, by the same account, in the same try."""
    house = house_of([answer_send(Refused(Reason.ONE_BY_ONE, "-19")), TAKEN, TAKEN, TAKEN])

    deliveries = house.send("13900000000", "13900000001", "13900000002")

    assert [len(sent_to(request)) for request in house.transport.requests] == [3, 1, 1, 1]
    assert set(hosts(house)) == {"one"}
    assert set(states(deliveries)) == {State.SUBMITTED}
