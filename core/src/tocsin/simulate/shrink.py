"""Makes a scenario that goes wrong as small as it can be while it still goes wrong in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs

from tocsin.simulate.ablation import Ablation
from tocsin.simulate.life import Outcome, live
from tocsin.simulate.scenario import Scenario, Sending
from tocsin.simulate.terms import House, Terms

_T = TypeVar("_T", House, Terms)


def shrink(scenario: Scenario, ablation: Ablation | None = None) -> tuple[Scenario, Outcome]:
    """Return the smallest scenario found, and what comes of it.

    Args:
        scenario: one that violates something.
        ablation: the safeguard that it does without.
    """
    outcome = live(scenario, ablation)

    def still(smaller: Scenario) -> Outcome | None:
        found = live(smaller, ablation)
        return found if found.violated == outcome.violated else None

    while (better := _step(scenario, still)) is not None:
        scenario, outcome = better
    return scenario, outcome


def _step(scenario: Scenario, still: Callable[[Scenario], Outcome | None]) -> tuple[Scenario, Outcome] | None:
    for smaller in _smaller(scenario):
        found = still(smaller)
        if found is not None:
            return smaller, found
    return None


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yield what is left when one thing is taken away, the large things first."""
    for at in range(len(scenario.sendings)):
        yield attrs.evolve(scenario, sendings=scenario.sendings[:at] + scenario.sendings[at + 1 :])
    for at in range(len(scenario.blows)):
        yield attrs.evolve(scenario, blows=scenario.blows[:at] + scenario.blows[at + 1 :])
    for at in range(len(scenario.vendors) if len(scenario.vendors) > 1 else 0):
        yield attrs.evolve(scenario, vendors=scenario.vendors[:at] + scenario.vendors[at + 1 :])
    if scenario.workers > 1:
        blows = tuple(one for one in scenario.blows if one.worker < scenario.workers - 1)
        yield attrs.evolve(scenario, workers=scenario.workers - 1, blows=blows)
    yield from _unfurnished(scenario)
    for at, sending in enumerate(scenario.sendings):
        for plainer in _plainer(sending):
            yield attrs.evolve(scenario, sendings=(*scenario.sendings[:at], plainer, *scenario.sendings[at + 1 :]))


def _unfurnished(scenario: Scenario) -> Iterator[Scenario]:
    """Yield it with one term less: of the house, or of an account."""
    for house in _less(scenario.house, House()):
        yield attrs.evolve(scenario, house=house)
    for at in range(len(scenario.house.errands)):
        errands = scenario.house.errands[:at] + scenario.house.errands[at + 1 :]
        yield attrs.evolve(scenario, house=attrs.evolve(scenario.house, errands=errands))
    for at, vendor in enumerate(scenario.vendors):
        for terms in _less(vendor.terms, Terms()):
            plainer = attrs.evolve(vendor, terms=terms)
            yield attrs.evolve(scenario, vendors=(*scenario.vendors[:at], plainer, *scenario.vendors[at + 1 :]))


def _less(terms: _T, plain: _T) -> Iterator[_T]:
    for field in attrs.fields(type(plain)):
        if getattr(terms, field.name) != getattr(plain, field.name):
            yield attrs.evolve(terms, **{field.name: getattr(plain, field.name)})


def _plainer(sending: Sending) -> Iterator[Sending]:
    if len(sending.to) > 1:
        yield attrs.evolve(sending, to=sending.to[:-1])
    plain: dict[str, Any] = {
        "dies_at": 0,
        "repeats": 0,
        "altered": False,
        "cancelled_s": None,
        "delay_s": 0.0,
        "now": False,
    }
    for name, value in plain.items():
        if getattr(sending, name) != value:
            yield attrs.evolve(sending, **{name: value})
