"""The `tocsin` command: its group, and the one place where errors become a sentence and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import TextIO

import click

from tocsin import __version__
from tocsin.cli.accounts import accounts
from tocsin.cli.call import call
from tocsin.cli.demo import demo
from tocsin.cli.exit import Exit, status_of_error
from tocsin.cli.look import cancel, explain, list_deliveries, status
from tocsin.cli.optouts import opt_outs
from tocsin.cli.output import say
from tocsin.cli.route import route
from tocsin.cli.sandbox import sandbox
from tocsin.cli.send import send
from tocsin.cli.session import Session, shared_options
from tocsin.cli.setup import check, init, vendors
from tocsin.cli.simulate import simulate
from tocsin.cli.vendor import balance, inbox, reports
from tocsin.cli.verify import verify
from tocsin.cli.worker import worker
from tocsin.errors import TocsinError


class _Ordered(click.Group):
    """Lists commands in the order in which a newcomer needs them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)


@click.group(
    cls=_Ordered,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `tocsin demo`, then `tocsin init`. Exit: 0 done, 1 refused, 2 usage or configuration, "
    "3 in doubt, 4 nobody reached, 70 internal error.",
)
@click.version_option(__version__, prog_name="tocsin")
@shared_options
def cli() -> None:
    """Send SMS through several vendors, and know what became of each.

    tocsin takes a message, chooses a vendor account, submits it once, watches for evidence of delivery, and moves to
    the next account when, and only when, that is the right thing to do.
    """


for command in (
    demo,
    init,
    check,
    vendors,
    route,
    send,
    worker,
    status,
    list_deliveries,
    cancel,
    explain,
    accounts,
    balance,
    reports,
    inbox,
    opt_outs,
    call,
    verify,
    simulate,
    sandbox,
):
    cli.add_command(command)


def run(arguments: list[str], session: Session | None = None) -> int:
    """Run the command line; return its exit status.

    Args:
        arguments: without the program's name.
        session: a test's own; None for a fresh one.
    """
    session = session or Session()
    try:
        result = cli.main(arguments, prog_name="tocsin", standalone_mode=False, obj=session)
        if sys.stdout is not None:  # closed before we began
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (the last seam: one sentence, never a traceback)
        return _end(error, session)
    finally:
        _let_go(sys.stdout)
        _let_go(sys.stderr)
    return result if isinstance(result, int) else Exit.OK


def _let_go(stream: TextIO | None) -> None:
    """Drop what a stream cannot take: the interpreter tries once more at its end, complains, and changes the status."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # a stream of no file has nothing that could be tried again
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _end(error: BaseException, session: Session) -> int:
    """Say in a sentence what ended the command, and return the exit status for it."""
    match error:
        case click.ClickException():
            error.show()
            return Exit.USAGE
        case click.Abort() | KeyboardInterrupt():
            say("interrupted")
            return Exit.INTERRUPTED
        case BrokenPipeError():
            return Exit.NOBODY_LISTENS
        case TocsinError():
            for line in str(error).splitlines():
                say(line)
            status = status_of_error(error)
        case _:
            say(f"internal error: {type(error).__name__}; --debug shows where")
            status = Exit.INTERNAL
    if status is Exit.INTERNAL and session.debug:
        click.echo("".join(traceback.format_exception(error)), err=True)
    return status
