"""Logging: event names, the keys that may be logged, and the logger. Nothing else of ours reaches a log.

An event is a constant here; a key that is not on the list is dropped, so that a number, a text or a secret cannot slip
into a line by a new argument. What writes lines is loaded with the first that somebody hears: most commands have none.
"""

from __future__ import annotations

import enum
import json
import logging
import sys
import time
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import structlog

SEND_ACCEPTED = "tocsin.send.accepted"
SEND_REFUSED = "tocsin.send.refused"
SEND_NOT_SENT = "tocsin.send.not_sent"
SEND_UNKNOWN = "tocsin.send.unknown"
ALARM = "tocsin.alarm"
POLL_DONE = "tocsin.poll.done"
POLL_FAILED = "tocsin.poll.failed"
REPORT_GAP = "tocsin.poll.report_gap"
OBSERVER_FAILED = "tocsin.middleware.observer_failed"
WORKER_STARTED = "tocsin.worker.started"
WORKER_STOPPED = "tocsin.worker.stopped"
SPOOL_EXPIRED = "tocsin.spool.expired"
STORE_RECOVERED = "tocsin.store.recovered"
ACCOUNT_CLOSED = "tocsin.account.closed"
ACCOUNT_OPENED = "tocsin.account.opened"
QUALITY_MOVED = "tocsin.quality.moved"
OPTED_OUT = "tocsin.recipient.opted_out"
PUSH_STORED = "tocsin.push.stored"
PUSH_QUARANTINED = "tocsin.push.quarantined"
PUSH_REFUSED = "tocsin.push.refused"
PUSH_TURNED_AWAY = "tocsin.push.turned_away"
PUSHES_RECOVERED = "tocsin.push.recovered"
GATEWAY_LISTENING = "tocsin.gateway.listening"
GATEWAY_STOPPED = "tocsin.gateway.stopped"
GATEWAY_REQUEST = "tocsin.gateway.request"
GATEWAY_SERVER = "tocsin.gateway.server"
PROCESS_STARTED = "tocsin.process.started"
PROCESS_ENDED = "tocsin.process.ended"
RELOADED = "tocsin.reloaded"

ALLOWED_KEYS = frozenset(
    {
        "account",
        "address",
        "cause",
        "code",
        "count",
        "endpoint",
        "event",
        "exception",
        "fault",
        "key_name",
        "kind",
        "level",
        "message_id",
        "method",
        "ms",
        "pid",
        "plugin",
        "process",
        "quarantined",
        "reason",
        "status",
        "submit",
        "timestamp",
        "vendor",
    }
)


def keep_allowed(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not on the list (a structlog processor)."""
    for key in [key for key in event if key not in ALLOWED_KEYS]:
        del event[key]
    return event


@cache
def _logfmt() -> structlog.processors.LogfmtRenderer:
    import structlog

    return structlog.processors.LogfmtRenderer(key_order=["event"], drop_missing=True)


class Line:
    """One event, which becomes text only where somebody writes it: as `key=value`, or as its formatter likes."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = event

    def __str__(self) -> str:
        return _logfmt()(None, "", dict(self.event))


def _as_line(_: object, __: str, event: MutableMapping[str, Any]) -> tuple[tuple[Line], dict[str, Any]]:
    return (Line(event),), {}


_logger = logging.getLogger("tocsin")
_logger.addHandler(logging.NullHandler())


@cache
def _structured() -> structlog.stdlib.BoundLogger:
    import structlog

    made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        _logger, processors=[keep_allowed, _as_line], wrapper_class=structlog.stdlib.BoundLogger
    ).bind()  # once and for all: what is wrapped alone is set up anew for each line
    return made


class Log:
    """Takes events. What nobody hears at its level costs a look, and nothing else."""

    def info(self, event: str, **keys: object) -> None:
        """Take what went as it should."""
        self.log(logging.INFO, event, **keys)

    def warning(self, event: str, **keys: object) -> None:
        """Take what somebody should know of by and by."""
        self.log(logging.WARNING, event, **keys)

    def error(self, event: str, **keys: object) -> None:
        """Take what somebody has to see to."""
        self.log(logging.ERROR, event, **keys)

    def log(self, level: int, event: str, **keys: object) -> None:
        """Take an event of any level."""
        if _logger.isEnabledFor(level):
            _structured().log(level, event, **keys)


log = Log()
"""The project's one logger. Its lines go to the standard library's logger `tocsin`, where an application that embeds
tocsin decides what becomes of them; how that application has set structlog up for itself changes nothing."""


class LogFormat(enum.StrEnum):
    """How a line is written."""

    LOGFMT = "logfmt"
    """For people: the time, the level, then `key=value`."""

    JSON = "json"
    """For a collector: one JSON object to a line."""


class _Json(logging.Formatter):
    """Writes a record as one JSON object: `timestamp`, `level` and `event` first."""

    def format(self, record: logging.LogRecord) -> str:
        event = record.msg.event if isinstance(record.msg, Line) else {"event": record.getMessage()}
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"
        head = {"timestamp": moment, "level": record.levelname.lower(), "event": event["event"]}
        return json.dumps(head | {key: value for key, value in event.items() if value is not None}, default=str)


_FORMATTERS = {
    LogFormat.LOGFMT: logging.Formatter("%(asctime)s %(levelname)s %(message)s"),
    LogFormat.JSON: _Json(),
}


class StandardError(logging.StreamHandler[Any]):
    """Writes to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self.emit_all([record])

    def emit_all(self, records: Sequence[logging.LogRecord]) -> None:
        """Write some lines at once. One that cannot be rendered costs no other; who logs is not hurt by any of it."""
        try:
            self.stream = sys.stderr
            self.stream.write("".join(map(self._line, records)))
            self.flush()
        except Exception:  # noqa: BLE001 (as every handler does)
            self.handleError(records[-1])

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return f"{self.format(record)}{self.terminator}"
        except Exception:  # noqa: BLE001 (as every handler does)
            self.handleError(record)
            return ""


def show_log(level: int, form: LogFormat = LogFormat.LOGFMT) -> None:
    """Write our log lines to standard error, from that level on: what `--verbose` does. The last call counts."""
    shown = [handler for handler in _logger.handlers if isinstance(handler, StandardError)] or [StandardError()]
    shown[0].setFormatter(_FORMATTERS[form])
    _logger.addHandler(shown[0])
    _logger.setLevel(level)
