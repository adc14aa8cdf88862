"""What a life's accounts allow and cost, how its route chooses, and what operators and recipients do meanwhile.

Values, drawn from dice of their own: what is drawn here changes nothing of the story that a seed tells beside it. Half
of all lives have nothing of it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from random import Random

import attrs

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.outbox.spending import Budgets
from tocsin.policy.route import Strategy

Span = tuple[float, float]
"""From when to when, in seconds."""


class Deed(enum.StrEnum):
    """What somebody may do from outside."""

    DISABLE = "disables"
    RESUME = "resumes"
    TOP_UP = "tops up"
    """The account has money again, and somebody asks its balance."""

    OPT_OUT = "opts out"
    OPT_IN = "opts in"


@attrs.frozen(kw_only=True)
class Errand:
    """One deed: when, and at which account, or for the number at which place."""

    at_s: float
    deed: Deed
    account: AccountId | None = None
    place: int = 0


@attrs.frozen(kw_only=True)
class Terms:
    """Of one vendor's account.

    Args:
        by_account: `per_recipient` counts all numbers together.
        price: of a segment.
        cap: most money in 24 hours.
        credit: the money that it has at first; None where it never runs out.
        floor: with less than this left it takes nothing more.
        locked: while it refuses the account itself.
        mute: while it takes messages and delivers none.
        weight: on a weighted route.
    """

    submits: tuple[Rate, ...] = ()
    per_recipient: tuple[Rate, ...] = ()
    by_account: bool = False
    price: Decimal | None = None
    cap: Decimal | None = None
    credit: Decimal | None = None
    floor: Decimal | None = None
    locked: Span | None = None
    mute: Span | None = None
    weight: int = 1


@attrs.frozen(kw_only=True)
class House:
    """Of all accounts together.

    Args:
        overall: messages to one number, through any account; None for the defaults.
        cap: most money in 24 hours.
        exempt: classes that are sent to who opted out all the same.
        expires_s: of every message; None for its class's.
        storm: many messages at once, to everybody; and a look at the weights every minute.
    """

    strategy: Strategy = Strategy.FAILOVER
    overall: tuple[Rate, ...] | None = None
    cap: Decimal | None = None
    budgets: Budgets = attrs.field(factory=Budgets)
    exempt: frozenset[MessageClass] = frozenset()
    errands: tuple[Errand, ...] = ()
    expires_s: float | None = None
    storm: bool = False


@attrs.define
class Draft:
    """What is drawn so far."""

    dice: Random
    places: int
    house: House
    terms: dict[AccountId, Terms]

    def each(self, change: Callable[[AccountId, Terms], Terms]) -> None:
        """Change the terms of each account."""
        self.terms = {name: change(name, terms) for name, terms in self.terms.items()}

    def errand(self, at_s: float, deed: Deed, account: AccountId | None = None, place: int = 0) -> None:
        """Add an errand."""
        errand = Errand(at_s=round(at_s, 3), deed=deed, account=account, place=place)
        self.house = attrs.evolve(self.house, errands=(*self.house.errands, errand))


def draw_terms(dice: Random, names: tuple[AccountId, ...], places: int) -> tuple[House, dict[AccountId, Terms]]:
    """Draw them.

    Args:
        dice: of their own.
        names: of the accounts.
        places: how many numbers there are.
    """
    draft = Draft(dice, places, House(), dict.fromkeys(names, Terms()))
    if dice.random() < _STORMS:
        _storm(draft)
    elif dice.random() < _FURNISHED:
        for theme in dice.sample(_THEMES, dice.choice((1, 1, 2, 3))):
            theme(draft)
    return draft.house, draft.terms


_STORMS = 0.02
_FURNISHED = 0.5


def _limits(draft: Draft) -> None:
    choice = draft.dice.choice

    def limited(_: AccountId, terms: Terms) -> Terms:
        by_account = draft.dice.random() < 0.3
        return attrs.evolve(
            terms,
            submits=choice(((), (Rate(1, 10),), (Rate(2, 60),), (Rate(3, 180), Rate(5, 3600)))),
            per_recipient=choice(
                ((), (Rate(4, 120),), (Rate(6, 600),)) if by_account else ((), (Rate(1, 60),), (Rate(2, 600),))
            ),
            by_account=by_account,
        )

    draft.each(limited)
    draft.house = attrs.evolve(draft.house, overall=choice((None, (Rate(1, 60),), (Rate(2, 300), Rate(3, 3600)))))


def _money(draft: Draft) -> None:
    """Prices and caps. Who waits for money asks every minute, so that nothing may wait for long."""
    choice = draft.dice.choice

    def priced(_: AccountId, terms: Terms) -> Terms:
        cap = choice((None, Decimal("0.15"), Decimal("0.4")))
        return attrs.evolve(terms, price=choice((Decimal("0.05"), Decimal("0.1"), None)), cap=cap)

    draft.each(priced)
    cap, strategy = choice((None, Decimal("0.3"), Decimal("0.8"))), choice((Strategy.FAILOVER, Strategy.CHEAPEST))
    draft.house = attrs.evolve(draft.house, cap=cap, strategy=strategy, expires_s=1200.0)


def _credit(draft: Draft) -> None:
    """Balances that run out, and come back."""
    for name, terms in draft.terms.items():
        credit = draft.dice.choice((None, Decimal("0.2"), Decimal("0.5")))
        floor = draft.dice.choice((None, Decimal("0.15")))
        price = terms.price or Decimal("0.1")
        draft.terms[name] = attrs.evolve(terms, price=price, credit=credit, floor=floor)
        draft.errand(draft.dice.uniform(300, 1500), Deed.TOP_UP, name)
    draft.house = attrs.evolve(draft.house, expires_s=1800.0)


def _locks(draft: Draft) -> None:
    def locked(_: AccountId, terms: Terms) -> Terms:
        since_s = draft.dice.uniform(0, 300)
        until_s = since_s + draft.dice.choice((30.0, 400.0, 1500.0))
        return attrs.evolve(terms, locked=(since_s, until_s)) if draft.dice.random() < 0.6 else terms

    draft.each(locked)


def _budgets(draft: Draft) -> None:
    retries, resends = draft.dice.choice((1, 1, 2)), draft.dice.choice((1, 1, 2))
    draft.house = attrs.evolve(draft.house, budgets=Budgets(retries=retries, resends=resends))


def _strategy(draft: Draft) -> None:
    draft.house = attrs.evolve(draft.house, strategy=draft.dice.choice(tuple(Strategy)))
    draft.each(lambda _, terms: attrs.evolve(terms, weight=draft.dice.choice((1, 2, 5))))


def _opt_outs(draft: Draft) -> None:
    """Somebody wants no more, and perhaps thinks better of it."""
    dice = draft.dice
    for place in dice.sample(range(draft.places), dice.choice((1, 2, 3))):
        at_s = dice.choice((0.5, dice.uniform(0, 60), dice.uniform(0, 600)))
        draft.errand(at_s, Deed.OPT_OUT, place=place)
        if dice.random() < 0.3:
            draft.errand(at_s + dice.uniform(1, 900), Deed.OPT_IN, place=place)
    exempt = dice.choice((frozenset(), frozenset((MessageClass.CRITICAL, MessageClass.OTP))))
    draft.house = attrs.evolve(draft.house, exempt=exempt)


def _operators(draft: Draft) -> None:
    """Accounts are taken out of use, and put back."""
    for name in draft.terms:
        if draft.dice.random() < 0.6:
            at_s = draft.dice.choice((0.5, draft.dice.uniform(0, 60), draft.dice.uniform(0, 600)))
            draft.errand(at_s, Deed.DISABLE, name)
            draft.errand(at_s + draft.dice.choice((20.0, 300.0, 2000.0)), Deed.RESUME, name)


def _storm(draft: Draft) -> None:
    """So many messages that quality can be judged, and vendors that deliver none of them for a while."""
    dice = draft.dice
    strategies = (Strategy.FAILOVER, Strategy.BEST, Strategy.WEIGHTED, Strategy.ROUND_ROBIN)
    draft.house = attrs.evolve(draft.house, strategy=dice.choice(strategies), storm=True)
    all_mute = dice.random() < 0.4
    span = (0.0, dice.choice((400.0, 900.0)))
    silent = [name for at, name in enumerate(draft.terms) if all_mute or at == 0]
    draft.each(lambda name, terms: attrs.evolve(terms, mute=span) if name in silent else terms)


_THEMES = (_limits, _money, _credit, _locks, _budgets, _strategy, _opt_outs, _operators)
