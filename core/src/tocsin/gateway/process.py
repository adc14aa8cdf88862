"""The process that serves: Granian spawns it, it opens the store and makes the application.

It ends with the process that started it, however that one ended, so that no orphan keeps the socket.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import threading
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tocsin import observe
from tocsin.app import Tocsin
from tocsin.config import load_config
from tocsin.errors import StoreFailed, TocsinError
from tocsin.gateway.retiring import RETIRE, LastWords, leave_socket
from tocsin.observe import LogFormat
from tocsin.registry import build_registry

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

KEPT_VARIABLES = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "SQLITE_TMPDIR", "TMPDIR", "TZ"})
"""The environment that requests see: no secret, and nothing that could pass for a header (`HTTP_…`)."""

_ORPHANED = 1


@attrs.frozen(kw_only=True)
class LoadApp:
    """Makes the application; a value that can be sent to the process which calls it.

    Args:
        config: the configuration's path.
        log_format: of this process's lines.
        debug: an internal error shows a traceback.
        tell: is sent what keeps it from serving, or an empty text when it is ready.
    """

    config: Path
    log_format: LogFormat = LogFormat.LOGFMT
    debug: bool = False
    tell: Connection[str, Any] | None = None

    def __call__(self) -> WSGIApplication:
        """Return the application, once its store is open.

        Raises:
            SystemExit: it cannot be made; why is told.
        """
        stopping, retiring = threading.Event(), threading.Event()
        _watch(stopping, retiring)
        try:
            app = self._build(stopping)
        except Exception as error:  # the last seam of this process: one sentence, never a traceback
            self._say(str(error) if isinstance(error, TocsinError) else f"internal error: {type(error).__name__}")
            if self.debug:
                raise
            raise SystemExit(1) from None
        self._say("")
        return LastWords(app, retiring)

    def _build(self, stopping: threading.Event) -> WSGIApplication:
        from tocsin.gateway.app import build_app
        from tocsin.gateway.serverlog import relay_server_log, write_aside

        observe.show_log(logging.INFO, self.log_format)
        relay_server_log()
        Finalize(None, write_aside(), exitpriority=0)
        _raise_descriptors()
        registry = build_registry()
        config = load_config(
            self.config,
            vendors=registry.described(),
            unavailable=registry.broken(),
            sources=registry.described_sources(),
            environ=os.environ,
        )
        tocsin = Tocsin(config, registry)
        Finalize(None, tocsin.close, exitpriority=1)
        with suppress(StoreFailed):  # it waits on for the worker
            tocsin.take_up()
        app = build_app(tocsin, config, stopping=stopping)
        _forget_environment()
        return app

    def _say(self, words: str) -> None:
        if self.tell is not None:
            self.tell.send(words)


def _raise_descriptors() -> None:
    """Allow as many open connections as the system lets us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _forget_environment() -> None:
    """Take from the environment what no request shall see: the server hands a copy of it to each."""
    for name in os.environ.keys() - KEPT_VARIABLES:
        del os.environ[name]


def _watch(stopping: threading.Event, retiring: threading.Event) -> None:
    """Heed signals, whoever else handles them, and end this process when its parent has ended."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(RETIRE, lambda *_: None)  # what has no handler wakes nobody
    threading.Thread(target=_wait, args=(woken, stopping, retiring), name="parent", daemon=True).start()


def _wait(woken: int, stopping: threading.Event, retiring: threading.Event) -> None:
    parent = parent_process()
    if parent is None:
        return
    while parent.sentinel not in (happened := wait([parent.sentinel, woken])):
        signals = set(os.read(woken, 64)) if woken in happened else set()
        if RETIRE in signals:
            retiring.set()
            leave_socket()
        if {signal.SIGTERM, signal.SIGINT} & signals:
            stopping.set()
    os._exit(_ORPHANED)
