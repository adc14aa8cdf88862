"""Runs Granian on a listening socket: one WSGI process, some threads. This side is the main process, which serves
nobody: it starts the other, watches it, and passes on what it is told. The other side is `tocsin.gateway.process`.

It must never bind the socket itself: whoever calls it may keep the socket open while gateways come and go.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import attrs
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer, WorkerProcess

from tocsin import observe
from tocsin.errors import TocsinError
from tocsin.gateway.process import LoadApp
from tocsin.gateway.retiring import GOODBYE_S, RETIRE
from tocsin.gateway.serverlog import NO_LOG, relay_server_log
from tocsin.supervision.listening import BACKLOG, address_of

THREADS = 96
"""Requests that may be under way at a time. One that waits for its commit or its body keeps its thread; so does a
stream of events, and what lingers behind a body that never came: together they are fewer than these."""

CONNECTIONS = 16_384
"""Open connections; more wait to be taken."""

HEADER_TIMEOUT_MS = 10_000
"""How long a head may take to arrive, and how long a connection may idle."""

END_S = 10
"""How long requests under way may take once the gateway is told to end."""

_HEAD_BYTES = 64 * 1024


class GatewayEnded(TocsinError):
    """The process that serves did not start, or ended unasked. Its reason is told; start the gateway again."""


@attrs.frozen(kw_only=True)
class Service:
    """What is served, and how.

    Args:
        load: makes the application, in the serving process.
        listener: listening socket.
        ready: called once the application is loaded.
        check: reads the configuration before SIGHUP replaces the serving process. Raises `TocsinError` for a bad one.
    """

    load: LoadApp
    listener: socket.socket
    ready: Callable[[], None] = lambda: None
    check: Callable[[], object] = lambda: None


class _Server(MPServer):
    """Granian on a socket that is given to it, and with a SIGHUP that looks before it leaps."""

    def __init__(self, service: Service) -> None:
        super().__init__(
            "tocsin",
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            blocking_threads=THREADS,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=_HEAD_BYTES),
            log_dictconfig=NO_LOG,
            workers_kill_timeout=END_S,
        )
        self._service = service

    def _init_shared_socket(self) -> None:
        """Put the given socket where the process looks for it that Granian spawns."""
        self._shd = SocketHolder(self._service.listener.fileno(), False, BACKLOG)  # type: ignore[assignment, call-arg]  # its stub knows no arguments
        self._sso = self._service.listener

    def _spawn_worker(self, *arguments: Any, **named: Any) -> WorkerProcess:
        """Spawn a process that is told to retire before it is told to end."""
        process: WorkerProcess = super()._spawn_worker(*arguments, **named)
        process.terminate = partial(_retire, process, process.terminate)  # type: ignore[method-assign]
        return process

    def signal_handler_reload(self, *_: Any) -> None:
        threading.Thread(target=self._check_and_reload, name="reload", daemon=True).start()

    def _check_and_reload(self) -> None:
        try:
            self._service.check()
        except TocsinError as error:
            observe.log.error(observe.ALARM, reason="reload-refused", cause=str(error))
            return
        super().signal_handler_reload()  # type: ignore[no-untyped-call]  # Granian's own


def _retire(process: WorkerProcess, end: Callable[[], None]) -> None:
    """Have a process take no more connections, and a moment later end."""
    process.interrupt_by_parent = True
    with suppress(ProcessLookupError):
        os.kill(process.inner.pid, RETIRE)
        process.inner.join(GOODBYE_S)
    end()


def serve(service: Service) -> None:
    """Serve until SIGTERM or SIGINT; what is under way then is answered.

    Raises:
        GatewayEnded: the serving process did not start, or ended unasked.
    """
    multiprocessing.set_start_method("spawn", force=True)  # a copy of this process would share its locks
    ours, theirs = multiprocessing.Pipe(duplex=False)
    troubles: list[str] = []
    hearing = threading.Thread(target=_hear, args=(ours, service, troubles), name="gateway-ready", daemon=True)
    hearing.start()
    server = _Server(service)
    server.on_startup(relay_server_log)  # before, it only thinks aloud about its settings
    try:
        server.serve(target_loader=attrs.evolve(service.load, tell=theirs), wrap_loader=False)
    except SystemExit:
        theirs.close()
        hearing.join(END_S)  # it has gone, and what it said last is heard
        raise GatewayEnded(troubles[-1] if troubles else "the serving process ended unasked") from None
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _ignore)
        observe.log.info(observe.GATEWAY_STOPPED)


def _hear(pipe: Connection[Any, str], service: Service, troubles: list[str]) -> None:
    """Hear from each serving process that it is ready, or why not."""
    while True:
        try:
            trouble = pipe.recv()
        except (EOFError, OSError):
            return
        if trouble:
            troubles.append(trouble)
        else:
            observe.log.info(observe.GATEWAY_LISTENING, address=f"http://{address_of(service.listener)}")
            service.ready()


def _ignore(_: int, __: FrameType | None) -> None:
    """Do nothing: it is ending already."""
