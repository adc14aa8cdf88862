"""The rows of reports and inbound messages (MO) inside a value, polled or pushed. Knows no envelope.

What cannot be read is kept, piece by piece, in `Batch.unparsed`. Every pattern takes linear time.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import tocsin.plugin as t

BATCH = re.compile(r"[0-9]{10,}")  # a batch number such as 2114355899380234221; always text

_AHEAD = timedelta(hours=8)  # the document names no zone; the vendor is in Beijing, whatever our host's zone

_NUMBER = r"\+?[0-9]{3,20}"
_TIME = r"([1-9][0-9]{3}/[0-9]{1,2}/[0-9]{1,2} [0-9]{1,2}:[0-9]{2}:[0-9]{2})"
_LONE_DIGIT = re.compile(r"\b[0-9]\b")

# "批次,号码,时间,状态", time or none. In the examples blanks surround fields, and a comma is doubled.
_COMMA = r"\s*+,[\s,]*+"
_MAINLAND = r"(1[3-9][0-9]{9})(?![0-9])"
_REPORT = re.compile(
    rf"[\s,]*+({BATCH.pattern}){_COMMA}(?:{_MAINLAND}|({_NUMBER})){_COMMA}"
    rf"(?:{_TIME}{_COMMA})?(?![0-9]{{4}}/)([^\s,](?:[^,]*[^\s,])?)[\s,]*+"
)

# A text may hold commas, bars, line breaks, even "|,|" and "|;". So a record is found by its end: time, channel (GetMo2
# alone has it) and what closes it, "|;" or "|;|" or, at the end of a whole answer, nothing.
_LAST_FIELDS = rf"\|,\|\s*+{_TIME}\s*+(?:\|,\|\s*+([0-9]*+)\s*+)?"
_RECORD_END = re.compile(rf"{_LAST_FIELDS}(?:\|;\|?|\Z)")
_RECORD_END_IN_CUT = re.compile(rf"{_LAST_FIELDS}\|;\|?")
_SENDER = re.compile(rf"\s*+({_NUMBER})\s*+\|,\|")
_NEXT_RECORD = re.compile(rf"\|;\|?{_SENDER.pattern}")


def parse_reports(text: str, whole: bool = True) -> t.Batch[t.Report]:
    """Parse `batch,number,time,status|…`, or the same without time.

    Args:
        text: blanks and line breaks may surround any field, a comma may be doubled.
        whole: false where the end was cut: what no bar closes is not trusted then.
    """
    # source: winnerlook v8.3, sections 获取状态报告 and 获取状态报告 2
    rows: list[t.Report] = []
    pieces = text.split("|")
    unparsed = [] if whole else [pieces.pop()]
    for piece in filter(str.strip, pieces):
        try:
            rows.append(_parse_report(piece))
        except ValueError:
            unparsed.append(piece)
    return t.Batch(rows=tuple(rows), unparsed=tuple(filter(str.strip, unparsed)))


def _parse_report(piece: str) -> t.Report:
    match = _REPORT.fullmatch(piece)
    if match is None:
        raise ValueError("not a report")
    batch, mainland, other, time, status = match.groups()
    return t.Report(
        vendor_id=t.VendorId(batch),
        to=t.E164(f"+86{mainland}") if mainland else t.parse_vendor_number(other),
        # The document knows DELIVRD and UNDELIVRD; carriers have more words for failure.
        state=t.ReportState.DELIVERED if status == "DELIVRD" else t.ReportState.FAILED,
        code=status,
        at=_utc(time) if time else None,
    )


def _utc(time: str) -> datetime:
    """Read a time in Beijing. Raises ValueError for what no clock shows."""
    if len(time) < 19:  # .NET leaves leading zeros out where its culture is Chinese: 2014/6/1 5:04:11
        time = _LONE_DIGIT.sub(r"0\g<0>", time)
    return datetime.fromisoformat(f"{time.replace('/', '-')}Z") - _AHEAD


def parse_inbound(text: str, whole: bool = True) -> t.Batch[t.InboundMessage]:
    """Parse `number|,|text|,|time|,|channel|;…`, or the same without channel.

    Args:
        text: a message in it that seems to hold the start of another is set aside: nobody can say who wrote it.
        whole: false where the end was cut: a record that nothing closes is not trusted then.
    """
    # source: winnerlook v8.3, sections 获取回复 and 获取回复 2
    rows: list[t.InboundMessage] = []
    unparsed: list[str] = []
    start = 0
    for end in (_RECORD_END if whole else _RECORD_END_IN_CUT).finditer(text):
        try:
            rows.append(_parse_record(text[start : end.start()], end))
        except ValueError:
            unparsed.append(text[start : end.end()])
        start = end.end()
    unparsed.append(text[start:])
    return t.Batch(rows=tuple(rows), unparsed=tuple(piece for piece in unparsed if piece.strip(" \t\r\n|;")))


def _parse_record(head: str, end: re.Match[str]) -> t.InboundMessage:
    sender = _SENDER.match(head)
    if sender is None or _NEXT_RECORD.search(head):
        raise ValueError("not one record")
    number, text = t.parse_vendor_number(sender[1]), head[sender.end() :]
    return t.InboundMessage(sender=number, text=text, at=_utc(end[1]), extension=end[2] or "")
