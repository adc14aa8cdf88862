"""A scripted vendor's character: what each trouble does, while it is there."""

from decimal import Decimal

import attrs
import pytest

from tocsin.model.ids import DeliveryId
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.policy.decision import Trigger
from tocsin.rehearse.acting import PATIENCE_S, Acting
from tocsin.rehearse.ledger import Parcel
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Spread, Trouble

STEADY = Behaviour(latency=Spread(0.2, 0.2), delivers=1.0, phone_delay=Spread(2, 2), report_delay=Spread(1, 1))
PARCEL = Parcel(delivery=DeliveryId("m.1"), to=E164("+8613900000001"), number=1, trigger=Trigger.FIRST, segments=1)
NOW_S = 100.0


def acting(kind=None, behaviour=STEADY, **more):
    troubles = () if kind is None else (Trouble(account="all", kind=kind, from_s=50, until_s=150, **more),)
    return Acting(behaviour, troubles, "test")


def test_untroubled_it_takes_rings_and_reports():
    """Nothing is wrong: an answer, a phone that rings, a report after it."""
    fate, course = acting().fate((PARCEL,), NOW_S), acting().course(PARCEL, NOW_S)

    assert (fate.delay_s, fate.unreached, fate.lost, fate.refused) == (0.2, "", "", None)
    assert (course.rings_after_s, course.report_after_s, course.code) == (2, 3, "DELIVRD")


@pytest.mark.parametrize(
    ("kind", "more", "what", "expected"),
    [
        (Kind.DARK, {}, lambda fate: fate.unreached, "connect-refused"),
        (Kind.SILENT, {}, lambda fate: (fate.lost, fate.taken, fate.delay_s), ("first-byte-timeout", True, PATIENCE_S)),
        (Kind.REFUSING, {"reason": Reason.KEYWORD}, lambda fate: fate.refused.reason, Reason.KEYWORD),
        (Kind.SLOW_ANSWERS, {"delay_s": 5.0}, lambda fate: (fate.delay_s, fate.lost), (5.2, "")),
        (Kind.SLOW_ANSWERS, {"delay_s": 9.0}, lambda fate: fate.lost, "first-byte-timeout"),
    ],
)
def test_a_trouble_of_requests_strikes_while_it_is_there(kind, more, what, expected):
    """It strikes within its time, and before and after it nothing is wrong."""
    assert what(acting(kind, **more).fate((PARCEL,), NOW_S)) == expected
    for calm_s in (49.0, 150.0):
        fate = acting(kind, **more).fate((PARCEL,), calm_s)
        assert (fate.delay_s, fate.unreached, fate.lost, fate.refused) == (0.2, "", "", None)


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        (Kind.SLOW_REPORTS, {"delay_s": 600.0}, (2, 603)),
        (Kind.NO_REPORTS, {}, (2, None)),
        (Kind.NEVER_DELIVERS, {}, (None, 3)),
    ],
)
def test_a_trouble_of_messages_strikes_while_it_is_there(kind, more, expected):
    """Reports that are late or never come, and phones that do not ring, are no matter of the answer."""
    course = acting(kind, **more).course(PARCEL, NOW_S)

    assert (course.rings_after_s, course.report_after_s) == expected
    assert acting(kind, **more).fate((PARCEL,), NOW_S).refused is None


def test_the_dark_hide_their_reports_too():
    """Who cannot be reached cannot be asked either; any other trouble leaves that as it is."""
    assert not acting(Kind.DARK).reachable(NOW_S)
    assert acting(Kind.DARK).reachable(49.0)
    assert all(acting(kind).reachable(NOW_S) for kind in Kind if kind is not Kind.DARK)


def test_a_trouble_of_a_share_strikes_that_share():
    """Half of the requests are lost, give or take what chance does."""
    vendor = acting(Kind.SILENT, share=0.5)

    assert 450 < sum(bool(vendor.fate((PARCEL,), NOW_S).lost) for _ in range(1000)) < 550


@pytest.mark.parametrize(
    "vendor",
    [acting(behaviour=Behaviour(rate=Rhythm(2, 10))), acting(Kind.THROTTLING, rate=Rhythm(2, 10))],
    ids=["rate", "trouble"],
)
def test_a_rate_is_kept_in_every_window(vendor):
    """What goes beyond is throttled, until what was taken is out of the window."""
    refused = [vendor.fate((PARCEL,), at_s).refused for at_s in (60, 61, 62, 69, 70, 70.5, 71)]

    assert [None if one is None else one.reason for one in refused] == [
        *(None, None, Reason.THROTTLED, Reason.THROTTLED),
        *(None, Reason.THROTTLED, None),
    ]


def test_shares_of_a_behaviour_are_kept():
    """Of what it is asked it takes so much, of that so much rings, and on so much it reports."""
    vendor = acting(behaviour=Behaviour(accepts=0.9, refusal=Reason.UNROUTABLE, delivers=0.8, reports=0.7))
    both = [(vendor.fate((PARCEL,), NOW_S), vendor.course(PARCEL, NOW_S)) for _ in range(1000)]
    fates, courses = [fate for fate, _ in both], [course for _, course in both]

    assert 870 < sum(fate.refused is None for fate in fates) < 930
    assert {fate.refused.reason for fate in fates if fate.refused} == {Reason.UNROUTABLE}
    assert 760 < sum(course.rings_after_s is not None for course in courses) < 840
    assert 660 < sum(course.report_after_s is not None for course in courses) < 740


def test_the_balance_is_not_its_character_s():
    """What is left is the vendor's to count: to its character that trouble means nothing."""
    assert acting(Kind.BALANCE, amount=Decimal(0)).fate((PARCEL,), NOW_S).refused is None


def test_a_message_s_fate_is_its_own():
    """Whatever was sent before it, the same message comes to the same; sent once more, to something else."""
    chance = Behaviour(delivers=0.5, accepts=0.5, reports=0.5)
    others = [attrs.evolve(PARCEL, delivery=DeliveryId(f"other.{place}")) for place in range(5)]
    alone, busy = acting(behaviour=chance), acting(behaviour=chance)
    for other in others:
        busy.fate((other,), NOW_S)
        busy.course(other, NOW_S)
    first = [(one.fate((PARCEL,), NOW_S), one.course(PARCEL, NOW_S)) for one in (alone, busy)]
    again = (busy.fate((PARCEL,), NOW_S), busy.course(PARCEL, NOW_S))

    assert first[0] == first[1]
    assert again != first[1]


@pytest.mark.parametrize("tenths", [0, 1, 3, 156, 10230, 10239])
def test_a_rate_is_kept_to_the_clock_s_last_digit(tenths):
    """A request one window after another finds its place free, whatever floats make of it; an earlier one does not."""
    acting = Acting(Behaviour(rate=Rhythm(1, 1.0)), (), "v")
    first = tenths * 0.1 + 1e-06

    assert acting._has_room(Rhythm(1, 1.0), first)
    assert not acting._has_room(Rhythm(1, 1.0), first + 0.999999)
    assert acting._has_room(Rhythm(1, 1.0), first + 1)
