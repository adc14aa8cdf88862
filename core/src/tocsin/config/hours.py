"""Hours as a configuration writes them: `"22:00-06:00 Asia/Shanghai"`, or a table. Routes and accounts have them."""

from __future__ import annotations

import re
from datetime import time
from zoneinfo import ZoneInfo

from tocsin.config import units
from tocsin.config.findings import Unfit
from tocsin.config.table import Table
from tocsin.model.hours import Hours

_HOURS = re.compile(r"([0-9:]+)-([0-9:]+)(?: +(\S+))?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_MIDNIGHT = "24:00"


def read_hours(table: Table) -> Hours | None:
    """Return what the table's key `hours` says; None where it is left out."""
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
        raise Unfit('expected hours such as "22:00-06:00 Asia/Shanghai"')
    return _window(_clock(written[1]), _clock(written[2]), _zone(written[3] or "UTC"))


def _window(start: time, end: time, zone: ZoneInfo) -> Hours:
    try:
        return Hours(start=start, end=end, zone=zone)
    except ValueError as reason:
        raise Unfit(str(reason)) from None


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
