"""The `[[routes]]` tables: which accounts take which messages, and how doubt is met there."""

from __future__ import annotations

from collections.abc import Collection

from tocsin.config import units
from tocsin.config.findings import quote
from tocsin.config.match import read_match
from tocsin.config.shares import read_shares
from tocsin.config.table import Table
from tocsin.policy.route import InDoubt, OnUndelivered, Route, RuleChanges, Strategy

_PLANNED_KEYS = ("escalate_to", "ack_required")


def read_routes(root: Table, accounts: Collection[str]) -> tuple[Route, ...]:
    """Return the routes that can be read, in the order written.

    Args:
        root: the whole file.
        accounts: names of the accounts written there, readable or not.
    """
    routes = []
    names: set[str] = set()
    catch_all = ""
    for position, table in enumerate(root.tables("routes"), start=1):
        name = table.read("name", units.text) or f"route-{position}"
        if name in names:
            table.note("name", f"another route is named {quote(name)}")
        if catch_all:
            table.findings.add(table.path, f"never reached: the route {quote(catch_all)} before it takes all")
        names.add(name)
        catch_all = catch_all or ("" if table.content.get("match") else name)
        route = _read_route(name, table, accounts)
        if route is not None:
            routes.append(route)
    return tuple(routes)


def _read_route(name: str, table: Table, accounts: Collection[str]) -> Route | None:
    match = read_match(table.table("match"))
    strategy = _read_strategy(table)
    shares = read_shares(table, strategy, accounts)
    changes = _read_changes(table)
    for key in _PLANNED_KEYS:
        if table.take(key) is not None:
            table.note(key, "not available yet; leave it out")
    table.refuse_unasked()
    if strategy is None or not shares:
        return None
    weights = shares if strategy is Strategy.WEIGHTED else {}
    return Route(name=name, match=match, strategy=strategy, accounts=tuple(shares), weights=weights, changes=changes)


def _read_strategy(table: Table) -> Strategy | None:
    """Return how the accounts are ordered; None where what is written says it in no known way."""
    strategy = table.read("strategy", units.member(Strategy))
    return strategy if "strategy" in table.content else Strategy.FAILOVER


def _read_changes(table: Table) -> RuleChanges:
    return RuleChanges(
        when_in_doubt=table.read("when_in_doubt", units.member(InDoubt)),
        evidence_wait=table.read("evidence_wait", units.duration),
        report_timeout=table.read("report_timeout", units.interval),
        on_undelivered=table.read("on_undelivered", units.member(OnUndelivered)),
        expires_after=table.read("expires_after", units.interval),
        max_copies=table.read("max_copies", units.whole_number(1, 9)),
    )
