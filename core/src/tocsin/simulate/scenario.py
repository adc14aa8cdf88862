"""What happens in one simulated life, drawn from a seed before it begins: a value that can be looked at and shrunk.

What a vendor does with each request is drawn as it comes, from dice of its own, so that to take a message out of a
scenario leaves the rest a scenario.
"""

from __future__ import annotations

import enum
from random import Random

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.policy.route import InDoubt
from tocsin.simulate.dice import dice_of
from tocsin.simulate.terms import House, Terms, draw_terms

CALM_S = 3 * 3600.0
"""From then on no fault is made any more: all that is left has to come to its end."""


class Strike(enum.StrEnum):
    """What may befall a worker."""

    CRASH = "crash"
    """It dies at one of its next boundaries: before or after a commit, or between two."""

    PAUSE = "pause"
    """It does nothing for a while, and does not know of it: longer than its lease, sometimes."""

    STOP = "stop"
    """It is told to end, and is started again."""

    STORE_FULL = "store-full"
    """Its commits fail for a while, and change nothing."""

    COMMIT_LOST = "commit-lost"
    """One commit fails, and did not happen."""

    COMMIT_KEPT = "commit-kept"
    """One commit fails, and did happen."""


@attrs.frozen(kw_only=True)
class VendorPlan:
    """One vendor with one account.

    Args:
        trouble: how likely a request meets trouble, from 0 to 1.
        evasive: how likely a report is late, missing, wrong at first, or there twice.
        nameless: its successes carry no id.
        dedupes: it refuses content that it has.
        personalised: it takes different texts in one request.
        shared: other software sends through the same account.
        roomy: numbers in one submit.
        slow: its answers take as long as they may.
        dark: from when to when nobody reaches it, in seconds; none where empty.
        bad: places of the numbers that it calls invalid.
        terms: of its account.
    """

    name: str
    trouble: float
    evasive: float
    nameless: bool
    dedupes: bool
    personalised: bool
    shared: bool
    roomy: int
    slow: bool
    dark: tuple[float, float] | None
    bad: frozenset[int]
    terms: Terms = attrs.field(factory=Terms)


@attrs.frozen(kw_only=True)
class Sending:
    """One message that a client hands in.

    Args:
        at_s: when.
        to: places of its recipients' numbers.
        delay_s: how long after that it is to be sent.
        key: whether it has an idempotency key.
        now: submitted by the client itself, in one pass.
        dies_at: the client dies at that boundary of its first try; 0 for never.
        repeats: how often the client hands it in once more, though it was acknowledged.
        altered: and then once with another text.
        cancelled_s: when somebody cancels it, after it was handed in; None for never.
    """

    number: int
    at_s: float
    to: tuple[int, ...]
    cls: MessageClass
    delay_s: float
    key: bool
    now: bool
    dies_at: int
    repeats: int
    altered: bool
    cancelled_s: float | None


@attrs.frozen(kw_only=True)
class Blow:
    """One strike at a worker: when, which, and how far or how long."""

    at_s: float
    worker: int
    strike: Strike
    measure: float


@attrs.frozen(kw_only=True)
class Scenario:
    """A life.

    Args:
        locks: a dead worker is known to be dead at once; without, its lease has to run out.
        when_in_doubt, max_copies: the route's own; None for the class's.
        house: what holds for all accounts.
    """

    seed: int
    workers: int
    locks: bool
    when_in_doubt: InDoubt | None
    max_copies: int | None
    vendors: tuple[VendorPlan, ...]
    sendings: tuple[Sending, ...]
    blows: tuple[Blow, ...]
    house: House = attrs.field(factory=House)


def draw(seed: int) -> Scenario:
    """Draw the scenario of a seed. The same seed gives the same scenario everywhere."""
    plain = _draw_plain(seed)
    dice = dice_of(f"terms {seed}")
    house, terms = draw_terms(dice, tuple(AccountId(one.name) for one in plain.vendors), PLACES)
    vendors = tuple(attrs.evolve(one, terms=terms[AccountId(one.name)]) for one in plain.vendors)
    furnished = attrs.evolve(plain, house=house, vendors=vendors)
    if house.storm:
        return _stormy(furnished, dice)
    return _halting(furnished, dice) if all(one.slow for one in vendors) else furnished


