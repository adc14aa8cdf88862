"""`tocsin call`: a vendor's extra operations."""

from __future__ import annotations

import sys

import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.cli.vendor import ask_each, worst
from tocsin.delivery.call import find_operation
from tocsin.model.account import Argument


@click.command()
@click.argument("account")
@click.argument("operation")
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT]...")
@json_option
@shared_options
@pass_session
def call(session: Session, account: str, operation: str, arguments: tuple[str, ...], as_json: bool) -> int:
    """Run a vendor's extra operation, such as winnerlook's `keywords`; `tocsin vendors` names them.

    An ARGUMENT is KEY=VALUE; KEY=- reads the value from standard input. A secret that is not given is asked for
    without echo.
    """
    given = _read_arguments(arguments)
    with session.open() as tocsin:
        (found,) = tocsin.accounts(account)
        for argument in find_operation(tocsin.parts, found, operation).arguments:
            if argument.name not in given and argument.secret:
                given[argument.name] = _ask(argument)
        answers = ask_each((found,), lambda one: tocsin.call(one, operation, given))
    (answer,) = answers
    if answer.status is Exit.OK:
        print_json(answer.value) if as_json else _show(answer.value)
    return worst(answers)


def _read_arguments(arguments: tuple[str, ...]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    if any(not (key and equals) for key, equals, _ in pairs):
        raise click.UsageError("expected KEY=VALUE")
    return {key: sys.stdin.readline().rstrip("\r\n") if value == "-" else value for key, _, value in pairs}


def _ask(argument: Argument) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{argument.name} is missing; {argument.name}=- reads it from standard input")
    return str(click.prompt(argument.title, hide_input=True, confirmation_prompt=True))


def _show(value: object) -> None:
    match value:
        case dict():
            for key, one in value.items():
                click.echo(f"{key}: {one}")
        case tuple() | list():
            for one in value:
                click.echo(str(one))
            say(f"{len(value)} entries")
        case _:
            click.echo(str(value))
