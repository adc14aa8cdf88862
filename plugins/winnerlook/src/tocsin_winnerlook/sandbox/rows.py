"""How winnerlook writes reports and replies: 获取状态报告 (2), 获取回复 (2). Pure; used by polls and by pushes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from tocsin.sandbox.carrier import DeliveryReport, PhoneReply

DOUBLE_COMMA = "double-comma"
BLANKS = "blanks"
NO_LAST_BAR = "no-last-bar"
SEMICOLON_END = "semicolon-end"

_BEIJING = timezone(timedelta(hours=8))

Row = list[str]


def report_rows(reports: Iterable[DeliveryReport]) -> list[Row]:
    """Return 批次,号码,状态 of each report."""
    return [[report.vendor_id, report.number, _status(report)] for report in reports]


def timed_report_rows(reports: Iterable[DeliveryReport]) -> list[Row]:
    """Return 批次,号码,时间,状态 of each report."""
    return [[report.vendor_id, report.number, _stamp(report.at), _status(report)] for report in reports]


def reply_rows(replies: Iterable[PhoneReply]) -> list[Row]:
    """Return 号码,回复内容,回复时间 of each reply."""
    return [[reply.number, reply.text, _stamp(reply.at)] for reply in replies]


def join_reports(rows: list[Row], shape: str = "") -> str:
    """Join rows as the document says, with what its examples do to them."""
    if shape == DOUBLE_COMMA:
        rows = [[row[0], "", *row[1:]] for row in rows]
    if shape == BLANKS:
        return "".join(f"{', '.join(row)} |\r\n" for row in rows)
    joined = "".join(f"{','.join(row)}|" for row in rows)
    return joined.removesuffix("|") if shape == NO_LAST_BAR else joined


def join_replies(rows: list[Row], shape: str = "") -> str:
    """每组回复之间，用“|;|”分隔; the example of GetMo2 ends each with |; and a line break."""
    records = ["|,|".join(row) for row in rows]
    return "".join(f"{record}|;\n" for record in records) if shape == SEMICOLON_END else "|;|".join(records)


def _status(report: DeliveryReport) -> str:
    return "DELIVRD" if report.delivered else "UNDELIVRD"


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(_BEIJING):%Y/%m/%d %H:%M:%S}"
