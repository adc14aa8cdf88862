"""A scenario's messages, one after the other."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random

from tocsin.delivery.accept import Draft
from tocsin.rehearse.play import Offer
from tocsin.rehearse.scenario import Scenario, Traffic
from tocsin.simulate.dice import dice_of


def offers_of(scenario: Scenario, seed: int) -> Iterator[Offer]:
    """Yield what is handed in, in the order of time: the same for the same seed, whatever the configuration."""
    streams = [_stream(traffic, dice_of(f"traffic {seed} {place}")) for place, traffic in enumerate(scenario.traffic)]
    yield from heapq.merge(*streams, key=lambda offer: offer.at_s)


def _stream(traffic: Traffic, dice: Random) -> Iterator[Offer]:
    """Yield one kind of message: evenly, each somewhere within its share of the time; to all recipients in turn."""
    step_s = (traffic.until_s - traffic.from_s) / traffic.count
    most = min(traffic.recipients, len(traffic.to))
    for number in range(traffic.count):
        first = number * most
        draft = Draft(
            to=tuple(traffic.to[(first + place) % len(traffic.to)] for place in range(most)),
            text=traffic.text.replace("{n}", str(number + 1)),
            cls=traffic.cls,
            tags=traffic.tags,
            source=traffic.source,
        )
        yield Offer(traffic.from_s + (number + dice.random()) * step_s, draft)
