"""One process under supervision: started, watched, told to end. Threads that only wait; the supervisor decides."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import attrs

from tocsin.supervision.leash import READY, hand_over

GRACE_S = 30.0
"""How long a process may take to end: the worker waits at most 15 s for answers under way."""


@attrs.frozen(kw_only=True)
class Program:
    """What a process runs.

    Args:
        name: for people.
        arguments: behind `tocsin`.
        listener: the listening socket that it is handed, if any.
    """

    name: str
    arguments: tuple[str, ...]
    listener: socket.socket | None = None


@attrs.frozen
class Ended:
    """A process ended: with that status, negative for a signal."""

    child: Child
    status: int


@attrs.frozen
class Ready:
    """A process said that it does its work now."""

    child: Child


class Child:
    """A running process. It leads a process group of its own, so that Ctrl-C reaches the supervisor alone.

    Args:
        program: what it runs.
        tell: is told what happens, from other threads.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, program: Program, tell: Callable[[Ended | Ready], None]) -> None:
        self.program = program
        self.started_at = time.monotonic()
        self.kill_at: float | None = None
        self._tell = tell
        self._grip, end = socket.socketpair()
        with end:
            self._process = subprocess.Popen(  # noqa: S603 (its own program)
                [sys.executable, "-P", "-m", "tocsin", *program.arguments, "--supervised"],  # -P: not from here
                stdin=end.fileno(),
                process_group=0,
            )
        if program.listener is not None:
            hand_over(self._grip, program.listener)
        for task in (self._listen, self._wait):
            threading.Thread(target=task, name=f"{program.name}-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def end(self) -> None:
        """Tell it to end; what it has under way, it finishes."""
        self.kill_at = time.monotonic() + GRACE_S
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self.kill_at = None
        self._process.kill()

    def _listen(self) -> None:
        if self._grip.recv(len(READY)) == READY:
            self._tell(Ready(self))

    def _wait(self) -> None:
        status = self._process.wait()
        self._grip.close()
        self._tell(Ended(self, status))
