"""Logging: event names, the keys that may be logged, and structlog's set-up. Nothing else of ours reaches a log.

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
STORE_RECOVERED = "tocsin.store.recovered"

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


def set_up_logging(level: int = logging.WARNING, *, as_json: bool = False) -> None:
    """Send our log lines to standard error.

    Args:
        level: least level that is shown.
        as_json: one JSON object a line, for a collector; else lines for people.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