def _draw_plain(seed: int) -> Scenario:
    """Draw what befalls messages, workers and vendors.

    Where it is crowded, lines are slow and requests small, so that much is claimed and waits.
    """
    dice = dice_of(f"scenario {seed}")
    crowded = dice.random() < 0.2
    workers = dice.choice((2, 3) if crowded else (1, 1, 2, 3))
    classes = dice.choice((_CLASSES, _CLASSES, (dice.choice(_CLASSES),)))
    return Scenario(
        seed=seed,
        workers=workers,
        locks=dice.random() < 0.6,
        when_in_doubt=dice.choice((None, None, *InDoubt, InDoubt.RESEND_SAME)),
        max_copies=dice.choice((None, None, None, 1, 3)),
        vendors=tuple(_vendor(dice, number, crowded=crowded) for number in range(dice.choice((2, 2, 3, 4)))),
        sendings=tuple(
            _sending(dice, number, classes) for number in range(dice.choice((9, 14) if crowded else (4, 6, 9, 14)))
        ),
        blows=tuple(_blow(dice, workers, crowded=crowded) for _ in range(dice.choice((0, 1, 2, 4, 6)))),
    )


def _vendor(dice: Random, number: int, *, crowded: bool) -> VendorPlan:
    since_s = dice.uniform(0, 900)
    return VendorPlan(
        name=f"v{number}",
        trouble=dice.choice((0.0, 0.2, 0.5, 0.9)),
        evasive=dice.choice((0.0, 0.3, 0.8)),
        nameless=dice.random() < 0.15,
        dedupes=dice.random() < 0.6,
        personalised=dice.random() < 0.6,
        shared=dice.random() < 0.15,
        roomy=1 if crowded else dice.choice((1, 2, 3, 20)),
        slow=crowded or dice.random() < 0.1,
        dark=(since_s, since_s + dice.choice((60.0, 600.0, 4000.0))) if dice.random() < 0.25 else None,
        bad=frozenset(place for place in range(PLACES) if dice.random() < 0.12),
    )


def _halting(scenario: Scenario, dice: Random) -> Scenario:
    """Let workers stand still for longer than their leases, where much is claimed and waits."""
    halts = tuple(
        Blow(
            at_s=round(dice.uniform(0, 300), 3),
            worker=dice.randrange(scenario.workers),
            strike=Strike.PAUSE,
            measure=dice.choice((70.0, 120.0, 200.0)),
        )
        for _ in range(3)
    )
    return attrs.evolve(scenario, blows=(*scenario.blows, *halts))


def _stormy(scenario: Scenario, dice: Random) -> Scenario:
    """Add a storm to a scenario whose vendors do nothing worse than not to deliver."""
    cls = dice.choice((MessageClass.ALERT, MessageClass.NOTICE))
    wave = tuple(
        Sending(
            number=STORM + number,
            at_s=round(dice.uniform(0, 120), 3),
            to=tuple(range(PLACES)),
            cls=cls,
            delay_s=0.0,
            key=False,
            now=False,
            dies_at=0,
            repeats=0,
            altered=False,
            cancelled_s=None,
        )
        for number in range(dice.choice((6, 10)))
    )
    vendors = tuple(
        attrs.evolve(
            one, trouble=0.0, evasive=0.0, nameless=False, roomy=PLACES, slow=False, dark=None, bad=frozenset()
        )
        for one in scenario.vendors[:3]
    )
    return attrs.evolve(scenario, vendors=vendors, sendings=(*scenario.sendings[:2], *wave), blows=scenario.blows[:1])


STORM = 100
"""Messages of a storm are numbered from here."""

PLACES = 6
"""So many phones there are: few, so that messages meet on them."""

_CLASSES = (MessageClass.OTP, MessageClass.CRITICAL, MessageClass.ALERT, MessageClass.NOTICE, MessageClass.BULK)


def _sending(dice: Random, number: int, classes: tuple[MessageClass, ...]) -> Sending:
    return Sending(
        number=number,
        at_s=round(dice.choice((0.0, 0.0, 1.0, dice.uniform(0, 60), dice.uniform(0, 1200))), 3),
        to=tuple(dice.sample(range(PLACES), dice.choice((1, 1, 1, 2, 3)))),
        cls=dice.choice(classes),
        delay_s=dice.choice((0.0, 0.0, 0.0, 90.0)),
        key=dice.random() < 0.7,
        now=dice.random() < 0.15,
        dies_at=dice.choice((0, 0, 0, 1, 2, 3, 4, 5)),
        repeats=dice.choice((0, 0, 1)),
        altered=dice.random() < 0.1,
        cancelled_s=dice.choice((None, None, None, 0.01, dice.uniform(0, 120))),
    )


def _blow(dice: Random, workers: int, *, crowded: bool) -> Blow:
    strike = Strike.PAUSE if crowded and dice.random() < 0.7 else dice.choice(tuple(Strike))
    measures = {Strike.CRASH: dice.randrange(1, 12), Strike.STORE_FULL: dice.uniform(1, 90)}
    return Blow(
        at_s=round(
            dice.choice((dice.uniform(0, 5), dice.uniform(0, 200), dice.uniform(0, 60 if crowded else 3000))), 3
        ),
        worker=dice.randrange(workers),
        strike=strike,
        measure=measures.get(strike, dice.choice((5.0, 35.0, 70.0, 200.0, 200.0))),
    )
