"""Anything that posts JSON, a form or a text, read by an operator's expressions or by what fields are often called.

Without a word of configuration `{"text": "…"}` is an event, and `{"title": "…", "status": "resolved"}` an alert that is
over. What says no status has no end: it is told once for each post, unless it has a key of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs

from tocsin.plugin import (
    Alert,
    AlertRequest,
    AlertStatus,
    Expression,
    NotAlerts,
    Notice,
    SourceKind,
    TemplateFailed,
    hookimpl,
)

MOST_ALERTS = 10_000
MOST_FIELDS = 1000

_FIELDS = {
    "key": ("key", "fingerprint", "dedup_key", "alert_id"),
    "status": ("status", "state"),
    "name": ("title", "name", "subject", "alertname", "check", "text", "message", "body"),
    "summary": ("summary", "message", "text", "description", "body", "output"),
    "level": ("level", "severity", "priority"),
    "group": ("group", "sms_to"),
}
"""What fields are often called, for each thing that is asked of them."""

_WORDS = {
    AlertStatus.FIRING: "firing alerting alert down problem critical error failed failure open trigger triggered",
    AlertStatus.RESOLVED: "resolved resolve ok up recovery recovered closed normal success healthy",
}
STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}
"""What a status is often called. Anything else is an event."""

_EMPTY = "expected a body: JSON, a form or a text"
_KEY_HEADER = "idempotency-key"


@attrs.frozen(kw_only=True)
class GenericSettings:
    """Where to find what: expressions in Jinja2's notation, over `body`, `query`, `headers` and, with `each`, `item`.

    Args:
        each: the list of alerts in the body; without it the body is one alert.
        key: what names an alert, the same from firing to resolved.
        status: firing or resolved, or a word that means as much.
        name, summary, level: of the alert.
        group: who is told: names of groups, or numbers; it becomes the label `sms_to`.
    """

    each: Expression | None = None
    key: Expression | None = None
    status: Expression | None = None
    name: Expression | None = None
    summary: Expression | None = None
    level: Expression | None = None
    group: Expression | None = None


class _Unreadable(ValueError):
    """The request cannot be read as alerts; the text says why, and quotes nothing of it."""


@hookimpl
def describe_source() -> SourceKind:
    """Describe the kind that reads anything."""
    return SourceKind(name="generic", title="Anything that posts JSON, a form or a text", settings=GenericSettings)


@hookimpl
def read_alerts(settings: GenericSettings, request: AlertRequest, now: datetime) -> Notice | NotAlerts:
    """Read a post."""
    try:
        body = _body(request)
        values = {"body": body, "query": dict(request.query), "headers": dict(request.headers)}
        items = _items(settings, values)
        alerts = [_alert(settings, values | {"item": item}, item, now) for item in items]
    except _Unreadable as error:
        return NotAlerts(why=str(error))
    return Notice(alerts=tuple({alert.fingerprint: alert for alert in alerts}.values()))


def _body(request: AlertRequest) -> Any:
    """Return what the body holds: JSON whatever its type says, else a form, else a text."""
    try:
        text = request.body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _Unreadable("expected a body in UTF-8") from None
    if not text:
        raise _Unreadable(_EMPTY)
    if text[0] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise _Unreadable("expected JSON, since the body begins like it") from None
    if "form-urlencoded" in dict(request.headers).get("content-type", ""):
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise _Unreadable(f"expected a form of at most {MOST_FIELDS} fields") from None
    return {"text": text}


def _items(settings: GenericSettings, values: Mapping[str, Any]) -> list[Any]:
    found = values["body"] if settings.each is None else _evaluate("each", settings.each, values)
    items = found if isinstance(found, list) else [found]
    if not items or len(items) > MOST_ALERTS or not all(isinstance(item, dict) for item in items):
        raise _Unreadable(f"expected an object, or a list of 1 to {MOST_ALERTS} objects")
    return items


def _alert(settings: GenericSettings, values: Mapping[str, Any], item: Mapping[str, Any], now: datetime) -> Alert:
    found = {name: _find(name, settings, values, item) for name in _FIELDS}
    if not found["name"]:
        raise _Unreadable("expected a field that names the alert: title, name, text or message")
    status = STATUSES.get(found["status"].strip().lower(), AlertStatus.EVENT)
    labels = {key: _text(value) for key, value in item.items() if isinstance(value, str | int | float)}
    return Alert(
        fingerprint=_fingerprint(found, status, values, now),
        status=status,
        name=found["name"],
        summary="" if found["summary"] == found["name"] else found["summary"],
        level=found["level"],
        labels=labels | ({"sms_to": found["group"]} if found["group"] else {}),
    )


def _find(name: str, settings: GenericSettings, values: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    expression: Expression | None = getattr(settings, name)
    if expression is not None:
        return _text(_evaluate(name, expression, values))
    return next((text for key in _FIELDS[name] if (text := _text(item.get(key)))), "")


def _evaluate(name: str, expression: Expression, values: Mapping[str, Any]) -> Any:
    try:
        return expression.evaluate(values)
    except TemplateFailed as error:
        raise _Unreadable(f"the expression of {name} does not fit the body ({error})") from None


def _fingerprint(found: Mapping[str, str], status: AlertStatus, values: Mapping[str, Any], now: datetime) -> str:
    """Return what names an alert: its key; else its name. What has no end is named by its moment, or by its sender."""
    if found["key"]:
        return _digest([found["key"]])
    if status is not AlertStatus.EVENT:
        return _digest([found["name"]])
    header = values["headers"].get(_KEY_HEADER)
    moment = now.astimezone(UTC).isoformat()
    return _digest([header or moment, found["name"], found["summary"]])


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _text(value: object) -> str:
    """Return a value as text, without halves of letters; empty for what is nothing, or has parts."""
    if value is None or isinstance(value, dict | list | tuple):
        return ""
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip().encode("utf-8", "replace").decode()
