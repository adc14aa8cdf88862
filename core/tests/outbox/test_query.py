"""What people ask: filters and order, and values that come back as they went in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.model.ids import VendorId, first_id_since
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.phone import parse_number, parse_vendor_number
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.model.submission import Attachment
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State

with_stores = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])

# A lone surrogate is no character: it stands for bytes that were no text.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
times = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
mainland_numbers = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True, alphabet="0123456789")
vendor_numbers = (
    mainland_numbers | texts | st.from_regex(r"\+?[0-9]{0,15}", fullmatch=True, alphabet="+0123456789")
).map(parse_vendor_number)
vendor_ids = st.none() | texts.map(VendorId)


@pytest.fixture
def full(desk):
    """Three messages of two recipients each, in different states."""
    messages = []
    for outcome in (Accepted(None), Unknown("reset"), None):
        deliveries = desk.accept("13900000002", "13900000001", holder=desk.holder)
        if outcome is not None:
            desk.settle(outcome, *desk.intend(deliveries[0]))
        messages.append(deliveries)
        desk.wait(seconds=1)
    return messages


def names(deliveries):
    return [one.id for one in deliveries]


def test_the_newest_message_is_first_and_its_recipients_are_in_order(desk, full):
    """Everything, newest message first, recipients in the order given."""
    one, two, three = full

    assert names(desk.outbox.deliveries(Filter())) == [*names(three), *names(two), *names(one)]


def test_a_filter_asks_for_all_that_it_names(desk, full):
    """Message, delivery, state and recipient are ANDed; what is not named is not asked."""
    one, two, three = full
    number = one[0].to

    assert names(desk.outbox.deliveries(Filter(message=two[0].message))) == names(two)
    assert names(desk.outbox.deliveries(Filter(delivery=three[1].id))) == [three[1].id]
    assert names(desk.outbox.deliveries(Filter(state=State.SUBMITTED))) == [one[0].id]
    assert names(desk.outbox.deliveries(Filter(to=number))) == [three[0].id, two[0].id, one[0].id]
    assert names(desk.outbox.deliveries(Filter(to=number, state=State.CLAIMED))) == [three[0].id]
    assert desk.outbox.deliveries(Filter(to=parse_number("13900000003"))) == ()


@pytest.mark.parametrize("limit", [0, 1, 3, 6, 7])
def test_a_limit_keeps_the_first(desk, full, limit):
    """A limit cuts the answer, and changes nothing else of it."""
    everything = desk.outbox.deliveries(Filter())

    assert desk.outbox.deliveries(Filter(limit=limit)) == everything[:limit]


def test_attempts_are_asked_for_many_at_once(desk, full):
    """Each delivery asked for is answered, with its attempts or with none."""
    (first, _), (second, _), (third, _) = full

    found = desk.outbox.attempts((third.id, second.id, first.id))

    assert {name: len(attempts) for name, attempts in found.items()} == {third.id: 0, second.id: 1, first.id: 1}


@with_stores
@given(
    text=texts,
    numbers=st.lists(mainland_numbers, min_size=1, max_size=3, unique=True),
    cls=st.sampled_from(MessageClass),
    tags=st.dictionaries(texts, texts, max_size=2),
    send_at=st.none() | times,
    words=st.tuples(texts, texts, texts),
    key=st.none() | texts,
    attachments=st.lists(st.builds(Attachment, texts, st.binary(max_size=20)), max_size=2).map(tuple),
)
def test_a_message_survives_the_store(open_desk, *, text, numbers, cls, tags, send_at, words, key, attachments):
    """Any text, NUL, newlines and emoji included, and all that goes with it, is found as it was accepted."""
    source, extension, subject = words
    with open_desk() as desk:
        given_message = desk.acceptance(
            *numbers,
            text=text,
            cls=cls,
            tags=tags,
            send_at=send_at,
            source=source,
            extension=extension,
            subject=subject,
            key=key,
            attachments=attachments,
        )
        desk.outbox.accept(given_message, desk.now)

        assert desk.outbox.message(given_message.message.id) == given_message.message


@with_stores
@given(
    outcome=st.builds(Accepted, vendor_ids, st.booleans())
    | st.builds(Refused, st.sampled_from(Reason), texts, texts)
    | st.builds(NotSent, texts)
    | st.builds(Unknown, texts),
    after=st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_an_outcome_survives_the_store(open_desk, outcome, after):
    """Whatever a vendor answered stands in the attempt, to the microsecond."""
    with open_desk() as desk:
        (delivery,) = desk.accept()
        (attempt,) = desk.intend(delivery)
        desk.now += after
        desk.settle(outcome, attempt)

        assert desk.attempts(delivery.id) == (attempt.settled(outcome, desk.now),)


@with_stores
@given(
    st.lists(
        st.builds(
            Report,
            vendor_id=vendor_ids,
            to=vendor_numbers,
            state=st.sampled_from(ReportState),
            code=texts,
            at=st.none() | times,
        ),
        max_size=4,
    ),
    st.lists(
        st.builds(
            InboundMessage,
            sender=vendor_numbers,
            text=texts,
            at=st.none() | times,
            extension=texts,
            vendor_id=vendor_ids,
        ),
        max_size=4,
    ),
)
def test_evidence_survives_the_store(open_desk, reports, inbound):
    """Every report and every inbound message that a plugin can make is found as it was applied."""
    with open_desk() as desk:
        desk.outbox.apply_reports(desk.spool(), Batch(rows=tuple(reports)), shared=False, now=desk.now)
        desk.outbox.apply_inbound(desk.spool(), Batch(rows=tuple(inbound)), desk.now)

        stored_reports, stored_inbound = desk.outbox.evidence(None)
        assert [one.report for one in reversed(stored_reports)] == reports
        assert [one.message for one in reversed(stored_inbound)] == inbound


@with_stores
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )
)
def test_an_explanation_survives_the_store(open_desk, body):
    """A decision is told as it was made, whatever plain JSON it is."""
    with open_desk() as desk:
        (delivery,) = desk.accept()
        desk.intend(delivery, explanation={"decision": body})

        (chapter,), _ = desk.outbox.story(delivery.id)
        assert chapter.explanation == {"decision": body}


def test_pages_follow_each_other(desk, full):
    """A list read a page at a time is the whole list, wherever a page ends."""
    whole = names(desk.outbox.deliveries(Filter()))

    for size in range(1, len(whole) + 1):
        read = names(desk.outbox.deliveries(Filter(limit=size)))
        while page := names(desk.outbox.deliveries(Filter(limit=size, behind=read[-1]))):
            read += page
        assert read == whole


def test_what_was_accepted_since(desk, full):
    """A time stands for the lowest id that a message may have then."""
    _, two, three = full
    second = desk.outbox.message(two[0].message).accepted_at

    assert names(desk.outbox.deliveries(Filter(since=first_id_since(second)))) == [*names(three), *names(two)]


def test_events_are_numbered(desk, full):
    """What happened is told once, in order, from any number on."""
    events = desk.outbox.events(0, 1000)
    numbers = [number for number, _ in events]

    assert numbers == sorted(set(numbers))
    assert desk.outbox.last_event() == numbers[-1]
    assert desk.outbox.events(numbers[2], 2) == events[3:5]
    assert desk.outbox.events(numbers[-1], 10) == ()
    told = [one for number, one in events if one.delivery == full[0][0].id]
    assert told == list(desk.outbox.story(full[0][0].id)[1])


def test_inbound_messages_are_read_a_page_at_a_time(desk):
    """The newest is first, and the number of the last one read leads to the next page."""
    sender = parse_vendor_number("13900000000")
    rows = tuple(InboundMessage(sender=sender, text=f"{one}") for one in range(5))
    desk.outbox.apply_inbound(desk.spool(kind="inbound"), Batch(rows=rows), desk.now)

    first = desk.outbox.inbound(None, None, 2)
    rest = desk.outbox.inbound(desk.main, first[-1][0], 10)

    assert [one.message.text for _, one in (*first, *rest)] == ["4", "3", "2", "1", "0"]
    assert desk.outbox.inbound(desk.backup, None, 10) == ()
