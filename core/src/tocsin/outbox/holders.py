"""Who holds a claim, and whether its process still lives: one locked file per holder beside the store.

The kernel drops a file lock with its process, however it ends. So a free lock proves death, also across containers that
share the directory, where a process id would prove nothing.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tocsin.model.ids import HolderId


class Holders:
    """The directory of lock files of one store.

    Args:
        store: path of the store's file.
    """

    def __init__(self, store: Path) -> None:
        self._directory = store.with_name(f"{store.name}-holders")
        self._locks: dict[HolderId, int] = {}

    def enter(self, holder: HolderId) -> None:
        """Lock the holder's file. Call it before the holder claims anything."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self._path(holder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._locks[holder] = lock

    def leave(self, holder: HolderId) -> None:
        """Remove the holder's file and its lock."""
        lock = self._locks.pop(holder, None)
        if lock is not None:
            self._path(holder).unlink(missing_ok=True)
            os.close(lock)

    def close(self) -> None:
        """Leave with every holder of this process."""
        for holder in tuple(self._locks):
            self.leave(holder)

    def is_dead(self, holder: HolderId) -> bool:
        """Say whether the holder's process is known to be gone; a lock that cannot be asked says no."""
        if holder in self._locks:
            return False
        try:
            lock = os.open(self._path(holder), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            self._path(holder).unlink(missing_ok=True)
            return True
        finally:
            os.close(lock)

    def _path(self, holder: HolderId) -> Path:
        return self._directory / f"{holder}.lock"
