"""`tocsin opt-outs`: who wants no more messages."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.output import print_json, print_table
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.model.optout import OptedOut
from tocsin.model.phone import Msisdn, parse_number, parse_vendor_number
from tocsin.shown import iso


@click.group("opt-outs", invoke_without_command=True, subcommand_metavar="[add|remove NUMBER]")
@json_option
@shared_options
@pass_session
@click.pass_context
def opt_outs(context: click.Context, session: Session, as_json: bool) -> None:
    """List who wants no more messages, newest first: by a word of theirs, or because an operator said so."""
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"--json stands behind {context.invoked_subcommand}")
        return
    with session.open() as tocsin:
        everybody = tocsin.parts.store.accounts.all_opted_out()
    if as_json:
        print_json([_as_json(one) for one in everybody])
        return
    rows = [(one.number.full, iso(one.at) or "", _by(one)) for one in everybody]
    print_table(("number", "since", "by"), rows, "nobody has opted out")


@opt_outs.command()
@click.argument("number", metavar="NUMBER")
@json_option
@shared_options
@pass_session
def add(session: Session, number: str, as_json: bool) -> None:
    """Send a number no more, through any account; the classes that the configuration exempts excepted."""
    to = parse_number(number)
    with session.open() as tocsin:
        book = tocsin.parts.store.accounts
        changed = to not in book.opted_out((to,))
        book.opt_out(OptedOut(number=to, at=tocsin.parts.clock.now()))
    _tell(to, "gets no more messages" if changed else "had opted out already", opted_out=True, as_json=as_json)


@opt_outs.command()
@click.argument("number", metavar="NUMBER")
@json_option
@shared_options
@pass_session
def remove(session: Session, number: str, as_json: bool) -> None:
    """Send a number again. Do so only where its owner asks for it."""
    to = parse_vendor_number(number)
    with session.open() as tocsin:
        changed = tocsin.parts.store.accounts.opt_in(to)
    _tell(to, "gets messages again" if changed else "had not opted out", opted_out=False, as_json=as_json)


def _as_json(one: OptedOut) -> dict[str, Any]:
    return {"number": one.number.full, "at": iso(one.at), "account": one.account, "word": one.word or None}


def _by(one: OptedOut) -> str:
    return f"{one.word}, through {one.account}" if one.word else "an operator"


def _tell(number: Msisdn, said: str, *, opted_out: bool, as_json: bool) -> None:
    if as_json:
        print_json({"number": number.full, "opted_out": opted_out})
    else:
        click.echo(f"{number.full} {said}")
