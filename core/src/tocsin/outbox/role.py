"""The worker role: one process to a SQLite store, by a locked file beside it. The kernel drops the lock with it."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from tocsin.errors import StoreError


class RoleTaken(StoreError):
    """Another process is this store's worker. Let it work, or stop it first."""


_LOOKED_AT_S = 0.2
"""Whoever only looks whether the role is taken holds the lock for a moment: so long a lock is no proof of a worker."""


def is_taken(store: Path) -> bool:
    """Say whether a process is this store's worker.

    Args:
        store: path of the store's file.
    """
    try:
        file = os.open(_lock_of(store), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


class WorkerRole:
    """The lock, while it is held. A context manager.

    Args:
        store: path of the store's file.

    Raises:
        RoleTaken: another process has it.
    """

    def __init__(self, store: Path) -> None:
        self._file = os.open(_lock_of(store), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(self._file)
        except BlockingIOError:
            owner = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise RoleTaken(f"another worker runs on the store {store} (process {owner})") from None
        with suppress(OSError):  # it is there for people: a full disk shall not keep a worker from beginning
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def __enter__(self) -> WorkerRole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the role up. The file stays: to remove it would let two processes hold two locks of one name."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _lock_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-worker.lock")


def _lock(file: int) -> None:
    """Lock a file, whatever whoever looks at it does meanwhile."""
    until = time.monotonic() + _LOOKED_AT_S
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        time.sleep(0.01)
