"""The `[groups]` table: recipients under one name."""

from __future__ import annotations

from tocsin.config import units
from tocsin.config.table import Table
from tocsin.model.phone import E164


def read_groups(table: Table) -> dict[str, tuple[E164, ...]]:
    """Return the numbers of each group. A finding names group and position, never the number."""
    return {name: table.read_list(name, units.number, least=1) or () for name in table.content}
