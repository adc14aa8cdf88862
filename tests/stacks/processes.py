"""What a process has started, as the kernel says; and how each of it is killed. Called by the programs and the service.

A process is known by its id and the moment it began, so that nobody is killed who was given an id that became free.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import attrs


@attrs.frozen
class Process:
    """One process of this machine."""

    pid: int
    began: int


def descendants(pid: int) -> frozenset[Process]:
    """Return all that a process has started and that still runs, and what that has started in turn."""
    parents = _parents()
    found: set[Process] = set()
    newest = {pid}
    while newest:
        children = {child for child, parent in parents.items() if parent in newest}
        found |= children
        newest = {child.pid for child in children}
    return frozenset(found)


def kill(processes: Iterable[Process]) -> None:
    """Kill processes without a warning. One that has ended meanwhile is nobody's loss."""
    living = _parents()
    for process in processes:
        if process in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def are_gone(processes: Iterable[Process]) -> bool:
    """Say whether none of them runs any more: one that only waits to be reaped does not."""
    return not _parents().keys() & set(processes)


def _parents() -> dict[Process, int]:
    """Return the parent of each process that runs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in {"Z", "X"}:
                    parents[Process(int(entry.name), int(fields[19]))] = int(fields[1])
    return parents
