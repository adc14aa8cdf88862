"""Which account plays which part: scenarios speak of the first and the second, so that they fit any configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.model.ids import AccountId
from tocsin.rehearse.scenario import Behaviour, Scenario, Trouble

ALL = "all"
LAST = "last"
ORDINALS = ("first", "second", "third", "fourth", "fifth")
PARTS = (ALL, *ORDINALS, LAST)


def players(part: str, accounts: Sequence[AccountId]) -> tuple[AccountId, ...]:
    """Return whom a name or a part means: an account's own name before any part; nobody where there is none."""
    if part in accounts:
        return (AccountId(part),)
    if part == ALL:
        return tuple(accounts)
    if part == LAST:
        return tuple(accounts[-1:])
    place = ORDINALS.index(part) if part in ORDINALS else len(accounts)
    return tuple(accounts[place : place + 1])


def strangers(scenario: Scenario, accounts: Iterable[AccountId]) -> tuple[str, ...]:
    """Return the names in a scenario that are neither a part nor an account."""
    known = {*PARTS, *accounts}
    return tuple(name for name in spoken_of(scenario) if name not in known)


def spoken_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the names and parts that a scenario speaks of, each once."""
    return tuple(dict.fromkeys([*scenario.vendors, *(trouble.account for trouble in scenario.troubles)]))


def behaviour_of(scenario: Scenario, account: AccountId, accounts: Sequence[AccountId]) -> Behaviour:
    """Return how the vendor of an account behaves: by its name, else by its part, else as all do."""
    if account in scenario.vendors:
        return scenario.vendors[account]
    for part in (*ORDINALS, LAST, ALL):
        if part in scenario.vendors and account in players(part, accounts):
            return scenario.vendors[part]
    return Behaviour()


def troubles_of(scenario: Scenario, account: AccountId, accounts: Sequence[AccountId]) -> tuple[Trouble, ...]:
    """Return what troubles the vendor of an account, in the order written."""
    return tuple(one for one in scenario.troubles if account in players(one.account, accounts))
