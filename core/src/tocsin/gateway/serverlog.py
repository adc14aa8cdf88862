"""What the HTTP server has to say becomes events of ours: first lines alone, since the rest may quote a request."""

from __future__ import annotations

import logging
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
