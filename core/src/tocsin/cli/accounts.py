"""`tocsin accounts`: how each account fares and how its polls go; and the operator's word on one of them."""

from __future__ import annotations

from typing import Any

import click

from tocsin.app import Tocsin
from tocsin.cli.drill import drill
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.outbox.breaker import Mode, mode
from tocsin.standing import KINDS, OPEN, Standing, read_standings


@click.group(invoke_without_command=True, subcommand_metavar="[drain|resume|test NAME]")
@json_option
@shared_options
@pass_session
@click.pass_context
def accounts(context: click.Context, session: Session, as_json: bool) -> None:
    """Show each account: how it fares, what it has left, how its polls went, what is open there. Asks no vendor."""
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"--json stands behind {context.invoked_subcommand}")
        return
    with session.open() as tocsin:
        standings = read_standings(tocsin.parts)
        counts = tocsin.parts.store.counts(*OPEN)
    if as_json:
        print_json([one.as_json() for one in standings])
        return
    _show(standings)
    if untried := sum(count for (_, name), count in counts.items() if name is None):
        click.echo(f"queued, and not tried yet: {untried}")


@accounts.command()
@click.argument("name", metavar="NAME")
@json_option
@shared_options
@pass_session
def drain(session: Session, name: str, as_json: bool) -> None:
    """Let nothing more leave through an account, until `resume`. What is under way comes to its end."""
    with session.open() as tocsin:
        (account,) = tocsin.accounts(name)
        was = _mode(tocsin, account.id)
        tocsin.parts.store.accounts.disable(account.id, tocsin.parts.clock.now())
        after = _mode(tocsin, account.id)
        said = (
            f"{name} was out of use already"
            if was is Mode.DISABLED
            else f"{name} is out of use until `tocsin accounts resume {name}`; what is under way comes to its end"
        )
        _tell(account, was, after, said, as_json=as_json)
        if stranded := _without_another(tocsin, account.id):
            say(f"no other account is on {', '.join(stranded)}: what comes there waits")


@accounts.command()
@click.argument("name", metavar="NAME")
@json_option
@shared_options
@pass_session
def resume(session: Session, name: str, as_json: bool) -> None:
    """Use an account again: lift `drain`, an open breaker, and what a refusal of the account has set."""
    with session.open() as tocsin:
        (account,) = tocsin.accounts(name)
        was = _mode(tocsin, account.id)
        tocsin.parts.store.accounts.resume(account.id, tocsin.parts.clock.now())
        after = _mode(tocsin, account.id)
    said = f"{name} was in use already" if was is Mode.CLOSED else f"{name} is in use again; it was {_WORDS[was]}"
    _tell(account, was, after, said, as_json=as_json)


accounts.add_command(drill)

_WORDS = {
    Mode.CLOSED: "in use",
    Mode.OPEN: "closed by its breaker",
    Mode.HALF_OPEN: "on probation",
    Mode.PROBING: "on probation",
    Mode.DRAINED: "without balance",
    Mode.FORCED_OPEN: "refused as an account",
    Mode.DISABLED: "out of use",
}


def _show(standings: list[Standing]) -> None:
    print_table(("account", "vendor", *KINDS, "open"), [one.as_row() for one in standings], "no accounts")
    if standings:
        columns = ("account", "stands", "left", "in 24 h", "delivered", "quality below 100")
        print_table(columns, [one.health_row() for one in standings], "")


def _mode(tocsin: Tocsin, account: AccountId) -> Mode:
    health = tocsin.parts.store.accounts.health().get(account)
    return Mode.CLOSED if health is None else mode(health, tocsin.parts.clock.now())


def _without_another(tocsin: Tocsin, account: AccountId) -> list[str]:
    """Return the routes that have no account but this one."""
    return [one.name for one in tocsin.parts.fleet.routes if set(one.accounts) == {account}]


def _tell(account: Account, was: Mode, now: Mode, said: str, *, as_json: bool) -> None:
    document: dict[str, Any] = {"account": account.id, "was": was.value, "mode": now.value}
    print_json(document) if as_json else click.echo(said)
