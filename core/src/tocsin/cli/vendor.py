"""Commands that ask vendors: `balance`, `reports`, `inbox`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

import attrs
import click

from tocsin.app import Tocsin
from tocsin.cli.exit import Exit, status_of_error
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.delivery.poll import PollBusy, TooSoon
from tocsin.errors import AnswerError, PluginError, TocsinError, TransportError
from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId
from tocsin.model.outcome import Refused
from tocsin.model.push import Trust
from tocsin.outbox.record import StoredInbound, StoredReport
from tocsin.shown import balance_json, inbound_json, report_json

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Answer(Generic[T]):
    """What one account answered, or why it did not."""

    account: Account
    value: T | None = None
    trouble: str = ""
    status: Exit = Exit.OK

    def as_json(self) -> dict[str, Any]:
        """Return it as `check --online` shows it."""
        return {"account": self.account.id, "ok": self.value is not None, "trouble": self.trouble or None}


def ask_each(accounts: Iterable[Account], ask: Callable[[Account], T | Refused]) -> list[Answer[T]]:
    """Ask one account after the other; one that fails is told of on standard error, and keeps nobody waiting."""
    answers = [_ask(account, ask) for account in accounts]
    for answer in answers:
        if answer.trouble:
            say(answer.trouble)
    return answers


def patiently(ask: Callable[[Account], T]) -> Callable[[Account], T]:
    """Wrap a query that the vendor wants some seconds apart: say so, wait, and ask once more."""

    def wait_and_ask(account: Account) -> T:
        try:
            return ask(account)
        except TooSoon as soon:
            say(f"{soon}: waiting")
            time.sleep(soon.wait_s)
            return ask(account)

    return wait_and_ask


def _ask(account: Account, ask: Callable[[Account], T | Refused]) -> Answer[T]:
    try:
        value = ask(account)
    except (TransportError, AnswerError, PluginError, PollBusy, TooSoon) as error:
        return Answer(account=account, trouble=f"{account.id}: {error}", status=_status(error))
    if isinstance(value, Refused):
        code = f" ({value.code})" if value.code else ""
        trouble = f"{account.id} refused: {value.reason.label}{code}"
        return Answer(account=account, trouble=trouble, status=Exit.REFUSED)
    return Answer(account=account, value=value)


def _status(error: TocsinError) -> Exit:
    return Exit.REFUSED if isinstance(error, PluginError | PollBusy | TooSoon) else status_of_error(error)


def worst(answers: Iterable[Answer[Any]]) -> Exit:
    """Doubt before refusal before nobody reached, as for `send`."""
    statuses = {answer.status for answer in answers}
    order = (Exit.INTERNAL, Exit.IN_DOUBT, Exit.REFUSED, Exit.NOBODY_REACHED)
    return next((status for status in order if status in statuses), Exit.OK)


@click.command()
@click.argument("account", required=False)
@json_option
@shared_options
@pass_session
def balance(session: Session, account: str | None, as_json: bool) -> int:
    """Ask what is left on an account, or on all."""
    with session.open() as tocsin:
        answers = ask_each(tocsin.accounts(account), patiently(tocsin.query_balance))
    if as_json:
        print_json([balance_json(one.account, one.value) for one in answers if one.value is not None])
    else:
        show_balances(answers)
    return worst(answers)


def show_balances(answers: Iterable[Answer[Balance]]) -> None:
    """Write a table of balances."""
    rows = [
        (one.account.id, str(one.value.amount), one.value.unit.value, "postpaid" if one.value.postpaid else "")
        for one in answers
        if one.value is not None
    ]
    if rows:
        print_table(("account", "amount", "unit", ""), rows, "")


@click.command()
@click.argument("account", required=False)
@click.option("--fetch", is_flag=True, help="Fetch from the vendor now; it hands each report out once.")
@json_option
@shared_options
@pass_session
def reports(session: Session, account: str | None, fetch: bool, as_json: bool) -> int:
    """Show delivery reports: those stored, or with --fetch those that the vendors have now."""
    return _show(_REPORTS, session, account, fetch=fetch, as_json=as_json)


@click.command()
@click.argument("account", required=False)
@click.option("--fetch", is_flag=True, help="Fetch from the vendor now; it hands each message out once.")
@json_option
@shared_options
@pass_session
def inbox(session: Session, account: str | None, fetch: bool, as_json: bool) -> int:
    """Show inbound messages: those stored, or with --fetch those that the vendors have now."""
    return _show(_INBOX, session, account, fetch=fetch, as_json=as_json)


Evidence = tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]


@attrs.frozen(kw_only=True)
class _Evidence:
    """What reports and inbound messages each have of their own.

    Args:
        fetch: asks the vendor of one account.
        stored: picks them from what was stored, with their accounts and how far they are trusted.
        document: makes JSON of one.
        columns: of the table for people; one more where not all is as good as a poll.
        empty: what is said when there is none.
    """

    fetch: Callable[[Tocsin, Account], tuple[Any, ...] | Refused]
    stored: Callable[[Evidence], Iterable[tuple[AccountId, Any, Trust]]]
    document: Callable[[str, Any, Trust], dict[str, Any]]
    columns: tuple[str, ...]
    empty: str


_REPORTS = _Evidence(
    fetch=Tocsin.fetch_reports,
    stored=lambda evidence: ((one.account, one.report, one.trust) for one in evidence[0]),
    document=report_json,
    columns=("account", "to", "state", "code", "vendor_id", "at"),
    empty="no reports",
)
_INBOX = _Evidence(
    fetch=Tocsin.fetch_mo,
    stored=lambda evidence: ((one.account, one.message, one.trust) for one in evidence[1]),
    document=inbound_json,
    columns=("account", "from", "text", "extension", "at"),
    empty="no messages",
)


def _show(kind: _Evidence, session: Session, name: str | None, *, fetch: bool, as_json: bool) -> int:
    """Show what was stored, or fetch and show what is new."""
    answers: list[Answer[tuple[Any, ...]]] = []
    with session.open() as tocsin:
        accounts = tocsin.accounts(name)
        if fetch:
            answers = ask_each(accounts, partial(kind.fetch, tocsin))
            rows = [(one.account.id, row, Trust.POLL) for one in answers for row in one.value or ()]
        else:
            rows = list(kind.stored(tocsin.parts.store.evidence(AccountId(name) if name else None)))
    documents = [kind.document(*row) for row in rows]
    if as_json:
        print_json(documents)
    else:
        columns = kind.columns if all(trust is Trust.POLL for _, _, trust in rows) else (*kind.columns, "trust")
        print_table(columns, [[one[column] or "" for column in columns] for one in documents], kind.empty)
    return worst(answers)
