"""Logging: event names, the keys that may be logged, and the logger. Nothing else of ours reaches a log.

An event is a constant here; a key that is not on the list is dropped, so that a number, a text or a secret cannot slip
into a line by a new argument.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

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
STORE_RECOVERED = "tocsin.store.recovered"
ACCOUNT_CLOSED = "tocsin.account.closed"
ACCOUNT_OPENED = "tocsin.account.opened"
QUALITY_MOVED = "tocsin.quality.moved"
OPTED_OUT = "tocsin.recipient.opted_out"

ALLOWED_KEYS = frozenset(
    {
        "account",
        "cause",
        "code",
        "count",
        "event",
        "exception",
        "fault",
        "kind",
        "level",
        "message_id",
        "plugin",
        "quarantined",
        "reason",
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


log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    logging.getLogger("tocsin"),
    processors=[
        structlog.stdlib.filter_by_level,
        keep_allowed,
        structlog.processors.LogfmtRenderer(key_order=["event"], drop_missing=True),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
)
"""The project's one logger. Its lines go to the standard library's logger `tocsin`, where an application that embeds
tocsin decides what becomes of them; how that application has set structlog up for itself changes nothing here."""

logging.getLogger("tocsin").addHandler(logging.NullHandler())


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what is standard error at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_log(level: int) -> None:
    """Write our log lines to standard error, from that level on: what `--verbose` does. Once is enough."""
    logger = logging.getLogger("tocsin")
    if not any(isinstance(handler, _StandardError) for handler in logger.handlers):
        logger.addHandler(_StandardError())
    logger.setLevel(level)
