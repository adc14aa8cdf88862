"""Delivery reports and replies: polls and what they bring. Pure; the hooks call it.

A poll takes its rows away from the vendor, so whatever came is kept: whole rows are read even from an answer that is
cut or broken, and what cannot be read is handed on as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from defusedxml.ElementTree import tostring

from tocsin.plugin import (
    Account,
    AnswerError,
    Batch,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Msisdn,
    Refused,
    Report,
    ReportState,
    parse_vendor_number,
)
from tocsin_ipyy import codec, codec_xml, codes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Row = TypeVar("Row", Report, InboundMessage)

_PAGE_ROWS = 4000
_MAX_BYTES = 8 * 1024 * 1024
_STATES = {"10": ReportState.DELIVERED, "20": ReportState.FAILED}  # source: ipyy, 4.3
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def encode_reports(account: Account) -> HttpRequest:
    """Encode a poll for reports. Source: ipyy, chapter 4.2."""
    fields = {"statusNum": str(_PAGE_ROWS), "action": "query", "taskid": ""}
    return codec.encode_form(account, "/statusApi.aspx", fields, max_bytes=_MAX_BYTES)


def encode_mo(account: Account) -> HttpRequest:
    """Encode a poll for replies. Source: ipyy, chapter 5.2."""
    return codec.encode_form(account, "/callApi.aspx", {"action": "query"}, max_bytes=_MAX_BYTES)


def decode_reports(response: HttpResponse) -> Batch[Report] | Refused:
    """Decode the answer to a poll for reports. Source: ipyy, chapters 4.3 and 4.4.

    Raises:
        AnswerError: it is no answer to a poll, not even the beginning of a row.
    """
    return _decode(response, "statusbox", _report)


def decode_mo(response: HttpResponse) -> Batch[InboundMessage] | Refused:
    """Decode the answer to a poll for replies. Source: ipyy, chapters 5.3 and 5.4.

    Raises:
        AnswerError: it is no answer to a poll, not even the beginning of a row.
    """
    return _decode(response, "callbox", _inbound)


def _decode(response: HttpResponse, box: str, read_row: Callable[[codec_xml.Members], Row]) -> Batch[Row] | Refused:
    answer = codec_xml.read_answer(response, cut=True)
    if isinstance(answer, Refused):
        return answer
    elements, unparsed = _elements(answer, box)
    if [codec_xml.local_name(element) for element in elements] == ["errorstatus"]:
        return _refusal(codec_xml.members(elements[0]))
    rows = []
    for element in elements:
        try:
            rows.append(read_row(_box_members(element, box)))
        except AnswerError:
            unparsed.append(tostring(element, encoding="unicode").strip())
    return Batch(rows=tuple(rows), unparsed=tuple(unparsed), more=len(rows) + len(unparsed) >= _PAGE_ROWS)


def _elements(text: str, box: str) -> tuple[list[Element], list[str]]:
    """Return the rows of an answer, and the pieces between them where it is not well-formed."""
    try:
        root = codec_xml.parse_xml(text)
    except AnswerError:
        return _salvage(codec_xml.mend(text), box)
    if not codec_xml.is_returnsms(root):
        raise AnswerError("the answer is no returnsms")
    return list(root), []


def _salvage(text: str, box: str) -> tuple[list[Element], list[str]]:
    """Read row by row. Splitting by closing tags keeps the time linear, however many opening ones there are."""
    opening, closing = f"<{box}>", f"</{box}>"
    if not re.match(rf"<returnsms>\s*{opening}", text):
        raise AnswerError("not one row can be told in the answer")
    elements: list[Element] = []
    *pieces, tail = text.removeprefix("<returnsms>").split(closing)
    torn = [tail.rstrip().removesuffix("</returnsms>")]
    for piece in pieces:
        before, tag, inner = piece.rpartition(opening)
        try:
            elements.append(codec_xml.parse_xml(f"{tag}{inner}{closing}"))
            torn.append(before)
        except AnswerError:
            torn.append(f"{piece}{closing}")
    return elements, [piece.strip() for piece in torn if piece.strip()]


def _refusal(said: codec_xml.Members) -> Refused:
    code, text = said["error"], said["remark"]
    if not re.fullmatch("[0-9]{1,4}", code):
        raise AnswerError("the error of the answer is no number")
    return Refused(codes.POLL_ERRORS[code], code, text) if code in codes.POLL_ERRORS else codes.read_failure(code, text)


def _box_members(element: Element, box: str) -> codec_xml.Members:
    if codec_xml.local_name(element) != box:
        raise AnswerError("a row of another kind")
    return codec_xml.members(element, verbatim="content")


def _report(said: codec_xml.Members) -> Report:
    if not said["status"]:
        raise AnswerError("a report without a status")
    return Report(
        vendor_id=codec.read_task_id(said["taskid"]),
        to=_number(said["mobile"]),
        state=_STATES.get(said["status"], ReportState.UNKNOWN),
        code=said["errorcode"],
        at=_time(said["receivetime"]),
    )


def _inbound(said: codec_xml.Members) -> InboundMessage:
    if "content" not in said:
        raise AnswerError("a reply without a text")
    return InboundMessage(
        sender=_number(said["mobile"]),
        text=said["content"],
        at=_time(said["receivetime"]),
        extension=said["extno"],
        vendor_id=codec.read_task_id(said["taskid"]),
    )


def _number(text: str) -> Msisdn:
    if not _NUMBER.fullmatch(text):
        raise AnswerError("the number of a row is not made of digits")
    return parse_vendor_number(text)


def _time(text: str) -> datetime | None:
    """Read a time in Beijing. The year 1 is .NET's way to say that there is none (chapter 5.5)."""
    if not text or text.startswith("0001"):
        return None
    if not _TIME.fullmatch(text):
        raise AnswerError("the time of a row is outside the grammar")
    try:
        return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)
    except ValueError as error:
        raise AnswerError("the time of a row is none of the calendar's") from error
