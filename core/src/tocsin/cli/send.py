"""`tocsin send`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import click

from tocsin.app import Details, Tocsin
from tocsin.cli.arguments import class_option, read_attachment, read_duration, read_recipients, read_tags, read_time
from tocsin.cli.exit import Exit, status_of
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.progress import progress
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.receipt import Receipt
from tocsin.shown import delivery_json
from tocsin.story import why

LISTED = 20
"""Up to so many recipients are listed one by one; more are counted."""


@click.command()
@click.option("--to", "to", multiple=True, metavar="NUMBER", help="Recipient; @FILE or @- reads a list. Repeat it.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Recipients of a configured group. Repeat it.")
@click.option("--text", default="", help="What to say. May be empty with --attach.")
@class_option("What it is for; decides how doubt and silence are met.")
@click.option(
    "--at",
    metavar="ISO",
    help="Send at that time, such as 2027-01-31T08:00+08:00; with --now the vendor keeps it until then.",
)
@click.option("--extension", default="", metavar="DIGITS", help="Extension number to send from.")
@click.option("--subject", default="", help="Subject of a multimedia message.")
@click.option("--attach", multiple=True, metavar="FILE", help="Attachment of a multimedia message. Repeat it.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="For routing and for people. Repeat it.")
@click.option("--key", metavar="KEY", help="Idempotency key: the same key never makes a second message.")
@click.option("--now", is_flag=True, help="Submit in this process: one pass, each account at most once.")
@click.option("--wait", metavar="TIME", help="Wait so long for the end of each delivery, such as 30s.")
@json_option
@shared_options
@pass_session
def send(session: Session, /, **options: Any) -> int:
    """Accept a message: durable when this returns.

    Without --now a worker submits it (`tocsin worker`), and with --wait this waits for its reports. With --now it is
    submitted before this returns. The exit status tells: 0 done, 1 somebody was refused or not reached by the phone's
    carrier, 3 in doubt, or still open after --wait, 4 no vendor could be reached.
    """
    asked = _Asked(**options)
    details = asked.details()
    wait_s = asked.wait_s()
    with session.open() as tocsin:
        numbers = read_recipients(asked.to, asked.groups, tocsin.group)
        if asked.now:
            with progress(len(numbers), "sending") as told:
                receipt = tocsin.deliver_now(to=numbers, text=asked.text, cls=asked.cls, progress=told, **details)
        else:
            receipt = tocsin.send(to=numbers, text=asked.text, cls=asked.cls, **details)
        if wait_s is not None:
            _wait(receipt, wait_s)
        if not asked.now and wait_s is None:
            return _show(tocsin, receipt, asked.as_json, Exit.OK)
        deliveries = receipt.deliveries
        attempts = tocsin.parts.store.attempts(tuple(delivery.id for delivery in deliveries))
        return _show(tocsin, receipt, asked.as_json, status_of(deliveries, attempts, waited=wait_s is not None))


@attrs.frozen(kw_only=True)
class _Asked:
    """The command's options, as click read them."""

    to: tuple[str, ...]
    groups: tuple[str, ...]
    text: str
    cls: str
    at: str | None
    extension: str
    subject: str
    attach: tuple[str, ...]
    tags: tuple[str, ...]
    key: str | None
    now: bool
    wait: str | None
    as_json: bool

    def wait_s(self) -> float | None:
        """Return how long to wait for the end, in seconds; None for not at all."""
        return None if self.wait is None else read_duration("--wait", self.wait)

    def details(self) -> Details:
        """Return what is said of the message beside recipients, text and class."""
        return Details(
            tags=read_tags(self.tags),
            source="cli",
            idempotency_key=self.key,
            send_at=None if self.at is None else read_time(self.at),
            extension=self.extension,
            subject=self.subject,
            attachments=tuple(read_attachment(name) for name in self.attach),
        )


def _wait(receipt: Receipt, wait_s: float) -> None:
    """Wait for the end of each delivery, with a bar on a terminal that shows how many have come to theirs."""
    total = len(receipt.deliveries)
    with progress(total, "waiting") as told:
        receipt.wait(wait_s, progress=told)


def _show(tocsin: Tocsin, receipt: Receipt, as_json: bool, status: Exit) -> int:
    deliveries = receipt.deliveries
    if as_json:
        print_json({"id": receipt.id, "deliveries": [delivery_json(delivery) for delivery in deliveries]})
    else:
        _show_to_people(receipt, deliveries)
    for sentence in _explanations(tocsin, deliveries):
        say(sentence)
    return status


def _show_to_people(receipt: Receipt, deliveries: tuple[Delivery, ...]) -> None:
    click.echo(f"message {receipt.id}")
    if len(deliveries) <= LISTED:
        print_table(
            ("to", "state", "account"),
            [(one.to.full, one.state.replace("_", " "), one.account or "") for one in deliveries],
            "",
        )
        return
    for (state, account), count in Counter((one.state, one.account) for one in deliveries).items():
        click.echo(f"{count} {state.replace('_', ' ')}" + (f" through {account}" if account else ""))


def _explanations(tocsin: Tocsin, deliveries: tuple[Delivery, ...]) -> list[str]:
    """Return a sentence for each different reason why some were not taken."""
    troubled = [one for one in deliveries if one.state in (State.FAILED, State.IN_DOUBT, State.PARKED, State.EXPIRED)]
    reasons = Counter((one.state, why(tocsin.story(one))) for one in troubled)
    return [
        f"{count} of {len(deliveries)} {state.replace('_', ' ')}: {reason}"
        for (state, reason), count in reasons.most_common(LISTED)
    ]
