"""A file of policy tests: `[[case]]` tables, read whole or not at all, every finding at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tocsin.config import units
from tocsin.config.file import read_toml
from tocsin.config.findings import Findings, Unfit, quote
from tocsin.config.table import Table, present
from tocsin.config.values import Config
from tocsin.errors import ConfigError
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.quality import FULL
from tocsin.policy.case import AccountState, Breaker, Case, Expectation
from tocsin.policy.judge import Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a message is handed in whose case does not say."""

_MOST = 1000


def load_cases(path: Path, config: Config) -> tuple[Case, ...]:
    """Read the cases of a file.

    Args:
        path: of the file.
        config: whose accounts and routes they speak of.

    Raises:
        ConfigError: with every finding at once.
    """
    findings = Findings()
    root = Table("", read_toml(path), findings)
    reader = _Reader(config)
    cases = [reader.case(position, table) for position, table in enumerate(root.tables("case"), start=1)]
    if not cases and not findings.lines:
        findings.add("case", "missing; expected at least one [[case]]")
    root.refuse_unasked()
    if findings.lines:
        raise ConfigError(str(path), tuple(findings.lines))
    return tuple(case for case in cases if case is not None)


class _Reader:
    """Reads cases that speak of one configuration.

    Args:
        config: whose accounts and routes.
    """

    def __init__(self, config: Config) -> None:
        self._account = units.named("account", {str(name): name for name in config.accounts})
        self._route = units.named("route", {route.name: route.name for route in config.routes})
        self._names: set[str] = set()

    def case(self, position: int, table: Table) -> Case | None:
        """Return a case; None where it cannot be read."""
        name = table.read("name", units.text) or f"case {position}"
        if name in self._names:
            table.note("name", f"another case is named {quote(name)}")
        self._names.add(name)
        to = table.need("to", units.number, "a phone number")
        given = {
            "text": table.read("text", units.text),
            "cls": table.read("class", units.member(MessageClass)),
            "source": table.read("source", units.text),
            "opted_out": table.read("opted_out", units.flag),
        }
        at, tags, states = table.read("at", _moment) or NOON, _tags(table.table("tags")), self._states(table)
        expect = self._expectation(table)
        table.refuse_unasked()
        if to is None or expect is None:
            return None
        return Case(name=name, to=to, at=at, tags=tags, states=states, expect=expect, **present(given))

    def _states(self, table: Table) -> dict[AccountId, AccountState]:
        states = {}
        accounts = table.table("accounts")
        for name in accounts.content:
            account = accounts.findings.parse(f"{accounts.path}.{name}", self._account, name)
            state = _read_state(accounts.table(name))
            if account is not None:
                states[account] = state
        return states

    def _expectation(self, table: Table) -> Expectation | None:
        if table.take("expect") is None:
            table.note("expect", 'missing; expected a table such as { account = "…" }')
            return None
        given = table.table("expect")
        account = given.read("account", self._account)
        nobody = given.read("none", _only_true)
        words = {
            "why": given.read("why", units.text),
            "route": given.read("route", self._route),
            "order": given.read_list("order", self._account, least=1),
        }
        verdicts = self._verdicts(given.table("verdict"))
        given.refuse_unasked()
        if not given.content:
            table.note("expect", "expected at least one of account, none, why, route, order, verdict")
        if account is not None and nobody:
            given.note("none", "expected either an account or none")
        return Expectation(account=account, none=bool(nobody), verdicts=verdicts, **present(words))

    def _verdicts(self, table: Table) -> dict[AccountId, Verdict]:
        found = {}
        for name in table.content:
            account = table.findings.parse(f"{table.path}.{name}", self._account, name)
            verdict = table.read(name, units.member(Verdict))
            if account is not None and verdict is not None:
                found[account] = verdict
        return found


def _read_state(table: Table) -> AccountState:
    used = table.table("used")
    flags = ("drained", "refused", "disabled", "tried")
    given = {
        "breaker": table.read("breaker", units.member(Breaker)),
        "balance": table.read("balance", units.amount),
        "quality": table.read("quality", units.whole_number(0, FULL)),
        "submits": used.read("submits", units.whole_number(0, _MOST)),
        "recipient": used.read("recipient", units.whole_number(0, _MOST)),
        "spent": used.read("spent", units.price),
        **{flag: table.read(flag, units.flag) for flag in flags},
    }
    used.refuse_unasked()
    table.refuse_unasked()
    return AccountState(**present(given))


def _tags(table: Table) -> dict[str, str]:
    tags = {key: table.read(key, units.any_text) for key in table.content}
    return {key: value for key, value in tags.items() if value is not None}


def _only_true(value: object) -> bool:
    if value is not True:
        raise Unfit("expected true, or nothing")
    return True


def _moment(value: object) -> datetime:
    """Read a time with its offset, in quotes or as TOML has it."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise Unfit("expected a time with its offset, such as 2027-01-31T08:00:00+08:00")
    return moment.astimezone(UTC)
