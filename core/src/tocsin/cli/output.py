"""What the command line writes: JSON documents, tables, sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

_CONTROLS = (*range(32), *range(127, 160), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_HARMLESS = {code: "\N{REPLACEMENT CHARACTER}" for code in _CONTROLS if chr(code) not in "\t\n"}
"""What somebody's SMS could do to a terminal: move its cursor, colour it, turn its letters around."""


def print_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Write a table, or one sentence where there is nothing to show."""
    lines = list(rows)
    if not lines:
        click.echo(empty)
        return
    from rich import box  # loaded where something is shown: who is asked for a word in a hurry shows no table
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for line in lines:
        table.add_row(*(Text(cell.translate(_HARMLESS)) for cell in line))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 200)  # a pipe has no width: cut nothing
    console.print(table)


def say(sentence: str) -> None:
    """Write one sentence for people to standard error."""
    click.echo(f"tocsin: {sentence}", err=True)
