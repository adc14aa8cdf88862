"""The pages that send nothing: balance, reports, replies, change of password. Each reads a form into a `Call`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import attrs

from tocsin.sandbox import Operation
from tocsin.sandbox.site import Call, Desk, Reply
from tocsin_ipyy.sandbox.answers import Fields, Page, overage_answer, reply_rows, report_rows
from tocsin_ipyy.sandbox.codes import OK, account_message, message
from tocsin_ipyy.sandbox.rules import TERMS, judge_action, judge_login, judge_plain_login, judge_presence

NO_TIME = "no-time"

_QUERY_FIELDS = ("userid", "account", "password", "action")
_PASSWORD_FIELDS = ("userid", "account", "password", "newpassword")
_PAGE_SIZE = "4000"  # statusNum: 必须为数字，默认4000，可不填
_MAX_PASSWORD = 20  # 要设置的新密码，最长20位


class _News(NamedTuple):
    """What a query asks for: the name of its boxes, and its rows in the odd shape of that name."""

    operation: Operation
    box: str
    rows: Callable[[str], Iterable[Fields]]


def read_overage(desk: Desk, fields: Fields, page: Page) -> Call:
    """第三章."""
    dialect = page.dialect
    refuse = partial(Reply.refused, lambda code: dialect.write(overage_answer("Faild", account_message(code))))

    def perform(_: str) -> Reply:
        terms = desk.terms
        code = judge_presence(fields, _QUERY_FIELDS) or judge_login(fields["account"], fields["password"], terms)
        if code:
            return refuse(code)
        paid = dialect.paid[0 if terms.postpaid else 1]
        left, total = str(page.purse(terms)), str(page.purse(TERMS))
        return Reply(answer=dialect.write(overage_answer(dialect.found, message(OK), paid, left, total)))

    return Call(operation=Operation.BALANCE, name=page.name, perform=perform, refuse=refuse)


def read_reports(desk: Desk, fields: Fields, page: Page) -> Call:
    """第四章."""

    def rows(_: str) -> Iterable[Fields]:
        limit = int(fields.get("statusNum") or _PAGE_SIZE)
        return report_rows(desk.carrier.take_reports(limit=limit, vendor_id=fields.get("taskid", "")))

    return _read_query(desk, fields, page, _News(Operation.REPORTS, "statusbox", rows))


def read_replies(desk: Desk, fields: Fields, page: Page) -> Call:
    """第五章."""

    def rows(shape: str) -> Iterable[Fields]:
        nothing = {"taskid": "", "receivetime": "0001-01-01 00:00:00"} if shape == NO_TIME else {}
        return [{**row, **nothing} for row in reply_rows(desk.carrier.take_replies())]

    return _read_query(desk, fields, page, _News(Operation.INBOUND, "callbox", rows))


def read_password(desk: Desk, fields: Fields, page: Page) -> Call:
    """第七章."""
    write = page.dialect.write
    refuse = partial(Reply.refused, lambda code: write({"returnstatus": "Faild", "message": account_message(code)}))

    def perform(_: str) -> Reply:
        code = judge_presence(fields, _PASSWORD_FIELDS)
        code = code or judge_plain_login(fields["account"], fields["password"], desk.terms)
        code = code or _judge_new_password(fields["newpassword"])
        if code:
            return refuse(code)
        desk.terms = attrs.evolve(desk.terms, password=fields["newpassword"])
        return Reply(answer=write({"returnstatus": "Sucess", "message": message(OK)}))

    return Call(operation=Operation.OTHER, name=page.name, perform=perform, refuse=refuse)


def _read_query(desk: Desk, fields: Fields, page: Page, news: _News) -> Call:
    """Ask for reports or replies: 4.2 and 5.2."""
    dialect = page.dialect
    refuse = partial(Reply.refused, lambda code: dialect.refuse_query(code, news.box))

    def perform(shape: str) -> Reply:
        code = _judge_query(fields) or judge_login(fields["account"], fields["password"], desk.terms)
        return refuse(code) if code else Reply(answer=dialect.boxes(news.box, news.rows(shape)))

    return Call(operation=news.operation, name=page.name, perform=perform, refuse=refuse)


def _judge_query(fields: Fields) -> str:
    wrong = judge_presence(fields, _QUERY_FIELDS) or judge_action(fields, "query")
    return wrong or ("" if (fields.get("statusNum") or _PAGE_SIZE).isdecimal() else "1001")


def _judge_new_password(password: str) -> str:
    if not password:
        return "1003"
    return "" if len(password) <= _MAX_PASSWORD else "1001"
