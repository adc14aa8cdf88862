"""The `[groups]` table: recipients under one name."""

from __future__ import annotations

from tocsin.config.findings import Unfit
from tocsin.config.table import Table
from tocsin.errors import InvalidNumber
from tocsin.model.phone import E164, parse_number


def read_groups(table: Table) -> dict[str, tuple[E164, ...]]:
    """Return the numbers of each group. A finding names group and position, never the number."""
    return {name: table.read_list(name, _number, least=1) or () for name in table.content}


def _number(value: object) -> E164:
    if not isinstance(value, str):
        raise Unfit('expected a phone number in quotes, such as "+8613900000000"')
    try:
        return parse_number(value)
    except InvalidNumber:
        raise Unfit('expected a phone number such as "+8613900000000"') from None
