"""`tocsin notify` and `tocsin sendsms`: for monitoring programs, which start a process for each page and never retry.

They have a second for all of it, so this module loads nothing that is not needed to put a slip on the spool.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tocsin.alerting.notification import FIELDS, STATUSES, gather, pager, present, read_notice
from tocsin.cli.arguments import read_duration, read_recipients
from tocsin.cli.exit import Exit
from tocsin.cli.output import print_json, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.config import find_config
from tocsin.doorstep import PATIENCE_MS, Doorstep, Handed, start_of_process
from tocsin.errors import InvalidInput
from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.spool.slip import Slip

F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "type": f"Type of the notification: {', '.join(list(STATUSES)[:4])}, DOWNTIME…, FLAPPING…",
    "host": "Host that it is about.",
    "service": "Service on it; none for the host itself.",
    "state": "State now, such as CRITICAL or DOWN.",
    "last_state": "State before.",
    "output": "What the check printed; its first line is sent.",
    "address": "Address of the host.",
    "contact": "Who is notified, by name.",
    "author": "Who acknowledged, commented, or planned the downtime.",
    "comment": "What they wrote.",
    "date": "Time of the notification, for people.",
    "state_change": "When the state last changed, in seconds since 1970.",
    "time": "Time of the notification, in seconds since 1970.",
    "id": "Number of the notification, where the program has one.",
}
_CLASSES = click.Choice([cls.value for cls in MessageClass])
_CLASS_HELP = "What it is for; else as [sources] says, and alert where that says nothing."
_PATIENCE_HELP = "How long after its start to wait for the store."
_NUMBER = re.compile(r"\+?[0-9]{7,}")
_METAVARS = {"state_change": "SECONDS", "time": "SECONDS"}


class _Discreet(click.Command):
    """A command whose complaints about what it was given repeat no number: whoever starts it logs them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(_NUMBER.sub("…", error.format_message()), ctx) from None


def _fields(command: F) -> F:
    """Give a command an option for each thing that may be said of a notification."""
    for field in reversed(FIELDS):
        name = f"--{field.replace('_', '-')}"
        command = click.option(name, field, metavar=_METAVARS.get(field, "TEXT"), help=_HELP[field])(command)
    return command


def _hurried(command: F) -> F:
    """Give a command the options of whoever is in a hurry."""
    for option in (
        click.option("--patience", metavar="TIME", default=f"{PATIENCE_MS}ms", show_default=True, help=_PATIENCE_HELP),
        click.option("--spool-only", is_flag=True, help="Leave the store alone; a worker takes up the spool."),
        click.option("--class", "cls", type=_CLASSES, help=_CLASS_HELP),
    ):
        command = option(command)
    return command


@click.command(cls=_Discreet)
@click.option("--to", "to", multiple=True, metavar="NUMBER", help="Recipient. Repeat it. Else $NAGIOS_CONTACTPAGER.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Recipients of a configured group. Repeat it.")
@_fields
@click.option("--source", metavar="NAME", help="Source by whose policy it is told; icinga, or nagios by its variables.")
@click.option("--instance", default="", metavar="NAME", help="Tells programs apart that watch hosts of equal names.")
@click.option("--from-env", is_flag=True, help="Insist on the variables of Nagios (NAGIOS_…).")
@_hurried
@json_option
@shared_options
@pass_session
def notify(session: Session, /, **options: Any) -> int:
    """Take a notification of Icinga 2 or Nagios 4: durable when this returns, within a second.

    Neither gateway nor worker need to run. What an option does not say is read from the variables of Nagios (NAGIOS_…);
    an empty value and a macro left as it was count as absent. Where the store cannot take it in time, it waits on the
    spool beside the store, and the worker takes it from there.
    """
    now = datetime.now(UTC)
    said = gather({field: options[field] for field in FIELDS}, session.environ)
    if options["from_env"] and present(session.environ.get("NAGIOS_HOSTNAME")) is None:
        raise InvalidInput("--from-env: NAGIOS_HOSTNAME is not set; Nagios sets it with enable_environment_macros=1")
    to, groups = _whom(options, session.environ)
    cls = MessageClass(options["cls"]) if options["cls"] else None
    notice = read_notice(said, now, options["instance"])
    source = options["source"] or ("nagios" if "NAGIOS_HOSTNAME" in session.environ else "icinga")
    return _hand_in(session, Slip(heard_at=now, source=source, to=to, groups=groups, cls=cls, notice=notice), options)


@click.command(cls=_Discreet, context_settings={"allow_interspersed_args": False})
@click.argument("numbers", metavar="NUMBER...", nargs=-1, required=True)
@click.argument("text", metavar="TEXT")
@_hurried
@shared_options
@pass_session
def sendsms(session: Session, /, numbers: tuple[str, ...], text: str, **options: Any) -> int:
    """Take a text, called as the script `sendsms` of smstools3 is: durable when this returns, within a second.

    Numbers may lack their +. Two calls are two messages, whatever they say. The text is sent as one line of one
    message, shortened where it is longer.
    """
    now = datetime.now(UTC)
    to = read_recipients(map(_with_plus, numbers), (), lambda _: ())
    words = present(text)
    if words is None:
        raise InvalidInput("nothing to say: expected a text behind the numbers")
    cls = MessageClass(options["cls"]) if options["cls"] else None
    alert = Alert(fingerprint=os.urandom(16).hex(), status=AlertStatus.EVENT, name=words, starts_at=now)
    slip = Slip(heard_at=now, source="sendsms", to=to, cls=cls, notice=Notice(alerts=(alert,)))
    return _hand_in(session, slip, options)


def _whom(options: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[tuple[E164, ...], tuple[str, ...]]:
    """Return the numbers and the groups; the contact's own number where neither is given."""
    to, groups = options["to"], options["groups"]
    if not (to or groups) and (number := pager(environ)) is not None:
        to = (number,)
    if not all(map(present, groups)):
        raise InvalidInput("--group: expected the name of a group")
    numbers = read_recipients(to, (), lambda _: ()) if to or not groups else ()
    return tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(groups))


def _with_plus(number: str) -> str:
    """Return a number with its plus, where it is only digits and no mainland number."""
    return f"+{number}" if number.isdecimal() and not number.startswith("0") and len(number) > 11 else number


def _hand_in(session: Session, slip: Slip, options: Mapping[str, Any]) -> int:
    """Make it durable, and tell how."""
    outside = session.surroundings
    doorstep = Doorstep(
        config=find_config(session.config_option, session.environ, Path.cwd()),
        boundary=(lambda _: None) if outside is None else outside.boundary,
        began_at=start_of_process(),
        patience_s=read_duration("--patience", options["patience"]),
    )
    handed = doorstep.hand_in(slip, spool_only=options["spool_only"])
    if options.get("as_json"):
        print_json({"messages": list(handed.messages), "spooled": handed.spooled, "why": handed.why or None})
    else:
        click.echo(_in_words(handed))
    if handed.why:
        say(f"on the spool: {handed.why}")
    return Exit.OK


def _in_words(handed: Handed) -> str:
    if handed.spooled:
        return "spooled"
    return f"message {', '.join(handed.messages)}" if handed.messages else "nothing new"
