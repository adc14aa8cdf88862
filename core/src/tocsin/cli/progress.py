"""A progress bar on standard error, where a person looks on and there is something to wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Told = Callable[[int], None]
"""Told how many more are done."""

FEW = 20
"""Up to so many need no bar."""


@contextmanager
def progress(total: int, what: str) -> Iterator[Told]:
    """Show a bar on a terminal while the body runs.

    Args:
        total: how many there are.
        what: happens to them, in a word.
    """
    console = Console(stderr=True)
    if total <= FEW or not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
