"""Opens a store's SQLite file, or makes it; refuses what is no store of this version before a byte of it is changed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from tocsin.errors import StoreError
from tocsin.outbox.sqlite_schema import APPLICATION_ID, MIGRATIONS, SCHEMA, VERSION

_BUSY_MS = 10_000


def _connect(path: Path) -> sqlite3.Connection:
    try:
        if not path.exists():
            _make(path)
        return _open(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the store {path} cannot be opened: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _make(path: Path) -> None:
    """Make a whole store (mode 0600) under another name, then give it its own in one step: the first maker wins.

    Nobody but SQLite ever opens the file under its own name: to close any descriptor of it would drop the locks of
    every connection that this process has to it.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(descriptor)
    try:
        with closing(_open(Path(name))) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            _create(connection)
        with suppress(FileExistsError):
            os.link(name, path)
        _sync(path.parent)
    finally:
        os.unlink(name)


def _sync(directory: Path) -> None:
    """Make a new name in a directory outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the file up, or refuse one that is not ours, or of another version, before a byte of it is changed."""
    ours = _pragma(connection, "application_id") == APPLICATION_ID
    version = _pragma(connection, "user_version")
    if not ours and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise StoreError(f"{path} is a database, but not a store of tocsin")
    if ours and version != VERSION and version not in MIGRATIONS:
        raise StoreError(f"the store {path} is of version {version}; this tocsin knows version {VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if not ours:
        _create(connection)
    elif version != VERSION:
        _migrate(connection)
    _make_durable(connection)


def _make_durable(connection: sqlite3.Connection) -> None:
    """Write what stands in the log into the store, and sync both.

    A process that died in its commit may have left frames in the log that no sync covers. They are read like any other,
    and would be gone after a power cut; after a sync that failed the system may even have forgotten to write them.
    """
    with suppress(sqlite3.OperationalError):  # a full disk: whoever promises something writes, and learns of it then
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables in one transaction, so that a killed start leaves an empty file and not half a store."""
    connection.execute("BEGIN IMMEDIATE")
    if _pragma(connection, "application_id") != APPLICATION_ID:  # another process may have been first
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring an older store up to this version, in one transaction: it is the old one, or the new one whole."""
    connection.execute("BEGIN IMMEDIATE")
    while (version := _pragma(connection, "user_version")) in MIGRATIONS:  # another process may have been first
        for statement in MIGRATIONS[version].split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def open_file(path: Path) -> sqlite3.Connection:
    """Open a store's file, or make it (mode 0600: it holds texts and numbers).

    Raises:
        StoreError: it cannot be opened, is corrupt, is something else, or is of another version.
    """
    connection = _connect(path)
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"the store {path} cannot be used: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection
