"""Which deliveries leave in one request, and when."""

from collections import Counter
from datetime import UTC, datetime
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.delivery.coalesce import Planned, Platform, coalesce
from tocsin.model.account import Account
from tocsin.model.ids import AccountId, DeliveryId, MessageId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.model.submission import Attachment, Submission
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.policy.decision import Submit, Trigger
from tocsin.policy.judge import Candidate
from tocsin.policy.route import CLASS_RULES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = [parse_number(f"139000000{position:02}") for position in range(60)]

quick = settings(max_examples=200)


def plan(position, to, account="one", text="t", room=100, cls=MessageClass.ALERT, **more):
    delivery = Delivery(
        id=DeliveryId(f"m.{position}"),
        message=MessageId("m"),
        to=to,
        state=State.CLAIMED,
        route="all",
        due_at=NOW,
        expires_at=NOW,
        updated_at=NOW,
        urgency=cls.urgency,
    )
    return Planned(
        delivery=delivery,
        decision=Submit(account=AccountId(account), why="w", judgements=(), trigger=Trigger.FIRST),
        rules=CLASS_RULES[cls],
        account=Account(id=AccountId(account), vendor="v", base_url="http://v.invalid", settings=None),
        submission=Submission(to=(to,), texts=(text,), **more),
        room=room,
        cls=cls,
        retries=False,
        bill=Candidate(account=AccountId(account)),
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


def takes_all(_):
    return True


class Free:
    """So many free lines to each account."""

    def __init__(self, **lines):
        self._lines = Counter(lines)

    def __call__(self, account):
        self._lines[account.id] -= 1
        return self._lines[account.id] >= 0


def platform_of(planned, personalised=takes_all):
    platform = Platform(personalised)
    for one in planned:
        platform.add(one)
    return platform


def members(groups):
    return [[one.delivery.id for one in group.planned.values()] for group in groups]


def texts(group):
    return {one.submission.text for one in group.planned.values()}


@quick
@given(st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from("abcdefgh")), max_size=60), st.sampled_from([3, 9]))
def test_different_texts_leave_together_where_the_account_takes_that(parts, room):
    """Everybody leaves once, and each request fits; without personalised texts it holds one text."""
    planned = [plan(position, to, text=text, room=room) for position, (to, text) in enumerate(parts)]

    mixed, apart = coalesce(planned, takes_all), coalesce(planned)

    for groups in (mixed, apart):
        assert sorted(name for group in members(groups) for name in group) == sorted(one.delivery.id for one in planned)
        assert all(len(group.planned) <= room for group in groups)
        assert all(to == one.delivery.to for group in groups for to, one in group.planned.items())
    assert all(len(texts(group)) == 1 for group in apart)
    assert len(mixed) <= len(apart)


@quick
@given(st.permutations(NUMBERS[:4] * 3 + NUMBERS[4:20]), st.sampled_from([4, 7, 100]))
def test_personalised_texts_leave_in_few_requests(numbers, room):
    """All texts different: as many requests as the busiest number has texts or the room asks, or two more."""
    groups = coalesce((plan(n, to, text=f"text {n}", room=room) for n, to in enumerate(numbers)), takes_all)

    least = max(3, ceil(len(numbers) / room))
    assert least <= len(groups) <= least + 2


def test_a_pair_of_texts_to_each_of_many_leaves_in_two_requests():
    """Two texts to every number, one after the other: two requests, and not one for each number."""
    numbers = [to for to in NUMBERS[:30] for _ in range(2)]

    groups = coalesce((plan(n, to, text=f"text {n}") for n, to in enumerate(numbers)), takes_all)

    assert [len(group.planned) for group in groups] == [30, 30]


def test_one_text_to_many_is_not_mixed_with_others():
    """Only single recipients are put together: one text to many keeps its own, smaller, request."""
    to_many = [plan(position, to) for position, to in enumerate(NUMBERS[:3])]
    alone = [plan(10, NUMBERS[10], text="a"), plan(11, NUMBERS[11], text="b")]

    groups = coalesce([*to_many, *alone], takes_all)

    assert members(groups) == [["m.0", "m.1", "m.2"], ["m.10", "m.11"]]
    assert groups[1].submission(groups[1].planned).texts == ("a", "b")


@pytest.mark.parametrize(
    "other",
    [
        {"account": "two"},
        {"extension": "7"},
        {"send_at": NOW},
        {"subject": "s"},
        {"attachments": (Attachment("a.gif", b"gif"),)},
        {"room": 20},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_a_request_says_once_must_be_the_same(other):
    """Different texts share a request only under one account, room, extension, time, subject and set of files."""
    alone = [plan(1, NUMBERS[0], text="a"), plan(2, NUMBERS[1], text="b", **other)]

    assert members(coalesce(alone, takes_all)) == [["m.1"], ["m.2"]]


def test_multimedia_messages_are_never_mixed():
    """Two different ones with the same files go apart: one container for all is what a vendor takes."""
    files = (Attachment("a.gif", b"gif"),)

    groups = coalesce((plan(n, NUMBERS[n], text=f"text {n}", attachments=files) for n in range(2)), takes_all)

    assert len(groups) == 2


def test_only_accounts_that_take_it_get_different_texts():
    """The account is asked: one that is not personalised gets a request for each text."""
    planned = [plan(n, NUMBERS[n], text=f"text {n}", account=name) for n, name in enumerate(["one", "two"] * 3)]

    groups = coalesce(planned, lambda account: account.id == "two")

    assert members(groups) == [["m.0"], ["m.1", "m.3", "m.5"], ["m.2"], ["m.4"]]


def test_the_most_urgent_leaves_first():
    """A mass mailing that came first does not keep an alarm waiting for a line."""
    classes = [MessageClass.BULK, MessageClass.NOTICE, MessageClass.ALERT, MessageClass.OTP]
    platform = platform_of((plan(n, NUMBERS[n], text=cls, cls=cls) for n, cls in enumerate(classes)), lambda _: False)

    left = [members(platform.leave(Free(one=1), all_are_here=True)) for _ in classes]

    assert left == [[["m.3"]], [["m.2"]], [["m.1"]], [["m.0"]]]
    assert len(platform) == 0


def test_who_has_no_line_waits_and_gets_company():
    """What waits for a line to its vendor keeps its place, and others of its text may join it until it leaves."""
    platform = platform_of([plan(1, NUMBERS[1]), plan(2, NUMBERS[2], account="two")])

    assert members(platform.leave(Free(two=1), all_are_here=True)) == [["m.2"]]
    platform.add(plan(3, NUMBERS[3]))
    platform.add(plan(4, NUMBERS[4]))

    assert len(platform) == 3
    assert [name for name in ("m.1", "m.2", "m.3", "m.4") if name in platform] == ["m.1", "m.3", "m.4"]
    assert members(platform.leave(Free(one=1), all_are_here=True)) == [["m.1", "m.3", "m.4"]]


def test_different_texts_that_wait_for_a_line_become_one_request():
    """However many rounds they came in: who waits for a line is joined by who comes later, up to the room."""
    platform = platform_of([])
    for position in range(12):
        platform.add(plan(position, NUMBERS[position], text=f"text {position}", room=10))
        assert platform.leave(Free(), all_are_here=True) == ()

    left = platform.leave(takes_all, all_are_here=True)

    assert [len(group.planned) for group in left] == [10, 2]


def test_one_text_joins_one_that_waits_and_not_a_mixture():
    """A mixture is left alone by `add`: one text to many is not spread over requests of other texts."""
    platform = platform_of([plan(1, NUMBERS[1], text="a"), plan(2, NUMBERS[2], text="b")])
    assert platform.leave(Free(), all_are_here=True) == ()

    for position in (3, 4):
        platform.add(plan(position, NUMBERS[position], text="a"))

    assert members(platform.leave(takes_all, all_are_here=True)) == [["m.1", "m.2"], ["m.3", "m.4"]]


def test_while_others_are_due_the_last_group_waits_for_company():
    """One text to many comes in several claims: its last group waits, everybody else leaves, and then it does."""
    platform = platform_of([plan(1, NUMBERS[1], text="a"), *(plan(n, NUMBERS[n], room=3) for n in range(2, 7))])

    assert members(platform.leave(takes_all, all_are_here=False)) == [["m.1"], ["m.2", "m.3", "m.4"]]
    platform.add(plan(7, NUMBERS[7], room=3))
    assert members(platform.leave(takes_all, all_are_here=False)) == [["m.5", "m.6", "m.7"]]


def test_nobody_waits_for_company_alone():
    """A platform that is as full as it may be lets its only group go, full or not: else nothing would ever move."""
    platform = platform_of([plan(1, NUMBERS[1]), plan(2, NUMBERS[2])])

    assert members(platform.leave(takes_all, all_are_here=False)) == [["m.1", "m.2"]]


def test_what_is_put_back_waits_before_the_others():
    """The rest of a group that did not fit keeps its turn."""
    platform = platform_of([plan(n, NUMBERS[n]) for n in range(4)])
    (group,) = platform.leave(takes_all, all_are_here=True)
    first, second = group.halves()
    platform.add(plan(9, NUMBERS[9], text="later"))

    platform.put_back([second])

    assert members([first]) == [["m.0", "m.1"]]
    assert members(platform.leave(Free(one=1), all_are_here=True)) == [["m.2", "m.3"]]


@quick
@given(st.integers(2, 40))
def test_halves_are_halves(count):
    """Two groups of the same account and room, in order, that differ in size by one at most."""
    (group,) = coalesce(plan(position, to) for position, to in enumerate(NUMBERS[:count]))

    first, second = group.halves()

    assert [*first.planned, *second.planned] == list(group.planned)
    assert len(first.planned) - len(second.planned) in (0, 1)
    assert {(one.account.id, one.room) for one in (first, second)} == {(group.account.id, group.room)}
