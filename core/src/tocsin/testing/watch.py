"""Sees what a piece of code does to the world outside, by the interpreter's own audit events."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OUTSIDE = ("socket.", "subprocess.", "os.", "open", "shutil.", "tempfile.", "urllib.", "http.client.", "sqlite3.",
            "webbrowser.", "ctypes.", "syslog.", "ftplib.", "smtplib.")  # fmt: skip


class _Watched(threading.local):
    seen: list[str] | None = None


_WATCHED = _Watched()


class OutsideTouched(OSError):
    """What was tried while it was watched, and not let through."""


def _hear(event: str, _: tuple[object, ...]) -> None:
    seen = _WATCHED.seen
    if seen is not None and event.startswith(_OUTSIDE):
        seen.append(event)
        raise OutsideTouched(event)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Forbid this thread sockets, files and processes; yield the list of what it tries all the same."""
    _install()
    seen: list[str] = []
    _WATCHED.seen = seen
    try:
        yield seen
    finally:
        _WATCHED.seen = None


_LOCK = threading.Lock()
_INSTALLED: list[bool] = []


def _install() -> None:
    """Add the audit hook, once in a process: it cannot be taken out again."""
    with _LOCK:
        if not _INSTALLED:
            sys.addaudithook(_hear)
            _INSTALLED.append(True)
