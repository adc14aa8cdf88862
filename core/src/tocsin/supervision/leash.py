"""What holds a process to its supervisor: a pair of sockets, one end of which is the process's standard input.

The kernel closes the supervisor's end with it, however it ends: that is how its processes learn of it. The supervisor's
end hands over the listening socket; the process's end says when it is ready. Commands hold the one, `child` the other.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

from tocsin.errors import TocsinError

READY = b"ready\n"
_LISTENER = b"listener\n"
_STANDARD_INPUT = 0


class Leash:
    """The end of a process that is supervised. Takes standard input's place: nothing else reads it from then on."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=os.dup(_STANDARD_INPUT))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _STANDARD_INPUT)
        os.close(nothing)

    def receive_listener(self) -> socket.socket:
        """Wait for the listening socket.

        Raises:
            TocsinError: the supervisor ended, or hands none over.
        """
        _, descriptors, _, _ = socket.recv_fds(self._socket, len(_LISTENER), 1)
        if not descriptors:
            raise TocsinError("the supervisor handed no listening socket over")
        return socket.socket(fileno=descriptors[0])

    def say_ready(self) -> None:
        """Tell the supervisor that the process does its work now."""
        self._socket.sendall(READY)

    def watch(self, gone: Callable[[], None]) -> None:
        """Call `gone`, in a thread of its own, once the supervisor has ended."""
        threading.Thread(target=self._watch, args=(gone,), name="leash", daemon=True).start()

    def _watch(self, gone: Callable[[], None]) -> None:
        while self._receive():
            pass
        gone()

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(64)
        except ConnectionError:
            return b""


def hand_over(grip: socket.socket, listener: socket.socket) -> None:
    """Give a process the listening socket, from the supervisor's end."""
    socket.send_fds(grip, [_LISTENER], [listener.fileno()])
