"""A slip: one notice with whom it is for, and when it was heard, as a value and as the bytes of a file.

It holds numbers and texts, and no name of a file or an account. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from tocsin.errors import AnswerError, InvalidInput
from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164

VERSION = 1

_YEARS = range(2000, 2200)
_TEXTS = ("fingerprint", "name", "summary", "level")


@attrs.frozen(kw_only=True)
class Slip:
    """One notice that waits to be taken in.

    Args:
        heard_at: when it was handed in; its messages expire from then on.
        source: who handed it in: `icinga`, `nagios`.
        to: recipients.
        groups: names of more of them, resolved when it is taken in.
        cls: of its messages; None where the source says.
        notice: what is to be told.
    """

    heard_at: datetime
    source: str
    to: tuple[E164, ...] = ()
    groups: tuple[str, ...] = ()
    cls: MessageClass | None = None
    notice: Notice


class DamagedSlip(AnswerError):
    """A file of the spool is none of ours, or not whole. The text says where, and quotes nothing of it."""


def encode_slip(slip: Slip) -> bytes:
    """Return the file's bytes: one JSON document in UTF-8."""
    document = {
        "version": VERSION,
        "heard_at": slip.heard_at.isoformat(),
        "source": slip.source,
        "to": [number.full for number in slip.to],
        "groups": list(slip.groups),
        "class": None if slip.cls is None else slip.cls.value,
        "receiver": slip.notice.receiver,
        "alerts": [_alert_document(alert) for alert in slip.notice.alerts],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def decode_slip(content: bytes) -> Slip:
    """Read a file's bytes.

    Raises:
        DamagedSlip: they are no slip, or one of a version that this tocsin does not know.
    """
    try:
        document = json.loads(content.decode())
        return _slip(document)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, InvalidInput) as error:
        raise DamagedSlip(f"no whole slip ({type(error).__name__})") from None


def _slip(document: Mapping[str, Any]) -> Slip:
    if document["version"] != VERSION or not document["alerts"]:
        raise ValueError
    return Slip(
        heard_at=_moment(document["heard_at"]),
        source=_text(document["source"]),
        to=tuple(E164(_text(number)) for number in _list(document["to"])),
        groups=tuple(_text(name) for name in _list(document["groups"])),
        cls=None if document["class"] is None else MessageClass(document["class"]),
        notice=Notice(
            receiver=_text(document["receiver"]), alerts=tuple(_alert(one) for one in _list(document["alerts"]))
        ),
    )


def _alert_document(alert: Alert) -> dict[str, Any]:
    return {
        **{key: getattr(alert, key) for key in _TEXTS},
        "status": alert.status.value,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": None if alert.starts_at is None else alert.starts_at.isoformat(),
        "ends_at": None if alert.ends_at is None else alert.ends_at.isoformat(),
    }


def _alert(document: Mapping[str, Any]) -> Alert:
    return Alert(
        **{key: _text(document[key]) for key in _TEXTS},
        status=AlertStatus(document["status"]),
        labels=_texts(document["labels"]),
        annotations=_texts(document["annotations"]),
        starts_at=None if document["starts_at"] is None else _moment(document["starts_at"]),
        ends_at=None if document["ends_at"] is None else _moment(document["ends_at"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _texts(value: Mapping[object, object]) -> dict[str, str]:
    return {_text(key): _text(one) for key, one in value.items()}


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise ValueError
    return moment.astimezone(UTC)
