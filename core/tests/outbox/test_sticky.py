"""The states that last: those that refusals put an account into, what balances and operators say, and what is kept."""

import json
from decimal import Decimal

import attrs
import pytest

from tocsin.model.balance import Balance, Unit
from tocsin.model.outcome import Sticky
from tocsin.outbox.breaker import FOREVER, Mode, disable, hear, mode, observe, probe, resume, shut_until
from tocsin.outbox.health import from_plain, to_plain

from .health_samples import BAD, DULL, GOOD, NEW, START, at, live, sample


def money(amount, seconds, postpaid=None):
    """A balance as of that time."""
    return Balance(amount=Decimal(amount), unit=Unit.CNY, as_of=at(seconds), postpaid=postpaid)


def opened(openings=1):
    """A breaker that opened at second 100, for the `openings`th time in a row."""
    health = attrs.evolve(NEW, openings=openings - 1)
    return live(health, *(sample(BAD, second) for second in (98, 99, 100)))


def stuck(sticky):
    """An account that a refusal put into a sticky state at second 100."""
    return live(NEW, sample(DULL, 100, sticky=sticky))


def probed(health, second, answer, took=1, **said):
    """Send the one probe and hear its answer."""
    assert mode(health, at(second)) is Mode.HALF_OPEN
    health = probe(health, at(second))
    assert mode(health, at(second)) is Mode.PROBING
    return observe(health, sample(answer, second + took, began=second, **said))


# Sticky states.

LASTS = {Sticky.DRAINED: 600, Sticky.FORCED_OPEN: 300}
SHOWN = {Sticky.DRAINED: Mode.DRAINED, Sticky.FORCED_OPEN: Mode.FORCED_OPEN}


@pytest.mark.parametrize("sticky", Sticky)
def test_sticky_state_lasts_and_is_tried(sticky):
    """One refusal is enough; after its time one request is let through, and its success lifts the state."""
    health, end = stuck(sticky), 100 + LASTS[sticky]

    assert mode(health, at(end - 1)) is SHOWN[sticky]
    assert shut_until(health, at(101)) == at(end)
    assert probed(health, end, DULL, sticky=sticky).sticky_until == at(end + 1 + LASTS[sticky])

    health = probed(health, end, GOOD)

    assert (mode(health, at(end + 1)), health.sticky, health.sticky_until) == (Mode.CLOSED, None, None)
    assert (health.probe_until, health.changed_at) == (None, at(end + 1))


@pytest.mark.parametrize("answer", [BAD, DULL])
def test_probe_without_success_lifts_nothing(answer):
    """A probe of a sticky state that fails or is throttled leaves it as it is: the next request is the next probe."""
    health = probed(stuck(Sticky.FORCED_OPEN), 400, answer)

    assert (health.sticky, mode(health, at(401))) == (Sticky.FORCED_OPEN, Mode.HALF_OPEN)


def test_success_of_before_lifts_nothing():
    """What left before the refusal proves nothing about the account since; what left after it and succeeds does."""
    health = stuck(Sticky.FORCED_OPEN)

    assert observe(health, sample(GOOD, 103, began=99)) == health
    assert mode(observe(health, sample(GOOD, 103, began=101)), at(103)) is Mode.CLOSED


def test_refusal_of_before_renews_nothing():
    """After the operator says that all is well, a refusal of a request that left before does not count."""
    health = resume(stuck(Sticky.FORCED_OPEN), at(110))

    assert observe(health, sample(DULL, 112, began=109, sticky=Sticky.FORCED_OPEN)) == health
    assert observe(health, sample(DULL, 112, began=111, sticky=Sticky.FORCED_OPEN)).sticky is Sticky.FORCED_OPEN


def test_partly_accepted_and_drained():
    """An answer that accepts some and refuses the rest for want of balance drains the account."""
    assert live(NEW, sample(GOOD, 5, sticky=Sticky.DRAINED)).sticky is Sticky.DRAINED


def test_latest_sticky_state_stands():
    """A refusal of another kind takes the place of the state before."""
    health = observe(stuck(Sticky.FORCED_OPEN), sample(DULL, 400, sticky=Sticky.DRAINED))

    assert (health.sticky, health.sticky_until) == (Sticky.DRAINED, at(1000))


def test_sticky_state_stands_above_the_breaker():
    """Both may shut an account: the sticky state is what is shown, and it is shut until both are over."""
    health = observe(opened(openings=10), sample(DULL, 101, began=100.5, sticky=Sticky.FORCED_OPEN))

    assert mode(health, at(102)) is Mode.FORCED_OPEN
    assert (mode(health, at(400.5)), shut_until(health, at(102))) == (Mode.FORCED_OPEN, at(401))
    assert shut_until(attrs.evolve(health, open_until=at(500)), at(102)) == at(500)
    assert mode(attrs.evolve(health, open_until=at(500)), at(401)) is Mode.OPEN


def test_modes_have_names():
    """What people and programs are shown of an account."""
    shown = {one.value for one in Mode}

    assert shown == {"closed", "open", "half_open", "probing", "drained", "forced_open", "disabled"}


# Balances.


@pytest.mark.parametrize(
    ("amount", "floor", "postpaid", "lifts"),
    [
        ("0.01", None, None, True),
        ("0", None, None, False),
        ("-5", None, None, False),
        ("20.01", "20", False, True),
        ("20", "20", False, False),
        ("20", "20", True, True),
        ("0", "20", True, False),
        ("-0.5", "-10", None, False),
    ],
)
def test_balance_lifts_drained(amount, floor, postpaid, lifts):
    """A balance above zero and above the floor lifts DRAINED, no other; a postpaid account has no floor."""
    balance = money(amount, 110, postpaid)
    health = hear(stuck(Sticky.DRAINED), balance, Decimal(floor) if floor else None, at(111))

    assert health.balance == balance
    assert (mode(health, at(111)) is Mode.CLOSED) is lifts


