"""The few C structures through which SQLite asks for files, as ctypes sees them, and the library that Python runs.

Source: sqlite3.h, `sqlite3_vfs`, `sqlite3_io_methods`, `sqlite3_file`. Newer versions only append to them.
"""

from __future__ import annotations

import ctypes
import sqlite3
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_void_p

OK = 0

Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
Randomness = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
SetSystemCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
GetSystemCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
OpenDirectory = CFUNCTYPE(c_int, c_char_p, c_void_p)

Close = CFUNCTYPE(c_int, c_void_p)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
        ("xDelete", c_void_p),
        *((name, c_void_p) for name in ("xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose")),
        ("xRandomness", c_void_p),
        *((name, c_void_p) for name in ("xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64")),
        ("xSetSystemCall", c_void_p),
        ("xGetSystemCall", c_void_p),
        ("xNextSystemCall", c_void_p),
    ]


class Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = [
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", c_void_p),
        ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        ("others", c_void_p * 13),
    ]


class File(ctypes.Structure):
    """`sqlite3_file`: what every kind of open file begins with."""

    _fields_ = [("pMethods", ctypes.POINTER(Methods))]


class Unsuitable(Exception):
    """This Python's SQLite cannot be listened to in this way. Record with strace."""


def find_library() -> ctypes.CDLL:
    """Return the very library that the module `sqlite3` calls.

    Raises:
        Unsuitable: its functions are hidden, as in some builds that link it statically.
    """
    import _sqlite3

    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    try:
        library.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
        library.sqlite3_sourceid.restype = c_char_p
        found = library.sqlite3_sourceid().decode()
    except AttributeError as error:
        raise Unsuitable(f"the SQLite of this Python hides its functions ({error})") from error
    memory = sqlite3.connect(":memory:")
    (ours,) = memory.execute("SELECT sqlite_source_id()").fetchone()
    memory.close()
    if found != ours:
        raise Unsuitable("the SQLite that was found is not the one that Python runs")
    return library


def find_default() -> tuple[ctypes.CDLL, Vfs]:
    """Return the library, and its default VFS.

    Raises:
        Unsuitable: the one is hidden, or the other is not what a shim knows how to lie over.
    """
    library = find_library()
    default = library.sqlite3_vfs_find(None).contents
    if default.iVersion < 3 or default.zName != b"unix":
        raise Unsuitable("the default VFS of this Python's SQLite is not the one called unix")
    return library, default


def address(function: object) -> int:
    """Return where C finds a callback."""
    return ctypes.cast(function, c_void_p).value or 0
