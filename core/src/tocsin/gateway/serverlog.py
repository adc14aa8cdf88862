"""The log of the serving process: what its server says becomes events of ours, and a thread of its own writes it all.

Of what the server says first lines alone are kept, since the rest may quote a request.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from logging.handlers import QueueHandler, QueueListener
from typing import Any

from tocsin import observe

_LOGGER = "_granian"

NO_LOG: dict[str, Any] = {
    "handlers": {"nobody": {"class": "logging.NullHandler"}},
    "loggers": {_LOGGER: {"handlers": ["nobody"], "propagate": False}},
}
"""For Granian's settings: it writes nothing itself."""


class _Relay(logging.Handler):
    """Passes a record on as an event."""

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.getMessage().partition("\n")[0]
        observe.log.log(record.levelno, observe.GATEWAY_SERVER, cause=cause)


def relay_server_log() -> None:
    """Have warnings and errors of the server logged by us. Call it after Granian has set up its logging."""
    logger = logging.getLogger(_LOGGER)
    logger.handlers = [_Relay()]
    logger.setLevel(logging.WARNING)


def write_aside() -> Callable[[], None]:
    """Let a thread of its own write the log from now on; return what ends it, once all is written.

    Where many threads log, each would wait for the one that writes, with the interpreter's lock in between.
    """
    logger = logging.getLogger("tocsin")
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = QueueListener(lines, *logger.handlers)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(_Aside(lines))
    listener.start()
    return listener.stop


class _Aside(QueueHandler):
    """Puts a record into the queue as it is: what it says is text by then, and nothing of it changes any more."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record
