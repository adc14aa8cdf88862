"""The books of a SQLite store: its statements about what accounts have used up, how they fare, who wants no more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from tocsin.model.ids import AccountId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.phone import E164, Msisdn
from tocsin.model.quality import Change, Cohort, Weight
from tocsin.model.report import ReportState
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.health import Health, from_plain, to_plain
from tocsin.outbox.spending import Sent, Spending
from tocsin.outbox.sqlite_session import Session

_PREFIX = "CASE WHEN recipient LIKE '+86%' THEN substr(recipient, 1, 6) ELSE substr(recipient, 1, 4) END"
_SPENT = (
    "SELECT coalesce(sum(messages), 0) AS messages, coalesce(sum(cost), 0) AS cost FROM spending"
    " WHERE at > ?1 AND messages > 0"
)


class SqliteBooks:
    """The books in SQLite. Fits `tocsin.outbox.books.Books`, which says what each method promises."""

    def __init__(self, connection: sqlite3.Connection, session: Session) -> None:
        self._sql = connection
        self._rows = session.rows
        self._rows_of = session.rows_of

    def save_spending(self, spent: Iterable[Spending]) -> None:
        self._sql.executemany("REPLACE INTO spending VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_spending_columns, spent))

    def get_spending(self, submits: Iterable[SubmitId]) -> dict[SubmitId, Spending]:
        rows = self._rows_of("SELECT * FROM spending WHERE submit IN (?)", dict.fromkeys(submits))
        return {SubmitId(row["submit"]): _read_spending(row) for row in rows}

    def spent(self, account: AccountId | None, since: datetime) -> tuple[int, Decimal]:
        statement = _SPENT if account is None else f"{_SPENT} AND account = ?2"
        values = () if account is None else (account,)
        (row,) = self._rows(statement, columns.microseconds(since), *values)
        return row["messages"], columns.money(row["cost"])

    def count_retries(self, account: AccountId, since: datetime) -> tuple[int, int]:
        (row,) = self._rows(
            "SELECT count(*) - total(retries) AS firsts, total(retries) AS retries FROM spending"
            " WHERE account = ? AND at > ?",
            account,
            columns.microseconds(since),
        )
        return int(row["firsts"]), int(row["retries"])

    def count_resends(self, cls: MessageClass, since: datetime) -> tuple[int, int]:
        (row,) = self._rows(
            "SELECT count(*) AS requests, total(resends) AS resends FROM spending"
            " WHERE class = ? AND at > ? AND messages > 0",
            cls.value,
            columns.microseconds(since),
        )
        return row["requests"], int(row["resends"])

    def count_submits(self, account: AccountId, since: datetime) -> int:
        (row,) = self._rows(
            "SELECT count(*) AS requests FROM spending WHERE account = ? AND at > ? AND messages > 0",
            account,
            columns.microseconds(since),
        )
        return int(row["requests"])

    def nth_submit_at(self, account: AccountId, number: int) -> datetime | None:
        rows = self._rows(
            "SELECT at FROM spending WHERE account = ? AND messages > 0 ORDER BY at DESC LIMIT 1 OFFSET ?",
            account,
            number - 1,
        )
        return columns.moment(rows[0]["at"]) if rows else None

    def messages_since(self, account: AccountId, since: datetime) -> tuple[datetime, ...]:
        rows = self._rows(
            "SELECT at, messages FROM spending WHERE account = ? AND at > ? AND messages > 0 ORDER BY at DESC",
            account,
            columns.microseconds(since),
        )
        return tuple(moment for row in rows for moment in (columns.moment(row["at"]),) * row["messages"])

    def sent_to(self, numbers: Iterable[Msisdn], since: datetime) -> tuple[Sent, ...]:
        rows = self._rows_of(
            "SELECT a.recipient, a.account, a.intended_at, s.class FROM attempt a"  # noqa: S608 (a number)
            " JOIN spending s ON s.submit = a.submit"
            f" WHERE a.recipient IN (?) AND a.intended_at > {columns.microseconds(since)}"
            " AND a.state IN ('intent', 'accepted', 'unknown') ORDER BY a.intended_at DESC",
            dict.fromkeys(one.full for one in numbers),
        )
        return tuple(
            Sent(
                to=E164(row["recipient"]),
                account=AccountId(row["account"]),
                cls=MessageClass(row["class"]),
                at=columns.moment(row["intended_at"]),
            )
            for row in rows
        )

    def health(self) -> dict[AccountId, Health]:
        rows = self._rows("SELECT account, body FROM health")
        return {AccountId(row["account"]): _read_health(row["body"]) for row in rows}

    def save_health(self, health: Health) -> None:
        self._sql.execute("REPLACE INTO health VALUES (?, ?)", (health.account, json.dumps(to_plain(health))))

    def weights(self) -> dict[tuple[AccountId, str], Weight]:
        rows = self._rows("SELECT * FROM weight")
        found = (
            Weight(
                account=AccountId(row["account"]),
                prefix=row["prefix"],
                points=row["points"],
                moved_at=columns.moment(row["moved_at"]),
            )
            for row in rows
        )
        return {(one.account, one.prefix): one for one in found}

    def save_changes(self, changes: Iterable[Change]) -> None:
        for one in changes:
            at = columns.microseconds(one.at)
            self._sql.execute("REPLACE INTO weight VALUES (?, ?, ?, ?)", (one.account, one.prefix, one.after, at))
            self._sql.execute(
                "INSERT INTO weight_change (at, account, prefix, before, after, reason) VALUES (?, ?, ?, ?, ?, ?)",
                (at, one.account, one.prefix, one.before, one.after, one.reason),
            )

    def changes(self, limit: int) -> tuple[Change, ...]:
        return tuple(
            Change(
                account=AccountId(row["account"]),
                prefix=row["prefix"],
                before=row["before"],
                after=row["after"],
                reason=row["reason"],
                at=columns.moment(row["at"]),
            )
            for row in self._rows("SELECT * FROM weight_change ORDER BY seq DESC LIMIT ?", limit)
        )

    def cohorts(self, since: datetime, until: datetime, patience: timedelta) -> tuple[Cohort, ...]:
        rows = self._rows(
            f"SELECT account, {_PREFIX} AS prefix, count(*) AS submitted,"  # noqa: S608 (a fixed expression)
            " sum(report IS NULL OR report != ?3 OR coalesce(report_at > settled_at + ?4, 0)) AS late FROM attempt"
            " WHERE settled_at > ?1 AND settled_at <= ?2 AND vendor_id IS NOT NULL AND state = 'accepted'"
            " GROUP BY account, prefix ORDER BY account, prefix",
            columns.microseconds(since),
            columns.microseconds(until),
            ReportState.DELIVERED,
            patience // timedelta(microseconds=1),
        )
        return tuple(
            Cohort(
                account=AccountId(row["account"]), prefix=row["prefix"], submitted=row["submitted"], late=row["late"]
            )
            for row in rows
        )

    def delays(self, account: AccountId, since: datetime) -> tuple[timedelta, ...]:
        rows = self._rows(
            "SELECT max(0, report_at - settled_at) AS delay FROM attempt WHERE settled_at > ?2 AND account = ?1"
            " AND vendor_id IS NOT NULL AND report = ?3 AND report_at IS NOT NULL ORDER BY id",
            account,
            columns.microseconds(since),
            ReportState.DELIVERED,
        )
        return tuple(timedelta(microseconds=row["delay"]) for row in rows)

    def proved(self, since: datetime) -> dict[AccountId, datetime]:
        rows = self._rows(
            "SELECT account, max(coalesce(report_at, settled_at)) AS at FROM attempt"
            " WHERE settled_at > ?1 AND vendor_id IS NOT NULL AND report = ?2 GROUP BY account",
            columns.microseconds(since),
            ReportState.DELIVERED,
        )
        return {AccountId(row["account"]): columns.moment(row["at"]) for row in rows}

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:
        values = (account, columns.microseconds(now), json.dumps(words, ensure_ascii=False))
        self._sql.execute("REPLACE INTO keyword_list VALUES (?, ?, ?)", values)

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        rows = self._rows("SELECT words FROM keyword_list WHERE account = ?", account)
        return tuple(json.loads(rows[0]["words"])) if rows else ()

    def balance_asked_at(self, account: AccountId) -> datetime | None:
        rows = self._rows("SELECT at FROM balance_asked WHERE account = ?", account)
        return columns.moment(rows[0]["at"]) if rows else None

    def save_balance_asked_at(self, account: AccountId, at: datetime) -> None:
        self._sql.execute("REPLACE INTO balance_asked VALUES (?, ?)", (account, columns.microseconds(at)))

    def opted_out(self, numbers: Iterable[Msisdn]) -> dict[Msisdn, OptedOut]:
        rows = self._rows_of("SELECT * FROM opt_out WHERE number IN (?)", dict.fromkeys(one.full for one in numbers))
        return {one.number: one for one in map(_read_opt_out, rows)}

    def all_opted_out(self) -> tuple[OptedOut, ...]:
        return tuple(map(_read_opt_out, self._rows("SELECT * FROM opt_out ORDER BY at DESC, number")))

    def save_opt_out(self, one: OptedOut) -> None:
        at = columns.microseconds(one.at)
        values = (one.number.full, at, one.account, one.word)
        self._sql.execute("INSERT OR IGNORE INTO opt_out VALUES (?, ?, ?, ?)", values)

    def remove_opt_out(self, number: Msisdn) -> bool:
        return self._sql.execute("DELETE FROM opt_out WHERE number = ?", (number.full,)).rowcount > 0

    def take_turns(self, route: str, number: int) -> int:
        rows = self._rows("SELECT next FROM turn WHERE route = ?", route)
        first = int(rows[0]["next"]) if rows else 0
        self._sql.execute("REPLACE INTO turn VALUES (?, ?)", (route, first + number))
        return first


@lru_cache(maxsize=256)
def _read_health(body: str) -> Health:
    """Return a health from its text: the same is read again and again, and never changes."""
    return from_plain(json.loads(body))


def _spending_columns(one: Spending) -> columns.Columns:
    return (
        one.submit,
        one.account,
        columns.microseconds(one.at),
        one.cls.value,
        one.retries,
        one.resends,
        one.messages,
        columns.millionths(one.cost),
    )


def _read_spending(row: columns.Row) -> Spending:
    return Spending(
        submit=SubmitId(row["submit"]),
        account=AccountId(row["account"]),
        at=columns.moment(row["at"]),
        cls=MessageClass(row["class"]),
        retries=bool(row["retries"]),
        resends=bool(row["resends"]),
        messages=row["messages"],
        cost=columns.money(row["cost"]),
    )


def _read_opt_out(row: columns.Row) -> OptedOut:
    return OptedOut(
        number=columns.number(row["number"]),
        at=columns.moment(row["at"]),
        account=None if row["account"] is None else AccountId(row["account"]),
        word=row["word"],
    )