def test_low_balance_keeps_drained():
    """While balances are heard that are too low, a drained account is not tried; 10 minutes after the last it is."""
    health = hear(stuck(Sticky.DRAINED), money(0, 500), None, at(501))

    assert shut_until(health, at(502)) == at(1101)
    assert mode(health, at(1101)) is Mode.HALF_OPEN


def test_postpaid_debt_says_nothing():
    """A postpaid account's debt neither lifts DRAINED nor keeps it."""
    health = hear(stuck(Sticky.DRAINED), money(-5, 500, postpaid=True), Decimal(20), at(501))

    assert shut_until(health, at(502)) == at(700)


@pytest.mark.parametrize("second", [99, 100])
def test_balance_of_before_lifts_nothing(second):
    """A balance that was asked for before the refusal is kept, and says nothing about it."""
    health = hear(stuck(Sticky.DRAINED), money(50, second), None, at(120))

    assert health == attrs.evolve(stuck(Sticky.DRAINED), balance=money(50, second))


def test_newest_balance_is_kept():
    """Balances may be heard in any order; the newest stands, and of the same time the last."""
    health = hear(hear(NEW, money(5, 20), None, at(21)), money(9, 10), None, at(22))

    assert health == attrs.evolve(NEW, balance=money(5, 20))
    assert hear(health, money(4, 20), None, at(23)).balance == money(4, 20)


@pytest.mark.parametrize(
    "health", [NEW, opened(), stuck(Sticky.FORCED_OPEN), disable(NEW, at(100)), probe(opened(), at(130))]
)
@pytest.mark.parametrize("amount", [-1, 0, 1000])
def test_balance_alone_does_nothing_else(health, amount):
    """No balance drains an account, closes a breaker, takes away FORCED_OPEN or what an operator said."""
    heard = hear(health, money(amount, 150), Decimal(20), at(151))

    assert attrs.evolve(heard, balance=None) == health


def test_balance_leaves_the_breaker_its_probe():
    """A balance that lifts DRAINED frees the slot of a probe, unless the breaker needs one, too."""
    drained = probe(stuck(Sticky.DRAINED), at(700))
    both = probe(observe(opened(), sample(DULL, 102, sticky=Sticky.DRAINED)), at(702))

    assert hear(drained, money(50, 703), None, at(704)).probe_until is None
    assert mode(hear(both, money(50, 703), None, at(704)), at(704)) is Mode.PROBING


def test_sticky_without_a_time_of_change():
    """A drained account of which no change is known is lifted by any balance that is enough."""
    health = attrs.evolve(NEW, sticky=Sticky.DRAINED, sticky_until=at(600))

    assert hear(health, money(50, 1), None, at(2)).sticky is None


# The operator.


def test_disabled_until_resumed():
    """The operator's word stands above everything, for ever, until it is taken back."""
    health = disable(stuck(Sticky.DRAINED), at(101))

    for now in (at(102), at(10**7)):
        assert (mode(health, now), shut_until(health, now)) == (Mode.DISABLED, FOREVER)
    assert mode(live(health, *(sample(GOOD, second) for second in (110, 120, 130))), at(131)) is Mode.DISABLED


@pytest.mark.parametrize(
    "health", [NEW, opened(openings=7), stuck(Sticky.DRAINED), disable(probe(opened(), at(130)), at(140))]
)
def test_resume_lifts_everything(health):
    """After `resume` the account is as new; only what was heard of its balance stays."""
    health = resume(attrs.evolve(health, balance=money(3, 90)), at(150))

    assert health == attrs.evolve(NEW, balance=money(3, 90), changed_at=at(150))
    assert mode(health, at(150)) is Mode.CLOSED


def test_change_is_dated():
    """What a person is shown as the last change is the last time that the account was put out, or back in."""
    assert live(NEW, sample(GOOD, 5), sample(BAD, 6)).changed_at is None
    assert opened().changed_at == at(100)
    assert stuck(Sticky.DRAINED).changed_at == at(100)
    assert disable(NEW, at(7)).changed_at == at(7)
    assert hear(stuck(Sticky.DRAINED), money(50, 110), None, at(111)).changed_at == at(111)


# What a store keeps.


def test_window_is_a_minute_of_seconds():
    """An hour of steady traffic is held as 60 seconds, each with its counts."""
    kinds = (sample(GOOD, 0), sample(GOOD, 0, slow=True), sample(GOOD, 0), sample(GOOD, 0), sample(BAD, 0))
    health = NEW
    for second in range(3600):
        health = live(health, *(attrs.evolve(one, at=at(second), began_at=at(second)) for one in kinds))

    assert len(health.window) == 60
    assert {(one.total, one.failed, one.slow) for one in health.window} == {(5, 1, 1)}
    assert len(json.dumps(to_plain(health))) < 2_500


def test_plain_form():
    """The plain form is what JSON holds without loss: times as microseconds, amounts as text with all their digits."""
    health = hear(stuck(Sticky.DRAINED), money("0.10", 99.000001), None, at(120))
    plain = to_plain(health)

    assert plain["changed_at"] == int(START.timestamp()) * 1_000_000 + 100_000_000
    assert plain["balance"] == {
        "amount": "0.10",
        "unit": "CNY",
        "as_of": int(START.timestamp()) * 1_000_000 + 99_000_001,
        "postpaid": None,
    }
    assert (plain["account"], plain["sticky"], plain["disabled"]) == ("one", "drained", False)
    assert str(from_plain(plain).balance.amount) == "0.10"
