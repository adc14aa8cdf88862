"""The body of `POST /v1/messages`, read into values. Pure. All that does not fit is told at once, by name of field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from tocsin.errors import InvalidInput, InvalidNumber
from tocsin.gateway.problems import InvalidFields
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164, parse_number

MOST_RECIPIENTS = 1000
MOST_TEXT = 4096
MOST_NAME = 255
"""Characters of a key, of a tag's name, of its value."""

T = TypeVar("T")
FindGroup = Callable[[str], tuple[E164, ...]]


class Unfit(ValueError):
    """A value is not what was expected; the text says what was."""


@attrs.frozen(kw_only=True)
class Asked:
    """A message as it was asked for. See `tocsin.delivery.accept.Draft`."""

    to: tuple[E164, ...]
    text: str = attrs.field(repr=False)
    cls: MessageClass = MessageClass.ALERT
    idempotency_key: str | None = attrs.field(default=None, repr=False)
    send_at: datetime | None = None
    expires_at: datetime | None = None
    extension: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict)


def read_document(body: bytes) -> Any:
    """Return the JSON that a body holds.

    Raises:
        InvalidFields: it holds none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidFields({"body": "expected JSON in UTF-8"}) from None


def read_message(document: Any, find_group: FindGroup) -> Asked:
    """Return the message that a document asks for.

    Args:
        document: as JSON gave it.
        find_group: returns the numbers of a group; raises InvalidInput for one that is not there.

    Raises:
        InvalidFields: with every field that is not as expected.
    """
    if not isinstance(document, dict):
        raise InvalidFields({"body": 'expected an object such as {"to": ["+86…"], "text": "…"}'})
    findings: dict[str, str] = {}

    def read(name: str, parse: Callable[[Any], T], default: T) -> T:
        value = document.get(name)
        if value is None:
            return default
        try:
            return parse(value)
        except Unfit as unfit:
            findings[name] = str(unfit)
            return default

    nobody: tuple[E164, ...] = ()
    asked = Asked(
        to=read("to", _numbers, nobody) + read("group", lambda value: _group(value, find_group), nobody),
        text=read("text", _text, ""),
        cls=read("class", _class, MessageClass.ALERT),
        idempotency_key=read("idempotency_key", _name, None),
        send_at=read("send_at", _time, None),
        expires_at=read("expires_at", _time, None),
        extension=read("extension", _extension, ""),
        tags=read("tags", _tags, {}),
    )
    _look_over(document, findings)
    if findings:
        raise InvalidFields(findings)
    return asked


def _look_over(document: Mapping[str, Any], findings: dict[str, str]) -> None:
    """Note what is missing, too much, or not known."""
    given = {name for name, value in document.items() if value is not None}
    if not given & {"to", "group"}:
        findings.setdefault("to", "missing; expected a list of numbers, or a group")
    if {"to", "group"} <= given:
        findings.setdefault("group", "expected either to or group")
    if "text" not in given:
        findings.setdefault("text", "missing; expected what to say")
    if unknown := document.keys() - _FIELDS:
        findings["body"] = f"expected no other fields than {', '.join(sorted(_FIELDS))}; {len(unknown)} are unknown"


_FIELDS = frozenset({"to", "group", "text", "class", "idempotency_key", "send_at", "expires_at", "extension", "tags"})


def _numbers(value: Any) -> tuple[E164, ...]:
    if not isinstance(value, list) or not value or len(value) > MOST_RECIPIENTS:
        raise Unfit(f"expected a list of 1 to {MOST_RECIPIENTS} numbers")
    wrong: list[str] = []
    numbers: list[E164] = []
    for place, one in enumerate(value, start=1):
        try:
            numbers.append(parse_number(one if isinstance(one, str) else ""))
        except InvalidNumber:
            wrong.append(str(place))
    if wrong:
        shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise Unfit(f"expected +, country code and number, or 11 mainland digits, at place {shown}")
    return tuple(numbers)


def _group(value: Any, find_group: FindGroup) -> tuple[E164, ...]:
    try:
        return find_group(value if isinstance(value, str) else "")
    except InvalidInput:
        raise Unfit("expected the name of a configured group") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_TEXT:
        raise Unfit(f"expected a text of 1 to {MOST_TEXT} characters")
    return _printable(value)


def _class(value: Any) -> MessageClass:
    try:
        return MessageClass(value)
    except ValueError:
        raise Unfit(f"expected one of {', '.join(MessageClass)}") from None


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_NAME:
        raise Unfit(f"expected 1 to {MOST_NAME} characters")
    return _printable(value)


def _printable(value: str) -> str:
    try:
        if b"\0" not in value.encode():
            return value
    except UnicodeEncodeError:
        pass
    raise Unfit("expected characters: no NUL, no half of a pair")


def _time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Unfit("expected a time with its offset such as 2027-01-31T08:00:00+08:00")


def _extension(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise Unfit("expected up to 20 digits")
    return value


def _tags(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > 50:
        raise Unfit('expected an object of up to 50 texts such as {"team": "db"}')
    return {_name(name): _tag(tag) for name, tag in value.items()}


def _tag(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_NAME:
        raise Unfit(f"expected texts of up to {MOST_NAME} characters")
    return _printable(value)
