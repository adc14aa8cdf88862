"""From what a caller hands in to what the store accepts."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.delivery.accept import Draft, prepare
from tocsin.errors import InvalidInput, NoRoute
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.model.submission import Attachment
from tocsin.policy.route import Match, Route, RuleChanges

ONE = (AccountId("one"),)


def test_a_recipient_given_twice_counts_once(house_of):
    """Recipients keep their order, and the second mention of one is dropped."""
    acceptance = house_of().prepare("13900000002", "+8613900000001", "139 0000 0002")

    assert [one.to.mainland for one in acceptance.deliveries] == ["13900000002", "13900000001"]
    assert acceptance.message.to == tuple(one.to for one in acceptance.deliveries)


def test_ids_follow_from_the_message(house_of):
    """Deliveries are named after their message and their place in it."""
    acceptance = house_of().prepare("13900000001", "13900000002")

    assert [one.id for one in acceptance.deliveries] == [f"{acceptance.message.id}.1", f"{acceptance.message.id}.2"]


def test_nobody_to_send_to(house_of, clock):
    """A message without recipients is refused."""
    routes = house_of().parts.fleet.routes

    with pytest.raises(InvalidInput, match="recipient"):
        prepare(Draft(to=(), text="t"), routes, (), now=clock.now(), draw_bits=lambda _: 0)


def test_nothing_to_send(house_of):
    """A message without text is refused, but for one with attachments."""
    house = house_of()
    with pytest.raises(InvalidInput, match="text"):
        house.prepare(text="")

    assert house.prepare(text="", attachments=(Attachment("a.gif", b"GIF89a"),)).message.text == ""


def test_a_text_that_is_no_text_is_refused(house_of):
    """Half a character, as an argument in a foreign encoding becomes, is refused and not quoted."""
    with pytest.raises(InvalidInput) as refusal:
        house_of().prepare(text="disk \udce4 full")

    assert "disk" not in str(refusal.value)


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_expiry_is_the_class_and_counts_from_when_it_is_due(house_of, clock, cls):
    """A delivery expires as long after it is due as its class says; a time to send at that is past is now."""
    house = house_of()
    span = house.parts.fleet.rules("all", cls).expires_after
    later = clock.now() + timedelta(hours=1)

    now, scheduled, late = (
        house.prepare(cls=cls, send_at=at, holder=None).deliveries[0]
        for at in (None, later, clock.now() - timedelta(hours=1))
    )

    assert (now.due_at, now.expires_at) == (clock.now(), clock.now() + span)
    assert (scheduled.due_at, scheduled.expires_at) == (later, later + span)
    assert (late.due_at, late.expires_at) == (now.due_at, now.expires_at)


def test_what_is_submitted_at_once_is_due_at_once(house_of, clock):
    """A time to send at is the vendor's to keep where the message is handed over now; expiry still counts from it."""
    later = clock.now() + timedelta(hours=1)

    (delivery,) = house_of().prepare(send_at=later).deliveries

    assert delivery.due_at == clock.now()
    assert delivery.expires_at > later


def test_each_recipient_is_routed_on_its_own(house_of):
    """Recipients of one message may take different routes, and expire by their route's knob."""
    abroad = Route(
        name="abroad",
        match=Match(prefixes=("+49",)),
        accounts=ONE,
        changes=RuleChanges(expires_after=timedelta(minutes=1)),
    )
    house = house_of(routes=(abroad, Route(name="rest", accounts=ONE)))

    home, away = house.prepare("13900000000", "+4915100000000").deliveries

    assert (home.route, away.route) == ("rest", "abroad")
    assert away.expires_at == house.clock.now() + timedelta(minutes=1)


def test_a_recipient_without_a_route_rejects_the_message(house_of):
    """One recipient on no route rejects all of it; the error says where it stood, and not its number."""
    house = house_of(routes=(Route(name="home", match=Match(prefixes=("+86",)), accounts=ONE),))

    with pytest.raises(NoRoute, match="recipient 2") as refusal:
        house.prepare("13900000000", "+4915100000000")

    assert "15100000000" not in str(refusal.value)


DRAFT = Draft(to=(parse_number("13900000000"),), text="t", idempotency_key="k")
CHANGES = {
    "expires_at": datetime(2026, 1, 1, tzinfo=UTC),
    "to": (parse_number("13900000001"),),
    "text": "u",
    "cls": MessageClass.OTP,
    "tags": {"a": "b"},
    "send_at": datetime(2026, 1, 1, tzinfo=UTC),
    "extension": "1",
    "subject": "s",
    "attachments": (Attachment("a", b"1"),),
    "only": AccountId("one"),
}
SAME = {"idempotency_key": "other", "source": "elsewhere"}


@pytest.mark.parametrize("field", attrs.fields(Draft), ids=lambda field: field.name)
def test_a_fingerprint_covers_what_the_phone_would_notice(field):
    """Another body has another fingerprint; key and source are no part of it."""
    other = attrs.evolve(DRAFT, **{field.name: {**CHANGES, **SAME}[field.name]})

    assert (other.fingerprint() == DRAFT.fingerprint()) == (field.name in SAME)


def test_a_fingerprint_tells_attachments_apart():
    """Name and content of an attachment both count."""
    files = Attachment("a", b"1"), Attachment("a", b"2"), Attachment("b", b"1")

    assert len({attrs.evolve(DRAFT, attachments=(file,)).fingerprint() for file in files}) == 3


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), st.randoms(use_true_random=False))
def test_a_fingerprint_does_not_hang_on_the_order_of_tags(tags, random):
    """Tags are a set of pairs: in whatever order they are given, the fingerprint is the same."""
    shuffled = dict(random.sample(list(tags.items()), len(tags)))

    assert attrs.evolve(DRAFT, tags=tags).fingerprint() == attrs.evolve(DRAFT, tags=shuffled).fingerprint()


def test_a_draft_shows_no_secret():
    """The repr of a draft holds neither its text nor its key nor a full number."""
    shown = repr(attrs.evolve(DRAFT, text="confidential", idempotency_key="private"))

    assert not [word for word in ("confidential", "private", "13900000000") if word in shown]


def test_a_message_expires_when_it_is_told_to_or_sooner(house_of, clock):
    """An expiry of the caller's own counts where it is sooner than the route's; before it is due it is refused."""
    house, now = house_of(), clock.now()

    def expiry(**given):
        return house.prepare(holder=None, **given).deliveries[0].expires_at

    usual, sooner = expiry(), now + timedelta(minutes=1)
    assert expiry(expires_at=sooner) == sooner
    assert expiry(expires_at=usual + timedelta(days=1)) == usual
    with pytest.raises(InvalidInput, match="would expire before it can be sent"):
        expiry(expires_at=now)
