"""`tocsin demo`: the story on a terminal, with both vendors' sandboxes and a store of its own."""

from __future__ import annotations

import click

from tocsin.cli.session import shared_options


@click.command()
@shared_options
def demo() -> int:
    """Tell the story."""
    return 0
