"""What a route's `match` asks for: class, tags, prefix, country, source, hours and size."""

from __future__ import annotations

import importlib
import re

from tocsin.config import units
from tocsin.config.findings import Unfit, quote
from tocsin.config.hours import read_hours
from tocsin.config.table import Table
from tocsin.errors import MissingExtra
from tocsin.model.message import MessageClass
from tocsin.policy.route import Match, Size

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LONGEST = 100_000


def read_match(table: Table) -> Match:
    """Return what the table asks for; nothing where it is empty."""
    match = Match(
        classes=table.read_any_of("class", units.member(MessageClass)),
        tags=_read_tags(table.table("tags")),
        prefixes=table.read_any_of("prefix", _prefix),
        country_prefixes=table.read_any_of("country", calling_code),
        sources=table.read_any_of("source", units.text),
        hours=read_hours(table),
        size=_read_size(table),
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


def _read_size(table: Table) -> Size | None:
    if table.take("size") is None:
        return None
    given = table.table("size")
    length = units.whole_number(0, _LONGEST)
    least, most = given.read("min", length), given.read("max", length)
    given.refuse_unasked()
    if not given.content.keys() & {"min", "max"}:
        given.findings.add(given.path, "expected min, max or both, in characters")
    elif least is not None and most is not None and most < least:
        given.note("max", "expected no less than min")
    return Size(least=least or 0, most=most)
