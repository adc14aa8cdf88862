"""Names the boundaries of one process as it reaches them, and pulls the plug at one of them.

A boundary is the moment before or after a commit or an exchange, and before a lock is taken or a holder's file goes.
The threads of a worker make the order of all boundaries vary, so each is named by its own thread and counted there:
`line ipyy: exchange: before #2`. Where a process is to die, it does so by SIGKILL: no handler, no `finally`, no flush.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

LOOP = "loop"
"""The main thread: a worker's loop, and all of a command that has no other threads."""


def thread_kind(name: str) -> str:
    """`line-ipyy_0` → `line ipyy`, `poll-ipyy` → `poll ipyy`, the main thread → `loop`."""
    if name == "MainThread":
        return LOOP
    kind, _, account = name.partition("-")
    return f"{kind} {account.rpartition('_')[0] or account}"


class Boundaries:
    """Counts the boundaries of a process, and ends it at one of them.

    Args:
        log: descriptor that each name is written to, a line each, before anything else happens there.
        last: where to die; empty for nowhere.
        told: called with each name that is passed alive, in the thread that reached it.
    """

    def __init__(self, log: int, last: str, told: Callable[[str], None]) -> None:
        self._log = log
        self._last = last
        self._told = told
        self._counts: Counter[str] = Counter()
        self._names: set[str] = set()
        self.changed = threading.Condition()

    def reach(self, what: str) -> None:
        """Note a boundary; at the last one, die."""
        with self.changed:
            place = f"{thread_kind(threading.current_thread().name)}: {what}"
            self._counts[place] += 1
            name = f"{place} #{self._counts[place]}"
            os.write(self._log, f"{name}\n".encode())
            if name == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            self._names.add(name)
            self.changed.notify_all()
        self._told(name)

    def passed(self, names: Iterable[str]) -> bool:
        """Say whether all of these lie behind us."""
        return self._names.issuperset(names)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Block until it holds; asked after each boundary, and now and then in between."""
        while not holds():
            with self.changed:
                self.changed.wait(0.02)

    def watch_locks(self) -> None:
        """Make the locks of role and holders boundaries, too: Python tells before each of these system calls."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "sqlite3.connect" and threading.current_thread() is threading.main_thread():
            self.reach("open-store")
        elif event == "fcntl.flock":
            self._hear_lock(*arguments)
        elif event == "os.remove" and str(arguments[0]).endswith(".lock"):
            self.reach("drop-holder")

    def _hear_lock(self, descriptor: object, how: object) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.name.endswith("-worker.lock"):
            self.reach("take-role")
        elif path.parent.name.endswith("-holders"):
            self.reach("enter-holder" if how == fcntl.LOCK_EX else "ask-holder")
