"""The `tocsin` command: its group, and the one place where errors become a sentence and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from typing import TextIO

import click

from tocsin import __version__
from tocsin.cli.exit import Exit, status_of_error
from tocsin.cli.output import say
from tocsin.cli.session import Session, shared_options
from tocsin.errors import TocsinError

COMMANDS = {
    "demo": "demo",
    "init": "setup",
    "check": "setup",
    "vendors": "setup",
    "route": "route",
    "send": "send",
    "serve": "serve",
    "worker": "worker",
    "gateway": "gateway",
    "notify": "notify",
    "sendsms": "notify",
    "status": "look",
    "list": "look:list_deliveries",
    "cancel": "look",
    "explain": "look",
    "accounts": "accounts",
    "balance": "vendor",
    "reports": "vendor",
    "inbox": "vendor",
    "opt-outs": "optouts:opt_outs",
    "call": "call",
    "key": "key",
    "verify": "verify",
    "simulate": "simulate",
    "sandbox": "sandbox",
}
"""Where each command stands: its module, and its name there where it has another. In the order that newcomers need."""


class _Commands(MutableMapping[str, click.Command]):
    """Commands by name. Each one's module is loaded when it is asked for, and no other."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            command = getattr(importlib.import_module(f"tocsin.cli.{module}"), attribute or name)
            self._loaded[name] = command
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)


class _Ordered(click.Group):
    """Lists commands in the order in which a newcomer needs them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)


@click.group(
    cls=_Ordered,
    commands=_Commands(dict(COMMANDS)),
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
