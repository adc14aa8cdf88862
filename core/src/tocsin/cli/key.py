"""`tocsin key`: keys for the HTTP service."""

from __future__ import annotations

import hashlib
import json
import secrets

import click

from tocsin.cli.output import print_json, say
from tocsin.cli.session import json_option, shared_options
from tocsin.config.gateway import SCOPES

_BYTES = 24


@click.group()
@shared_options
def key() -> None:
    """Keys for whoever calls the HTTP service."""


@key.command()
@click.option("--name", required=True, metavar="NAME", help="For people: who calls.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it may do. Repeat it."
)
@json_option
@shared_options
def new(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key. It is shown this once; what goes into the configuration is its SHA-256, from which nobody gets it."""
    made = secrets.token_urlsafe(_BYTES)
    digest = hashlib.sha256(made.encode()).hexdigest()
    if as_json:
        print_json({"key": made, "name": name, "sha256": digest, "scopes": list(dict.fromkeys(scopes))})
        return
    click.echo(made)
    say("this is the key, and nobody can show it again; the configuration takes:")
    lines = (
        "[[gateway.keys]]",
        f"name   = {json.dumps(name, ensure_ascii=False)}",
        f'sha256 = "{digest}"',
        f"scopes = {json.dumps(list(dict.fromkeys(scopes)))}",
    )
    click.echo("\n".join(lines), err=True)
