"""The log of the serving process: what its server says becomes events of ours, and a thread of its own writes it all.

Of what the server says first lines alone are kept, since the rest may quote a request.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from tocsin import observe

_LOGGER = "_granian"
_GATHER_S = 0.02

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
    aside = [_Aside(handler) for handler in logger.handlers if isinstance(handler, observe.StandardError)]
    for one in aside:
        logger.removeHandler(one.shown)
        logger.addHandler(one)
        one.begin()

    def end() -> None:
        for one in aside:
            one.end()

    return end


class _Aside(logging.Handler):
    """Gathers lines for a moment, and writes them at once: to wake a thread for each costs more than the line.

    Args:
        shown: where they go.
    """

    def __init__(self, shown: observe.StandardError) -> None:
        super().__init__(shown.level)
        self.shown = shown
        self._lines: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line into the queue as it is: what it says is fixed by then."""
        self._lines.put(record)

    def end(self) -> None:
        self._ending.set()
        self._lines.put(None)
        self._thread.join()

    def _write(self) -> None:
        ended = False
        while not ended:
            gathered = [self._lines.get()]
            self._ending.wait(_GATHER_S)
            while not self._lines.empty():
                gathered.append(self._lines.get())
            ended = None in gathered
            if lines := [one for one in gathered if one is not None]:
                self.shown.emit_all(lines)
