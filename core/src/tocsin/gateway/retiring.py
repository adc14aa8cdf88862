"""How a process that serves retires: it takes no more connections, and lets those go that it has.

The server beneath closes a connection of which it has not yet read a head as soon as it is told to end: whoever had
just called would be refused. So whoever is to end is told so a moment before: it leaves the listening socket to others,
and each answer says that it was the last one on its connection.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

RETIRE = signal.SIGUSR1
"""Tells a serving process to take no more connections."""

GOODBYE_S = 0.5
"""How long before its end it is told: within it, who has just called has sent a head."""

_CLOSES = ("connection", "close")
_UNSIGNED = ("server", "")
"""No answer says which server made it."""


def leave_socket() -> None:
    """Take no more connections: put a socket to which nobody connects wherever this process listens.

    The listening socket itself stays open: others have it, too. The server beneath notices nothing but silence.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        deaf.setblocking(False)
        for name in os.listdir("/proc/self/fd"):
            if int(name) != deaf.fileno() and _listens(int(name)):
                os.dup2(deaf.fileno(), int(name), inheritable=False)


def _listens(descriptor: int) -> bool:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as there:
        return bool(there.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return False


class LastWords:
    """A WSGI application in front of another: answers bear no signature, and the last ones say that they are.

    Args:
        app: answers.
        retiring: set when each answer is the last on its connection.
    """

    def __init__(self, app: WSGIApplication, retiring: threading.Event) -> None:
        self._app = app
        self._retiring = retiring

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            more = (_UNSIGNED, _CLOSES) if self._retiring.is_set() else (_UNSIGNED,)
            return start(status, [*headers, *more], *error)

        return self._app(environ, begin)
