"""What a route's `match` asks for: class, tags, prefix, country, source and hours."""

from __future__ import annotations

import importlib
import re
from datetime import time
from zoneinfo import ZoneInfo

from tocsin.config import units
from tocsin.config.findings import Unfit, quote
from tocsin.config.table import Table
from tocsin.errors import MissingExtra
from tocsin.model.message import MessageClass
from tocsin.policy.route import Hours, Match

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_HOURS = re.compile(r"([0-9:]+)-([0-9:]+)(?: +(\S+))?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_MIDNIGHT = "24:00"
_EXPECTED_HOURS = 'expected hours such as "22:00-06:00 Asia/Shanghai"'


def read_match(table: Table) -> Match:
    """Return what the table asks for; nothing where it is empty."""
    match = Match(
        classes=table.read_any_of("class", units.member(MessageClass)),
        tags=_read_tags(table.table("tags")),
        prefixes=table.read_any_of("prefix", _prefix),
        country_prefixes=table.read_any_of("country", calling_code),
        sources=table.read_any_of("source", units.text),
        hours=_read_hours(table),
    )
    table.refuse_unasked()
    return match


def _read_tags(table: Table) -> dict[str, str]:
    tags = {key: table.read(key, units.text) for key in table.content}
    return {key: value for key, value in tags.items() if value is not None}


def _prefix(value: object) -> str:
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise Unfit('expected the beginning of an international number, such as "+86"')
    return value


def calling_code(value: object) -> str:
    """Read a country (ISO 3166, two capitals) and return its calling code such as `+86`.

    Countries that share a code, such as the United States and Canada, are not told apart by it.
    """
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value):
        raise Unfit('expected a country of two capital letters, such as "CN"')
    if value == "CN":
        return "+86"
    try:
        phonenumbers = importlib.import_module("phonenumbers")
    except ImportError:
        raise Unfit(str(MissingExtra("numbers", f"the calling code of {quote(value)}"))) from None
    code: int = phonenumbers.country_code_for_region(value)
    if not code:
        raise Unfit(f"no country is known as {quote(value)}")
    return f"+{code}"


def _read_hours(table: Table) -> Hours | None:
    if not isinstance(table.take("hours"), dict):
        return table.read("hours", _hours)
    window = table.table("hours")
    start = window.need("from", _clock, 'a time such as "22:00"')
    end = window.need("to", _clock, 'a time such as "06:00"')
    zone = window.read("zone", _zone) or ZoneInfo("UTC")
    window.refuse_unasked()
    if start is None or end is None:
        return None
    return table.findings.parse(window.path, lambda _: _window(start, end, zone), None)


def _hours(value: object) -> Hours:
    written = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise Unfit(_EXPECTED_HOURS)
    return _window(_clock(written[1]), _clock(written[2]), _zone(written[3] or "UTC"))


def _window(start: time, end: time, zone: ZoneInfo) -> Hours:
    if start == end:
        raise Unfit("expected an end that differs from the start; without hours, the route is open all day")
    return Hours(start=start, end=end, zone=zone)


def _clock(value: object) -> time:
    if isinstance(value, time):  # TOML has times of day, written without quotes
        return value
    written = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise Unfit('expected a time of day such as "22:00"')
    return time(0) if written[0] == _MIDNIGHT else time(int(written[1]), int(written[2]))


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(units.text(value))
    except (KeyError, ValueError, OSError):  # what zoneinfo raises for unknown names, bad names and directories
        raise Unfit("expected a time zone such as Asia/Shanghai") from None
