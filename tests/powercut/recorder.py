"""Records a life from within its own process: SQLite through the shim, and what the store does to names through `os`.

A process may be told to die in its next commit, before the write-ahead log is synced.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from .shim import Shim
from .tape import Kind, Op, store_tape


class Recorder:
    """Collects operations on the files of one directory. Listens from the moment that it is made.

    Args:
        directory: the store's, which may have files.
        tape: the file that the operations are appended to, at the end.
        seed: of SQLite's own dice.

    Raises:
        Unsuitable: this Python's SQLite cannot be listened to.
    """

    def __init__(self, directory: Path, tape: Path, seed: int) -> None:
        self._directory = os.fspath(directory.resolve())
        self._tape = tape
        self._names = set(os.listdir(directory))
        self._ops: list[Op] = []
        self._dies = False
        self._shim = Shim(self, seed)
        listeners = {"link": self._link, "rename": self._rename, "replace": self._rename, "unlink": self._unlink}
        for name, listen in {**listeners, "fsync": self._fsync, "fdatasync": self._fsync}.items():
            setattr(os, name, _followed(getattr(os, name), listen))

    def acknowledge(self, name: str, digest: int, rows: tuple[str, ...]) -> None:
        """Note that a transaction returned, and what the store holds now."""
        self._ops.append(Op(Kind.ACKNOWLEDGE, name, digest, rows=rows))

    def die_in_next_commit(self) -> None:
        """Let the process end where the next commit's frames are written and not yet synced."""
        self._dies = True

    def end(self) -> None:
        """Write the tape, and end the process at once: nothing is closed, as after `kill -9`."""
        store_tape(self._tape, self._ops)
        os._exit(0)

    # what the shim tells

    def opened(self, path: str) -> None:
        name = self._name(path)
        if name is not None and name not in self._names:
            self._names.add(name)
            self._ops.append(Op(Kind.CREATE, name))

    def written(self, path: str, at: int, data: bytes) -> None:
        self._add(Kind.WRITE, path, at, data)

    def truncated(self, path: str, size: int) -> None:
        self._add(Kind.TRUNCATE, path, size)

    def syncing(self, path: str) -> None:
        if self._dies and path.endswith("-wal") and self._ops[-1].at > 0:  # not where the log's header is synced alone
            self.end()

    def synced(self, path: str) -> None:
        self._add(Kind.SYNC, path)

    def deleted(self, path: str) -> None:
        self._unlink(path)

    def directory_synced(self, path: str) -> None:
        if self._name(path) is not None:
            self._ops.append(Op(Kind.SYNC_DIRECTORY))

    # what `os` was asked

    def _link(self, source: str | Path, target: str | Path) -> None:
        self._name_too(Kind.LINK, source, target)

    def _rename(self, source: str | Path, target: str | Path) -> None:
        self._name_too(Kind.RENAME, source, target)
        self._names.discard(self._name(source) or "")

    def _name_too(self, kind: Kind, source: str | Path, target: str | Path) -> None:
        old, new = self._name(source), self._name(target)
        if old is not None and new is not None:
            self._names.add(new)
            self._ops.append(Op(kind, old, to=new))

    def _unlink(self, path: str | Path) -> None:
        name = self._name(path)
        if name in self._names:
            self._names.remove(name)
            self._add(Kind.UNLINK, path)

    def _fsync(self, descriptor: int) -> None:
        synced = os.fstat(descriptor)
        if os.path.samestat(synced, os.stat(self._directory)):
            self._ops.append(Op(Kind.SYNC_DIRECTORY))
        for name in self._names:
            path = os.path.join(self._directory, name)
            if os.path.exists(path) and os.path.samestat(synced, os.stat(path)):
                self._ops.append(Op(Kind.SYNC, name))
                return

    def _add(self, kind: Kind, path: str | Path, at: int = 0, data: bytes = b"") -> None:
        name = self._name(path)
        if name is not None:
            self._ops.append(Op(kind, name, at, data))

    def _name(self, path: str | Path) -> str | None:
        """Return the name of a file of ours; None for any other, and for SQLite's shared memory, which it rebuilds."""
        directory, name = os.path.split(os.fspath(path))
        return name if directory == self._directory and not name.endswith("-shm") else None


def _followed(function: Callable[..., object], listen: Callable[..., None]) -> Callable[..., object]:
    """Return the function with a listener that is told what it was given, once it has done its work."""

    @wraps(function)
    def followed(*given: object, **options: object) -> object:
        result = function(*given, **options)
        listen(*given)
        return result

    return followed
