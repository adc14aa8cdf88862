"""The worker role: one process to a SQLite store, by a locked file beside it. The kernel drops the lock with it."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from tocsin.errors import StoreError


class RoleTaken(StoreError):
    """Another process is this store's worker. Let it work, or stop it first."""


class WorkerRole:
    """The lock, while it is held. A context manager.

    Args:
        store: path of the store's file.

    Raises:
        RoleTaken: another process has it.
    """

    def __init__(self, store: Path) -> None:
        self._file = os.open(store.with_name(f"{store.name}-worker.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
