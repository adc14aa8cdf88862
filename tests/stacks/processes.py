"""What a process has started, as the kernel says; and how each of it is killed, by its id. Called by the service."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path


def descendants(pid: int) -> frozenset[int]:
    """Return all that a process has started and that still runs, and what that has started in turn."""
    parents = _parents()
    found: set[int] = set()
    newest = {pid}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest}
        found |= newest
    return frozenset(found)


def kill(pids: Iterable[int]) -> None:
    """Kill processes without a warning. One that has ended meanwhile is nobody's loss."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Say whether a process still runs: one that only waits to be reaped does not."""
    return pid in _parents()


def _parents() -> dict[int, int]:
    """Return the parent of each process that runs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state not in {"Z", "X"}:
                    parents[int(entry.name)] = int(parent)
    return parents
