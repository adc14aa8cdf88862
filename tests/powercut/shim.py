"""Listens to what SQLite does to its files, from within: a VFS over the default one, for every connection of a process.

The engine is the one that Python runs, and its default VFS does the work; the shim tells a listener of it afterwards.
It is never taken away again: a process that records ends when it has recorded.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
from typing import Any, NamedTuple, Protocol

from . import sqlite_abi as abi


class Listener(Protocol):
    """Told of each operation on a file, by its path, when it has been done."""

    def opened(self, path: str) -> None: ...
    def written(self, path: str, at: int, data: bytes) -> None: ...
    def truncated(self, path: str, size: int) -> None: ...
    def syncing(self, path: str) -> None:
        """This one before it is done."""
        ...

    def synced(self, path: str) -> None: ...
    def deleted(self, path: str) -> None: ...
    def directory_synced(self, path: str) -> None:
        """The directory that the file is in."""
        ...


class _Opened(NamedTuple):
    """An open file: its path, and the functions that do the work."""

    path: str
    close: Any
    write: Any
    truncate: Any
    sync: Any


class Shim:
    """The VFS. SQLite's own dice are seeded as well, so that a life can be lived again.

    Raises:
        Unsuitable: this Python's SQLite cannot be listened to.
    """

    def __init__(self, listener: Listener, seed: int) -> None:
        self._listener = listener
        self._dice = random.Random(seed)
        self._files: dict[int, _Opened] = {}
        self._tables: dict[int, abi.Methods] = {}
        self._kept: list[object] = []
        self._directory_opened = False
        sys.unraisablehook = _die
        library, default = abi.find_default()
        self._replace_system_call(default)
        self._vfs = self._over(default)
        library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)

    def _over(self, default: abi.Vfs) -> abi.Vfs:
        vfs = abi.Vfs.from_buffer_copy(default)
        vfs.zName = b"powercut"
        self._default_open, self._default_delete = abi.Open(default.xOpen), abi.Delete(default.xDelete)
        vfs.xOpen, vfs.xDelete = self._keep(abi.Open(self._open)), self._keep(abi.Delete(self._delete))
        vfs.xRandomness = self._keep(abi.Randomness(self._randomness))
        return vfs

    def _replace_system_call(self, default: abi.Vfs) -> None:
        """The default VFS opens a directory to sync it, in the course of a file's xSync or xDelete, and for no more."""
        find, replace = abi.GetSystemCall(default.xGetSystemCall), abi.SetSystemCall(default.xSetSystemCall)
        here = ctypes.addressof(default)
        self._default_open_directory = abi.OpenDirectory(find(here, b"openDirectory"))
        replace(here, b"openDirectory", self._keep(abi.OpenDirectory(self._open_directory)))

    def _keep(self, callback: object) -> int:
        self._kept.append(callback)
        return abi.address(callback)

    def _open_directory(self, path: bytes, descriptor: int) -> int:
        self._directory_opened = True
        return int(self._default_open_directory(path, descriptor))

    def _randomness(self, _: int, size: int, out: int) -> int:
        ctypes.memmove(out, self._dice.randbytes(size), size)
        return size

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        result = int(self._default_open(vfs, name, file, flags, out))
        methods = abi.File.from_address(file).pMethods
        if name is not None and methods:
            path = os.fsdecode(ctypes.string_at(name))
            self._files[file] = _opened(path, methods.contents)
            abi.File.from_address(file).pMethods = ctypes.pointer(self._table(methods.contents))
            self._listener.opened(path)
        return result

    def _table(self, default: abi.Methods) -> abi.Methods:
        """Return a copy of a table of methods, with ours in it."""
        key = ctypes.addressof(default)
        if key not in self._tables:
            table = abi.Methods.from_buffer_copy(default)
            table.xClose = self._keep(abi.Close(self._close))
            table.xWrite = self._keep(abi.Write(self._write))
            table.xTruncate = self._keep(abi.Truncate(self._truncate))
            table.xSync = self._keep(abi.Sync(self._sync))
            self._tables[key] = table
        return self._tables[key]

    def _close(self, file: int) -> int:
        return int(self._files.pop(file).close(file))

    def _write(self, file: int, data: int, size: int, at: int) -> int:
        opened = self._files[file]
        result = int(opened.write(file, data, size, at))
        if result == abi.OK:
            self._listener.written(opened.path, at, ctypes.string_at(data, size))
        return result

    def _truncate(self, file: int, size: int) -> int:
        opened = self._files[file]
        result = int(opened.truncate(file, size))
        if result == abi.OK:
            self._listener.truncated(opened.path, size)
        return result

    def _sync(self, file: int, flags: int) -> int:
        opened = self._files[file]
        self._directory_opened = False
        self._listener.syncing(opened.path)
        result = int(opened.sync(file, flags))
        if result == abi.OK:
            self._listener.synced(opened.path)
            self._tell_of_directory(opened.path)
        return result

    def _delete(self, vfs: int, name: bytes, sync_directory: int) -> int:
        self._directory_opened = False
        result = int(self._default_delete(vfs, name, sync_directory))
        if result == abi.OK:
            self._listener.deleted(os.fsdecode(name))
            self._tell_of_directory(os.fsdecode(name))
        return result

    def _tell_of_directory(self, path: str) -> None:
        if self._directory_opened:
            self._listener.directory_synced(path)


def _opened(path: str, methods: abi.Methods) -> _Opened:
    return _Opened(
        path, abi.Close(methods.xClose), abi.Write(methods.xWrite), abi.Truncate(methods.xTruncate),
        abi.Sync(methods.xSync),
    )  # fmt: skip


def _die(why: Any) -> None:
    """An error in a callback must not pass: C cannot raise it, and the record would have a hole."""
    sys.__excepthook__(why.exc_type, why.exc_value, why.exc_traceback)
    os._exit(70)
