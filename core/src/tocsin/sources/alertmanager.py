"""Alertmanager's webhook, payload version 4, and whatever speaks it: Grafana's contact points, vmalert behind it.

Unknown fields are ignored, and other versions read as well as they go: better a page in odd words than none.

source: prometheus/alertmanager, docs "webhook_config", template/template.go (the receiver is quoted for regular
expressions), notify/webhook/webhook.go.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from tocsin.plugin import Alert, AlertRequest, AlertStatus, NotAlerts, Notice, SourceKind, hookimpl

_REPEATED = "repeat interval elapsed"
_QUOTED = re.compile(r"\\(.)", re.DOTALL)
_STATUSES = {"firing": AlertStatus.FIRING, "resolved": AlertStatus.RESOLVED}
_NO_JSON = "expected the JSON that Alertmanager posts, in UTF-8"


@attrs.frozen(kw_only=True)
class AlertmanagerSettings:
    """How an alert is named.

    Args:
        where: labels that say where it fires; the first that an alert has stands behind its `alertname`.
        summary: annotations that say more; the first that an alert has.
    """

    where: tuple[str, ...] = ("host", "hostname", "instance", "node", "pod", "service", "job")
    summary: tuple[str, ...] = ("summary", "message", "description")


class _Misshapen(ValueError):
    """The payload is not what Alertmanager posts; the text says where."""


@hookimpl
def describe_source() -> SourceKind:
    """Describe Alertmanager."""
    return SourceKind(name="alertmanager", title="Prometheus Alertmanager", settings=AlertmanagerSettings)


@hookimpl
def read_alerts(settings: AlertmanagerSettings, request: AlertRequest) -> Notice | NotAlerts:
    """Read a notification."""
    try:
        return _notice(_document(request.body), settings)
    except _Misshapen as error:
        return NotAlerts(why=str(error))


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _Misshapen(_NO_JSON) from None
    if not isinstance(document, dict):
        raise _Misshapen(_NO_JSON)
    return document


def _notice(document: Mapping[str, Any], settings: AlertmanagerSettings) -> Notice:
    given = document.get("alerts")
    if not isinstance(given, list) or not given:
        raise _Misshapen("alerts: expected a list of at least one alert")
    alerts = {alert.fingerprint: alert for alert in _alerts(given, settings)}  # of two by one name, the last is newer
    truncated = document.get("truncatedAlerts")
    return Notice(
        receiver=_QUOTED.sub(r"\1", _text(document.get("receiver"))),
        alerts=tuple(alerts.values()),
        truncated=max(0, truncated) if isinstance(truncated, int) else 0,
        repeated=document.get("notification_reason") == _REPEATED,
    )


def _alerts(given: list[Any], settings: AlertmanagerSettings) -> Iterator[Alert]:
    for place, one in enumerate(given):
        if not isinstance(one, dict):
            raise _Misshapen(f"alerts[{place}]: expected an object")
        status = _STATUSES.get(_text(one.get("status")))
        if status is None:
            raise _Misshapen(f"alerts[{place}].status: expected firing or resolved")
        labels = _texts(one.get("labels"))
        if labels is None:
            raise _Misshapen(f"alerts[{place}].labels: expected an object of texts")
        yield _alert(one, status, labels, settings)


def _alert(
    one: Mapping[str, Any], status: AlertStatus, labels: Mapping[str, str], settings: AlertmanagerSettings
) -> Alert:
    annotations = _texts(one.get("annotations")) or {}
    return Alert(
        fingerprint=_text(one.get("fingerprint")) or _fingerprint(labels),
        status=status,
        name=_name(labels, settings),
        summary=next((annotations[key] for key in settings.summary if annotations.get(key)), ""),
        labels=labels,
        annotations=annotations,
        starts_at=_moment(one.get("startsAt")),
        ends_at=_moment(one.get("endsAt")) if status is AlertStatus.RESOLVED else None,
    )


def _name(labels: Mapping[str, str], settings: AlertmanagerSettings) -> str:
    name = labels.get("alertname") or " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    place = next((labels[key] for key in settings.where if labels.get(key)), "")
    return f"{name} {place}".strip()


def _fingerprint(labels: Mapping[str, str]) -> str:
    """Return a name for an alert whose sender gave it none: by its labels, as Alertmanager would."""
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]


def _moment(text: object) -> datetime | None:
    """Return the time; None where there is none, or the year 1, by which Go says so."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.year <= 1 else moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _texts(given: object) -> dict[str, str] | None:
    if given is not None and not isinstance(given, dict):
        return None
    return {_text(key): _text(value) for key, value in (given or {}).items()}


def _text(value: object) -> str:
    """Return a text without halves of letters; of anything else but an object what JSON writes."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return "" if value is None or isinstance(value, dict | list) else json.dumps(value)
