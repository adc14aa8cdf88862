"""`tocsin accounts test`: a fire drill, from the submit to the report, told step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs
import click

from tocsin.app import Tocsin
from tocsin.cli.arguments import class_option, read_duration
from tocsin.cli.exit import Exit, status_of
from tocsin.cli.output import print_json, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.delivery.poll import PollBusy
from tocsin.errors import AnswerError, PluginError, TransportError
from tocsin.model.account import Account, Drill
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.policy.drill import SOURCE, tags_of
from tocsin.shown import delivery_json, iso
from tocsin.story import tell

_LOOK_S = 0.1
"""How often it is looked at where the delivery stands."""


@click.command("test")
@click.argument("name", metavar="NAME")
@click.option("--to", metavar="NUMBER", help="A number of your own; else that of the account's `drill`.")
@click.option("--text", help="What to say; else the text of the account's `drill`, or `fire drill`.")
@class_option("What it is treated as.")
@click.option("--wait", default="2m", show_default=True, metavar="TIME", help="How long to wait for its report.")
@json_option
@shared_options
@pass_session
def drill(session: Session, /, **options: Any) -> int:
    """Prove an account: one real message through it alone, awaited to its report.

    It goes out although the account's breaker is open, and it costs what a message costs. The exit status tells:
    0 delivered, 1 refused or not delivered, 3 in doubt or no report in time, 4 the vendor was not reached.
    """
    asked = _Asked(**options)
    wait_s = read_duration("--wait", asked.wait)
    with session.open() as tocsin:
        (account,) = tocsin.accounts(asked.name)
        plan = asked.plan(account)
        receipt = tocsin.deliver_now(
            to=[plan.to], text=plan.text, cls=asked.cls, tags=tags_of(account.id), source=SOURCE, only=account.id
        )
        (delivery,) = receipt.deliveries
        delivery = _Vigil(tocsin, account, quiet=asked.as_json).keep(delivery, wait_s)
        attempts = tocsin.parts.store.attempts((delivery.id,))
        status = status_of((delivery,), attempts, waited=True)
        if asked.as_json:
            story = [{"at": iso(at), "what": sentence} for at, sentence in tell(tocsin.story(delivery))]
            print_json({**delivery_json(delivery), "story": story})
        else:
            click.echo(f"{account.id}: {_verdict(delivery, status)}")
        return status


def _verdict(delivery: Delivery, status: Exit) -> str:
    """Say in a few words what the drill has shown."""
    if status is Exit.NOBODY_REACHED:
        return "it was not reached"
    return _VERDICTS.get(delivery.state, "no report in time")


_VERDICTS = {
    State.DELIVERED: "it delivers",
    State.UNDELIVERED: "it took the message, and did not deliver it",
    State.FAILED: "it did not take the message",
    State.EXPIRED: "it did not take the message",
    State.IN_DOUBT: "nobody knows whether it took the message",
    State.PARKED: "nobody knows whether it took the message",
}


@attrs.frozen(kw_only=True)
class _Asked:
    """The command's arguments, as click read them."""

    name: str
    to: str | None
    text: str | None
    cls: str
    wait: str
    as_json: bool

    def plan(self, account: Account) -> Drill:
        """Return what to send to whom: as the command says, else as the account's own drill does."""
        if self.to is not None:
            to = parse_number(self.to)
            plan = Drill(to=to) if account.drill is None else attrs.evolve(account.drill, to=to)
        elif account.drill is not None:
            plan = account.drill
        else:
            raise click.UsageError(f"--to is missing, and {account.id} has no drill in the configuration")
        return plan if self.text is None else attrs.evolve(plan, text=self.text)


class _Vigil:
    """Waits for the end of a drill, telling what happens; polls its account where nobody else does.

    Args:
        tocsin: at work.
        account: that is tried.
        quiet: tell nothing.
    """

    def __init__(self, tocsin: Tocsin, account: Account, *, quiet: bool) -> None:
        self._tocsin = tocsin
        self._account = account
        self._quiet = quiet
        self._told: set[tuple[datetime, str]] = set()
        self._troubles: set[str] = set()

    def keep(self, delivery: Delivery, wait_s: float) -> Delivery:
        """Wait so long for the delivery's end; return it as it stands then."""
        until = time.monotonic() + wait_s
        while True:
            self._tell(delivery)
            left_s = until - time.monotonic()
            if delivery.state.terminal or delivery.state is State.PARKED or left_s <= 0:
                return delivery
            if self._poll_is_due():
                self._poll()
            else:
                time.sleep(min(_LOOK_S, left_s))
            (delivery,) = self._tocsin.find(delivery.id)

    def _tell(self, delivery: Delivery) -> None:
        for at, sentence in self._news(delivery):
            if not self._quiet:
                click.echo(f"  {at.astimezone():%H:%M:%S}  {sentence}")

    def _news(self, delivery: Delivery) -> Iterator[tuple[datetime, str]]:
        for event in tell(self._tocsin.story(delivery)):
            if event not in self._told:
                self._told.add(event)
                yield event

    def _poll_is_due(self) -> bool:
        """Say whether nobody, a worker or we, has asked for reports for longer than the account's pace."""
        parts, account = self._tocsin.parts, self._account
        plugin = parts.fleet.registry.vendors.get(account.vendor)
        if account.poll.reports_s <= 0 or plugin is None or not plugin.implements("fetch_reports"):
            return False
        asked = [one.asked_at for one in parts.store.listenings() if (one.account, one.kind) == (account.id, "reports")]
        pace = timedelta(seconds=1.5 * account.poll.reports_s)
        return all(parts.clock.now() - asked_at >= pace for asked_at in asked)

    def _poll(self) -> None:
        """Ask for reports once. Trouble is told once; the vigil goes on."""
        try:
            self._tocsin.fetch_reports(self._account)
        except PollBusy:
            time.sleep(_LOOK_S)
        except (TransportError, AnswerError, PluginError) as error:
            time.sleep(_LOOK_S)
            if str(error) not in self._troubles:
                self._troubles.add(str(error))
                say(f"{self._account.id}: its reports could not be fetched: {error}")
