"""The order in which a route's accounts are judged."""

from __future__ import annotations

from typing import assert_never

from tocsin.model.ids import AccountId
from tocsin.policy.route import Route, Strategy


def order(route: Route) -> tuple[AccountId, ...]:
    """Return the route's accounts in the order its strategy gives: the first that can carry a message is chosen."""
    match route.strategy:
        case Strategy.FAILOVER:
            return route.accounts
        case never:
            assert_never(never)
