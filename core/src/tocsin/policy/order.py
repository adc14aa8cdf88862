"""The order in which a route's accounts are judged: the first that can carry a message is chosen. Pure, and total.

A strategy only orders. What an account cannot do, or may not just now, is judged afterwards, and the next one follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import attrs

from tocsin.model.quality import FULL
from tocsin.policy.judge import Candidate
from tocsin.policy.route import Route, Strategy


@attrs.frozen(kw_only=True)
class Lot:
    """What decides between equals, the same each time that a delivery is asked about.

    Args:
        turn: of the route, counted from 0.
        draw: a number from 0 to 1, below 1.
    """

    turn: int = 0
    draw: float = 0.0


def order(route: Route, candidates: Sequence[Candidate], lot: Lot) -> tuple[Candidate, ...]:
    """Return a route's accounts in the order that its strategy gives.

    Args:
        route: whose strategy and weights.
        candidates: its accounts, in the order written.
        lot: of the delivery.
    """
    match route.strategy:
        case Strategy.FAILOVER | Strategy.BROADCAST:
            return tuple(candidates)
        case Strategy.ROUND_ROBIN:
            first = lot.turn % max(1, len(candidates))
            return (*candidates[first:], *candidates[:first])
        case Strategy.WEIGHTED:
            return _drawn(route, candidates, lot.draw)
        case Strategy.CHEAPEST:
            return tuple(sorted(candidates, key=lambda one: (one.cost is None, one.cost)))
        case Strategy.BEST:
            return tuple(sorted(candidates, key=lambda one: -one.quality))
        case never:
            assert_never(never)


def _drawn(route: Route, candidates: Sequence[Candidate], draw: float) -> tuple[Candidate, ...]:
    """Draw one after the other, each as often as its weight says among those that are left.

    A weight counts as far as the account delivers. One draw serves all: what is left of it within the share of the
    account that it hit is as good as a new one. Accounts without weight stand behind the others, as written.
    """
    left = list(candidates)
    drawn: list[Candidate] = []
    while left:
        weights = [route.weights.get(one.account, 0) * one.quality / FULL for one in left]
        if sum(weights) <= 0:
            break
        place, draw = _hit(weights, draw)
        drawn.append(left.pop(place))
    return (*drawn, *left)


def _hit(weights: Sequence[float], draw: float) -> tuple[int, float]:
    """Return whose share of the whole a draw falls into, and where in that share, from 0 to 1."""
    target = draw * sum(weights)
    last = 0
    for place, weight in enumerate(weights):
        if weight <= 0:
            continue
        if target < weight:
            return place, target / weight
        target -= weight
        last = place
    return last, 0.0
