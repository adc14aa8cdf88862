"""Reads one `[[traffic]]` of a scenario: what is sent, how much of it, and to whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tocsin.config import units
from tocsin.config.findings import Unfit
from tocsin.config.table import Table
from tocsin.errors import InvalidNumber
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164, parse_number
from tocsin.rehearse.scenario import Traffic

MOST_MESSAGES = 1_000_000
MOST_PHONES = 1_000_000
_PREFIX = re.compile(r"\+[1-9][0-9]{0,5}")
_MAINLAND = "+86139"
_DIGITS = {"+86": 14}
"""How long an invented number is, with its plus: as long as the country's are, else 13."""

_TEXT = "rehearsal {n}"
_FILLING = "this is a rehearsal, and nobody is sent anything. "


def read_traffic(table: Table, duration_s: float, groups: Mapping[str, tuple[E164, ...]]) -> Traffic | None:
    """Return what the table says; None where that is too little.

    Args:
        table: one `[[traffic]]`.
        duration_s: of the scenario: traffic without an end goes on for so long.
        groups: the configuration's recipients.
    """
    cls = table.read("class", units.member(MessageClass)) or MessageClass.ALERT
    from_s, until_s = table.read("from", _seconds) or 0.0, table.read("until", _seconds)
    end_s = duration_s if until_s is None else until_s
    if end_s < from_s:
        table.note("until", 'expected no time before "from"')
    count = _read_count(table, max(0.0, end_s - from_s))
    to = _read_recipients(table, groups)
    tags, given = table.table("tags"), {"source": table.read("source", units.text)}
    traffic: dict[str, Any] = {
        "text": _read_text(table),
        "tags": {key: value for key in tags.content if (value := tags.read(key, units.text)) is not None},
        "recipients": table.read("recipients", units.whole_number(1, 10_000)) or 1,
        **{key: value for key, value in given.items() if value is not None},
    }
    table.refuse_unasked()
    if not count or not to:
        return None
    return Traffic(cls=cls, count=count, from_s=from_s, until_s=end_s, to=to, **traffic)


def _read_count(table: Table, length_s: float) -> int:
    """Return how many messages there are: a burst of so many, or a rate for so long."""
    burst, rate = table.read("burst", units.whole_number(1, MOST_MESSAGES)), table.read("rate", units.rate)
    if (burst is None) == (rate is None):
        if "burst" not in table.content or "rate" in table.content:
            table.note("rate", 'expected either a rate such as "10/m", or a burst such as 100')
        return burst or 0
    if rate is None:
        return burst or 0
    count = round(rate.count * length_s / rate.window_s)
    if not 1 <= count <= MOST_MESSAGES:
        table.note("rate", f"comes to {count} messages; expected from 1 to {MOST_MESSAGES}")
    return count


def _read_text(table: Table) -> str:
    text, length = table.read("text", units.text), table.read("length", units.whole_number(1, 2000))
    if text is not None and length is not None:
        table.note("length", "expected either a text or its length")
    if length is None:
        return text or _TEXT
    return (_FILLING * (length // len(_FILLING) + 1))[:length]


def _read_recipients(table: Table, groups: Mapping[str, tuple[E164, ...]]) -> tuple[E164, ...]:
    """Return whom it is for: numbers, a group, or so many invented phones."""
    to = table.read_list("to", _number, least=1) or ()
    group = table.read("group", units.named("group", groups)) or ()
    phones = table.read("phones", units.whole_number(1, MOST_PHONES))
    prefix = table.read("prefix", _prefix) or _MAINLAND
    if sum(key in table.content for key in ("to", "group", "phones")) > 1:
        table.note("phones", "expected one of to, group and phones")
    return to or group or _invented(phones or 1, prefix)


def _invented(count: int, prefix: str) -> tuple[E164, ...]:
    """Return numbers that nobody is sent anything to."""
    length = next((digits for country, digits in _DIGITS.items() if prefix.startswith(country)), 13)
    return tuple(E164(f"{prefix}{place:0{length - len(prefix)}}") for place in range(count))


def _number(value: object) -> E164:
    try:
        return parse_number(units.text(value))
    except InvalidNumber:
        raise Unfit("expected a phone number: +, country code and number, or 11 mainland digits") from None


def _prefix(value: object) -> str:
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise Unfit('expected the beginning of an international number, such as "+4917"')
    if value.startswith("+86") and not re.fullmatch(r"\+861[3-9][0-9]?", value):
        raise Unfit('expected the beginning of a mobile number, such as "+86139"')
    return value


def _seconds(value: object) -> float:
    return units.duration(value).total_seconds()
