"""Which deliveries leave in one request."""

from datetime import UTC, datetime
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.delivery.coalesce import Planned, coalesce
from tocsin.model.account import Account
from tocsin.model.ids import AccountId, DeliveryId, MessageId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.model.submission import Submission
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.policy.decision import Submit, Trigger
from tocsin.policy.route import CLASS_RULES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = [parse_number(f"139000000{position:02}") for position in range(60)]

quick = settings(deadline=None, max_examples=200)


def plan(position, to, account="one", text="t", room=100):
    delivery = Delivery(
        id=DeliveryId(f"m.{position}"),
        message=MessageId("m"),
        to=to,
        state=State.CLAIMED,
        route="all",
        due_at=NOW,
        expires_at=NOW,
        updated_at=NOW,
    )
    return Planned(
        delivery=delivery,
        decision=Submit(account=AccountId(account), why="w", judgements=(), trigger=Trigger.FIRST),
        rules=CLASS_RULES[MessageClass.ALERT],
        account=Account(id=AccountId(account), vendor="v", base_url="http://v.invalid", settings=None),
        submission=Submission(to=(to,), texts=(text,)),
        room=room,
    )


@st.composite
def plans(draw):
    """Any deliveries: numbers that repeat, some accounts, texts and sizes."""
    parts = st.tuples(
        st.sampled_from(NUMBERS[:8]),
        st.sampled_from(["one", "two"]),
        st.sampled_from("ab"),
        st.sampled_from([1, 3, 20]),
    )
    return [plan(position, *part) for position, part in enumerate(draw(st.lists(parts, max_size=40)), start=1)]


@quick
@given(plans())
def test_every_delivery_is_in_one_group(planned):
    """Coalescing loses nobody and doubles nobody."""
    grouped = [one.delivery.id for group in coalesce(planned) for one in group.planned.values()]

    assert sorted(grouped) == sorted(one.delivery.id for one in planned)


@quick
@given(plans())
def test_a_group_is_one_request(planned):
    """All of a group share account and text, fit into the room, and no number stands twice."""
    for group in coalesce(planned):
        members = list(group.planned.values())
        assert len({one.kind for one in members}) == 1
        assert len(members) <= group.room == members[0].room
        assert list(group.planned) == [one.delivery.to for one in members]


@quick
@given(plans())
def test_order_is_kept(planned):
    """Within a group, and from group to group by their first, deliveries stand in the order given."""
    order = {one.delivery.id: position for position, one in enumerate(planned)}
    groups = [[order[one.delivery.id] for one in group.planned.values()] for group in coalesce(planned)]

    assert all(group == sorted(group) for group in groups)
    assert groups == sorted(groups)


@quick
@given(st.integers(1, 60), st.integers(1, 60))
def test_one_text_leaves_in_as_few_requests_as_can_be(count, room):
    """One text to N numbers leaves in ceil(N / room) requests, each but the last of them full."""
    groups = coalesce(plan(position, to, room=room) for position, to in enumerate(NUMBERS[:count], start=1))

    assert len(groups) == ceil(count / room)
    assert all(group.full for group in groups[:-1])


def test_a_number_that_is_there_twice_leaves_twice():
    """Two deliveries to one number, as of two messages with one text, go in two requests."""
    first, second = coalesce([plan(1, NUMBERS[0]), plan(2, NUMBERS[0]), plan(3, NUMBERS[1])])

    assert [list(first.planned), list(second.planned)] == [[NUMBERS[0], NUMBERS[1]], [NUMBERS[0]]]


def test_a_group_makes_the_request_of_those_asked_for():
    """The submission of a group is its first member's, for the recipients that are left of it."""
    (group,) = coalesce(plan(position, to, text="hello") for position, to in enumerate(NUMBERS[:3], start=1))

    submission = group.submission(NUMBERS[1:3])

    assert (submission.to, submission.texts) == (tuple(NUMBERS[1:3]), ("hello",))
