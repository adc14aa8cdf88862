"""The rows of reports and inbound messages (MO) inside a value, polled or pushed. Knows no envelope.

What cannot be read is kept, piece by piece, in `Batch.unparsed`. Every pattern takes linear time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from tocsin.plugin import Batch, InboundMessage, Report, ReportState, VendorId, parse_vendor_number

BATCH = re.compile(r"[0-9]{10,}")
"""A batch number: at least ten digits, such as 2114355899380234221. Always text."""

_BEIJING = timezone(timedelta(hours=8))  # the document names no zone; the vendor is there, whatever our host's zone

_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_TIME = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2}) ++([0-9]{1,2}):([0-9]{2}):([0-9]{2})")

# A text may hold commas, bars, line breaks, even "|,|" and "|;". So a record is found by its end: time, channel (GetMo2
# alone has it) and what closes it, "|;" or "|;|" or, at the end of a whole answer, nothing.
_LAST_FIELDS = rf"\|,\|\s*+{_TIME.pattern}\s*+(?:\|,\|\s*+([0-9]*+)\s*+)?"
_RECORD_END = re.compile(rf"{_LAST_FIELDS}(?:\|;\|?|\Z)")
_RECORD_END_IN_CUT = re.compile(rf"{_LAST_FIELDS}\|;\|?")
_SENDER = re.compile(rf"\s*+({_NUMBER.pattern})\s*+\|,\|")
_NEXT_RECORD = re.compile(rf"\|;\|?{_SENDER.pattern}")


def parse_reports(text: str, *, whole: bool = True) -> Batch[Report]:
    """Parse `batch,number,time,status|…`, or the same without time.

    Args:
        text: blanks and line breaks may surround any field, a comma may be doubled.
        whole: false where the end was cut: what no bar closes is not trusted then.

    Source:
        winnerlook v8.3, sections 获取状态报告 and 获取状态报告 2.
    """
    rows: list[Report] = []
    pieces = text.split("|")
    unparsed = [] if whole else [pieces.pop()]
    for piece in filter(str.strip, pieces):
        try:
            rows.append(_parse_report(piece))
        except ValueError:
            unparsed.append(piece)
    return Batch(rows=tuple(rows), unparsed=tuple(filter(str.strip, unparsed)))


def _parse_report(piece: str) -> Report:
    batch, number, *times, status = [field for part in piece.split(",") if (field := part.strip())]
    if len(times) > 1 or not BATCH.fullmatch(batch) or not _NUMBER.fullmatch(number):
        raise ValueError("not a report")
    return Report(
        vendor_id=VendorId(batch),
        to=parse_vendor_number(number),
        # The document knows DELIVRD and UNDELIVRD; carriers have more words for failure.
        state=ReportState.DELIVERED if status == "DELIVRD" else ReportState.FAILED,
        code=status,
        at=_utc(_TIME.fullmatch(times[0])) if times else None,
    )


def _utc(time: re.Match[str] | None) -> datetime:
    """Read the first six groups as Beijing time. Raises ValueError for what no clock shows."""
    if time is None:
        raise ValueError("not a time")
    year, month, day, hour, minute, second = map(int, time.groups()[:6])
    return datetime(year, month, day, hour, minute, second, tzinfo=_BEIJING).astimezone(UTC)


def parse_inbound(text: str, *, whole: bool = True) -> Batch[InboundMessage]:
    """Parse `number|,|text|,|time|,|channel|;…`, or the same without channel.

    Args:
        text: a message in it that seems to hold the start of another is set aside: nobody can say who wrote it.
        whole: false where the end was cut: a record that nothing closes is not trusted then.

    Source:
        winnerlook v8.3, sections 获取回复 and 获取回复 2.
    """
    rows: list[InboundMessage] = []
    unparsed: list[str] = []
    start = 0
    for end in (_RECORD_END if whole else _RECORD_END_IN_CUT).finditer(text):
        try:
            rows.append(_parse_record(text[start : end.start()], end))
        except ValueError:
            unparsed.append(text[start : end.end()])
        start = end.end()
    unparsed.append(text[start:])
    return Batch(rows=tuple(rows), unparsed=tuple(piece for piece in unparsed if piece.strip(" \t\r\n|;")))


def _parse_record(head: str, end: re.Match[str]) -> InboundMessage:
    sender = _SENDER.match(head)
    if sender is None or _NEXT_RECORD.search(head):
        raise ValueError("not one record")
    number, text = parse_vendor_number(sender[1]), head[sender.end() :]
    return InboundMessage(sender=number, text=text, at=_utc(end), extension=end[7] or "")
