"""Parsers of single values: texts, numbers, durations, rates, templates. Each returns the value or raises `Unfit`."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from tocsin.config.findings import Unfit, did_you_mean, quote
from tocsin.errors import InvalidNumber, MissingExtra
from tocsin.model.phone import E164, parse_number
from tocsin.model.template import BadTemplate, Expression, Template

if TYPE_CHECKING:
    from tocsin.model.account import Rate

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,6})?(s|m|h|d)")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_LONGEST = timedelta(days=366)


def any_text(value: object) -> str:
    """Read a text, which may be empty."""
    if not isinstance(value, str):
        raise Unfit('expected a text in quotes, such as "…"')
    return value


def text(value: object) -> str:
    """Read a text that is not empty."""
    if not any_text(value).strip():
        raise Unfit("expected a text that is not empty")
    return any_text(value)


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise Unfit("expected true or false, without quotes")
    return value


def whole_number(least: int, most: int) -> Callable[[object], int]:
    """Return a parser of whole numbers from `least` to `most`, both included."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unfit(f"expected a whole number from {least} to {most}, without quotes")
        return value

    return parse


def choice(options: Mapping[str, T]) -> Callable[[object], T]:
    """Return a parser of one word out of a few, each with its meaning."""
    words = list(options)
    expected = words[0] if len(words) == 1 else f"one of {', '.join(words)}"

    def parse(value: object) -> T:
        if isinstance(value, str) and value in options:
            return options[value]
        near = did_you_mean(value, options) if isinstance(value, str) else ""
        raise Unfit(f"expected {expected}{near}")

    return parse


def member(kind: type[E]) -> Callable[[object], E]:
    """Return a parser of an enumeration's words."""
    return choice({str(each.value): each for each in kind})


def named(kind: str, known: Mapping[str, T]) -> Callable[[object], T]:
    """Return a parser that looks a name up.

    Args:
        kind: what bears the name, for the finding.
        known: what there is.
    """

    def parse(value: object) -> T:
        name = text(value)
        if name in known:
            return known[name]
        hint = did_you_mean(name, known) or f"; there is {', '.join(map(quote, sorted(known))) or 'none'}"
        raise Unfit(f"no {kind} is named {quote(name)}{hint}")

    return parse


def number(value: object) -> E164:
    """Read a phone number. What is wrong with it is said without the number."""
    if not isinstance(value, str):
        raise Unfit('expected a phone number in quotes, such as "+8613900000000"')
    try:
        return parse_number(value)
    except InvalidNumber:
        raise Unfit('expected a phone number such as "+8613900000000"') from None


def duration(value: object) -> timedelta:
    """Read a duration such as `500ms`, `8s`, `5m`, `4h` or `2d`; none at all is `0s`."""
    written = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise Unfit("expected a duration such as 8s, 5m or 4h, in quotes")
    length = int(written[1]) * _UNITS[written[2]]
    if length > _LONGEST:
        raise Unfit(f"expected a duration of at most {_LONGEST.days}d")
    return length


def interval(value: object) -> timedelta:
    """Read a duration that is longer than none."""
    length = duration(value)
    if not length:
        raise Unfit("expected a duration that is longer than none")
    return length


def rate(value: object) -> Rate:
    """Read a rate: so many in a window, such as `50/s`, `3/3m` or `10/d`."""
    written = _RATE.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise Unfit("expected a rate such as 50/s, 3/3m or 10/d, in quotes")
    window = int(written[2] or 1) * _UNITS[written[3]]
    from tocsin.model.account import Rate  # not for who only wants to know where the store is

    return Rate(int(written[1]), int(window.total_seconds()))


def amount(value: object) -> Decimal:
    """Read an exact amount: a decimal number in quotes, or a whole number. Never a float."""
    if isinstance(value, float):
        raise Unfit('expected the amount in quotes, such as "0.10": a fraction without quotes is not exact')
    if isinstance(value, bool) or not isinstance(value, str | int) or not _AMOUNT.fullmatch(_decimal_text(value)):
        raise Unfit('expected an amount such as "0.10" or 20')
    return Decimal(value)


def price(value: object) -> Decimal:
    """Read an amount that is not negative."""
    exact = amount(value)
    if exact < 0:
        raise Unfit("expected a price of 0 or more")
    return exact


def budget(value: object) -> Decimal:
    """Read an amount above zero."""
    exact = amount(value)
    if exact <= 0:
        raise Unfit("expected an amount above 0")
    return exact


def network(value: object) -> str:
    """Read an address or a network."""
    try:
        return str(ipaddress.ip_network(text(value)))
    except ValueError:
        raise Unfit("expected an address or a network such as 203.0.113.0/24, with no bits behind its mask") from None


def template(value: object) -> Template:
    """Read a template, and compile it."""
    return _compile(Template, value)


def expression(value: object) -> Expression:
    """Read an expression, and compile it."""
    return _compile(Expression, value)


def _compile(kind: Callable[[str], T], value: object) -> T:
    written = text(value)
    try:
        return kind(written)
    except BadTemplate as error:
        raise Unfit(f"expected Jinja2: {error}") from None
    except MissingExtra as error:
        raise Unfit(str(error)) from None


def _decimal_text(value: str | int) -> str:
    # Python refuses to write out a whole number of more than 4,300 digits; TOML can hold one in hexadecimal.
    return value if isinstance(value, str) else str(value) if abs(value) < 10**15 else ""
