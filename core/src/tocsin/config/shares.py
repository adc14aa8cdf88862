"""A route's `accounts`: names in an order, or names with weights."""

from __future__ import annotations

from collections.abc import Callable, Collection

from tocsin.config import units
from tocsin.config.table import TWICE, Table
from tocsin.model.ids import AccountId
from tocsin.policy.route import Strategy

_WEIGHT = units.whole_number(0, 1000)
_USUAL_WEIGHT = 100
_EXPECTED = 'missing; expected a list of account names such as ["main", "backup"]'


def read_shares(table: Table, strategy: Strategy | None, accounts: Collection[str]) -> dict[AccountId, int]:
    """Return the route's accounts in the order written, each with its weight.

    Args:
        table: the route.
        strategy: how it orders its accounts; None where that cannot be read, and so allows any notation.
        accounts: names of the accounts that there are.
    """
    if "accounts" not in table.content:
        table.note("accounts", _EXPECTED)
    named = units.named("account", {name: AccountId(name) for name in accounts})
    given: dict[AccountId, int | None] = {}
    for path, item in table.items("accounts", least=1) or ():
        account, weight = _read_share(table, path, item, named)
        if account in given:
            table.findings.add(path, TWICE)
        elif account is not None:
            given[account] = weight
    if strategy not in (Strategy.WEIGHTED, None) and any(weight is not None for weight in given.values()):
        table.note("accounts", f'expected no weight: only strategy = "{Strategy.WEIGHTED.value}" draws by it')
    shares = {account: _USUAL_WEIGHT if weight is None else weight for account, weight in given.items()}
    if strategy is Strategy.WEIGHTED and shares and not any(shares.values()):
        table.note("accounts", "expected at least one weight above 0")
    return shares


def _read_share(
    table: Table, path: str, item: object, named: Callable[[object], AccountId]
) -> tuple[AccountId | None, int | None]:
    if not isinstance(item, dict):
        return table.findings.parse(path, named, item), None
    share = Table(path, item, table.findings)
    account, weight = share.need("account", named, "the name of an account"), share.read("weight", _WEIGHT)
    share.refuse_unasked()
    return account, weight
