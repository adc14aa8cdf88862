"""`tocsin accounts`: how each account's polls go, and what is open there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import click

from tocsin.cli.output import iso, print_json, print_table
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.outbox.record import Listening
from tocsin.outbox.state import State

_KINDS = ("reports", "inbound", "balance")
_OPEN = (State.QUEUED, State.CLAIMED, State.SENDING, State.SUBMITTED, State.IN_DOUBT, State.PARKED)


@attrs.frozen(kw_only=True)
class _Standing:
    """One account as it stands."""

    account: Account
    polls: Mapping[str, Listening]
    open: Counter[State]

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "account": self.account.id,
            "vendor": self.account.vendor,
            "polls": {kind: _poll_json(self.polls.get(kind)) for kind in _KINDS},
            "open": {state.value: self.open[state] for state in _OPEN},
        }

    def as_row(self) -> tuple[str, ...]:
        """Return it as a line of the table."""
        counts = [f"{self.open[state]} {state.replace('_', ' ')}" for state in _OPEN if self.open[state]]
        polls = (_poll_words(self.polls.get(kind)) for kind in _KINDS)
        return (self.account.id, self.account.vendor, *polls, ", ".join(counts))


@click.command()
@json_option
@shared_options
@pass_session
def accounts(session: Session, as_json: bool) -> None:
    """Show each account: how its polls went, and what is open there. Asks no vendor."""
    with session.open() as tocsin:
        counts = tocsin.parts.store.counts(*_OPEN)
        standings = _look(tocsin.accounts(), tocsin.parts.store.listenings(), counts)
    if as_json:
        print_json([one.as_json() for one in standings])
        return
    print_table(("account", "vendor", *_KINDS, "open"), [one.as_row() for one in standings], "no accounts")
    if untried := sum(count for (_, name), count in counts.items() if name is None):
        click.echo(f"queued, and not tried yet: {untried}")


def _look(
    configured: Iterable[Account],
    listenings: Iterable[Listening],
    counts: Mapping[tuple[State, AccountId | None], int],
) -> list[_Standing]:
    polls = {(one.account, one.kind): one for one in listenings}
    return [
        _Standing(
            account=account,
            polls={kind: polls[account.id, kind] for kind in _KINDS if (account.id, kind) in polls},
            open=Counter({state: count for (state, name), count in counts.items() if name == account.id}),
        )
        for account in configured
    ]


def _poll_json(heard: Listening | None) -> dict[str, Any]:
    """Return how the polls of one kind went; the same keys where there was none."""
    return {
        "asked_at": None if heard is None else iso(heard.asked_at),
        "heard_at": None if heard is None else iso(heard.heard_at),
        "trouble": None if heard is None else heard.trouble or None,
        "gaps": 0 if heard is None else heard.gaps,
    }


def _poll_words(heard: Listening | None) -> str:
    if heard is None:
        return "never asked"
    when = "never heard" if heard.heard_at is None else f"heard {heard.heard_at.astimezone():%m-%d %H:%M:%S}"
    trouble = f"; {heard.trouble}" if heard.trouble else ""
    gaps = f"; {heard.gaps} lost on the way" if heard.gaps else ""
    return when + trouble + gaps
