"""Delivery reports and replies. A poll takes its rows away, so all of a cut or broken answer is kept. Pure."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import attrs

import tocsin.plugin as t
from tocsin_ipyy import codec_json, codec_xml
from tocsin_ipyy.codec_answer import Members, read_answer, read_task_id, require
from tocsin_ipyy.codec_request import encode_form, log_in
from tocsin_ipyy.settings import settings_of

Row = TypeVar("Row", t.Report, t.InboundMessage)

_SYNTAXES = {"xml": codec_xml, "json": codec_json}  # either reads the rows of an answer, and reads and renders one
_REPORTS = {"xml": "/statusApi.aspx", "json": "/statusJsonApi.aspx"}  # source: ipyy, 4.1
_REPLIES = {"xml": "/callApi.aspx", "json": "/callJsonApi.aspx"}  # source: ipyy, 5.1
_STATES = {"10": t.ReportState.DELIVERED, "20": t.ReportState.FAILED}  # source: ipyy, 4.3
_PAGE_ROWS = 4000  # source: ipyy, 4.2
_FIRST_ROW = re.compile(r"<returnsms>\s*<(statusbox|callbox)>")
_AHEAD = timedelta(hours=8)  # Beijing of UTC
_MAINLAND = re.compile("1[3-9][0-9]{9}")  # nearly every row, so it is worth a short cut
_NUMBER = re.compile(r"\+?[0-9]{3,20}")


def fetch_reports(account: t.Account) -> t.Exchange[t.Batch[t.Report] | t.Refused]:
    """Fetch the reports of all tasks. Source: ipyy, chapters 4.2 to 4.5."""
    syntax, asked = settings_of(account).reports, {"statusNum": str(_PAGE_ROWS), "action": "query", "taskid": ""}
    decode = partial(_decode, syntax, "statusbox", partial(_report, syntax))
    return t.Exchange(_encode(account, _REPORTS[syntax], asked), decode)


def fetch_mo(account: t.Account) -> t.Exchange[t.Batch[t.InboundMessage] | t.Refused]:
    """Fetch replies. Source: ipyy, chapters 5.2 to 5.5."""
    syntax = settings_of(account).reports
    request = _encode(account, _REPLIES[syntax], {"action": "query"})
    return t.Exchange(request, partial(_decode, syntax, "callbox", _inbound))


def verify_push(push: t.PushRequest) -> t.VerifiedPush | t.PushRefused:
    """Read what the vendor posts: rows of one kind in XML, which are the whole body. Source: ipyy, chapter 6."""
    answer = t.HttpResponse(status=200, headers=push.headers, body=push.body)
    try:
        first = _FIRST_ROW.match(str(read_answer(answer)))
        if push.method != "POST" or first is None:
            return t.PushRefused(why="not a POST of returnsms with rows")
        is_report = first[1] == "statusbox"
        read: Callable[[Members], Any] = partial(_report, "xml") if is_report else _inbound
        held: dict[str, Any] = {"reports" if is_report else "inbound": _decode("xml", first[1], read, answer)}
    except t.AnswerError as error:
        return t.PushRefused(why=str(error))
    stored, not_stored = t.PushReply(body=b"1"), t.PushReply(body=b"error")  # source: ipyy, 6.4
    return t.VerifiedPush(**held, when_stored=stored, when_not_stored=not_stored)


def _encode(account: t.Account, path: str, asked: dict[str, str]) -> t.HttpRequest:
    return attrs.evolve(encode_form(account, path, log_in(account) | asked), max_bytes=8 * 1024 * 1024)


def _decode(syntax: str, kind: str, read: Callable[[Members], Row], answer: t.HttpResponse) -> t.Batch[Row] | t.Refused:
    codec, text = _SYNTAXES[syntax], read_answer(answer, cut=True)
    found = text if isinstance(text, t.Refused) else codec.read_rows(text, kind)
    if isinstance(found, t.Refused):
        return found
    rows, unparsed = list[Row](), list[str]()
    for row in found:
        try:
            rows.append(read(codec.read_row(row, kind)))
        except t.AnswerError:
            unparsed.append(codec.render_row(row))
    return t.Batch(rows=tuple(rows), unparsed=tuple(unparsed), more=len(found) >= _PAGE_ROWS)


def _report(syntax: str, said: Members) -> t.Report:
    state, code = _state(syntax, said), said["errorcode"]
    return t.Report(vendor_id=read_task_id(said), to=_number(said), state=state, code=code, at=_time(said))


def _state(syntax: str, said: Members) -> t.ReportState:
    """Rows of JSON (4.5) have no status, and gateways differ in their codes: DELIVRD alone is known."""
    if syntax == "json":
        return t.ReportState.DELIVERED if said["errorcode"] == "DELIVRD" else t.ReportState.UNKNOWN
    require(said["status"], "a report without a status")
    return _STATES.get(said["status"], t.ReportState.UNKNOWN)


def _inbound(said: Members) -> t.InboundMessage:
    require("content" in said, "a reply without a text")
    sender, at, task_id = _number(said), _time(said), read_task_id(said)
    return t.InboundMessage(sender=sender, text=said["content"], at=at, extension=said["extno"], vendor_id=task_id)


def _number(said: Members) -> t.Msisdn:
    number = said["mobile"]
    if _MAINLAND.fullmatch(number):
        return t.E164("+86" + number)
    require(_NUMBER.fullmatch(number), "the number of a row is not made of digits")
    return t.parse_vendor_number(number)


def _time(said: Members) -> datetime | None:
    """Read a time in Beijing. The year 1 is .NET's way to say that there is none (5.5)."""
    text = said["receivetime"]
    try:
        return datetime.fromisoformat(text + "+00:00") - _AHEAD if text[:4] not in ("", "0001") else None
    except (ValueError, OverflowError) as error:
        raise t.AnswerError("the time of a row is outside the grammar") from error
