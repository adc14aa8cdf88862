"""The spool's directory: puts a file in whole or not at all, hands files out oldest first, sets damaged ones aside.

It knows bytes and names, and not what stands in a file.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tocsin.errors import StoreFailed

SUFFIX = ".slip"
ASIDE = ".bad"
MOST_BYTES = 1 << 20
"""A longer file is none of ours."""


class Spool:
    """A directory of files that wait to be taken in.

    Whoever may write into the directory may hand in, and whoever may also read its files takes them up: files have the
    mode 0600, and 0640 in a directory that its group may write into.

    Args:
        directory: where it is.
        own: beside the store, and made (mode 0700) when it is needed; else somebody has made it for several users.
    """

    def __init__(self, directory: Path, *, own: bool) -> None:
        self._directory = directory
        self._own = own

    def put(self, content: bytes, at: datetime) -> None:
        """Put a file in: it is there, and outlives a power cut, when this returns.

        Args:
            content: of the file.
            at: files are taken up in the order of their times.

        Raises:
            StoreFailed: it cannot be put there.
        """
        name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{os.urandom(6).hex()}{SUFFIX}"
        try:
            self._make()
            hidden = self._write(content)
            try:
                os.rename(hidden, self._directory / name)
            except OSError:
                os.unlink(hidden)
                raise
            _sync(self._directory)
        except OSError as error:
            raise StoreFailed(f"the spool {self._directory} cannot be written: {error.strerror}") from error

    def waiting(self, most: int) -> tuple[str, ...]:
        """Return the names of up to so many files, oldest first; none where there is no such directory.

        Raises:
            StoreFailed: it cannot be read.
        """
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreFailed(f"the spool {self._directory} cannot be read: {error.strerror}") from error
        return tuple(sorted(name for name in names if name.endswith(SUFFIX) and not name.startswith("."))[:most])

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where it is gone. What is no file of ours by its kind or size reads as empty.

        Raises:
            StoreFailed: it cannot be read.
        """
        try:
            file = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            if stat.S_ISLNK(os.lstat(self._directory / name).st_mode):
                return b""
            raise StoreFailed(f"a file of the spool {self._directory} cannot be read: {error.strerror}") from error
        try:
            status = os.fstat(file)
            fits = stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES
            return os.read(file, MOST_BYTES) if fits else b""
        finally:
            os.close(file)

    def remove(self, name: str) -> None:
        """Remove a file that was taken in.

        Raises:
            StoreFailed: it cannot be removed.
        """
        try:
            (self._directory / name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(f"a file of the spool {self._directory} cannot be removed: {error.strerror}") from error

    def set_aside(self, name: str) -> None:
        """Keep a file that cannot be taken in out of the way, for people to look at."""
        with suppress(OSError):
            os.rename(self._directory / name, self._directory / f"{name}{ASIDE}")

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Say whether nobody else takes files up just now, and keep others from it meanwhile."""
        try:
            lock = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield False
            return
        try:
            yield _lock(lock)
        finally:
            os.close(lock)

    def _make(self) -> None:
        if self._own and not self._directory.exists():
            self._directory.mkdir(mode=0o700, exist_ok=True)
            _sync(self._directory.parent)

    def _write(self, content: bytes) -> str:
        """Write a file under a hidden name; return that name."""
        shared = os.stat(self._directory).st_mode & stat.S_IWGRP
        hidden = str(self._directory / f".{os.urandom(12).hex()}")
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as opened:
                os.fchmod(opened.fileno(), 0o640 if shared else 0o600)
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
        except OSError:
            os.unlink(hidden)
            raise
        return hidden


def spool_of(store: Path, shared: Path | None) -> Spool:
    """Return a store's spool: the directory that was made for several users, or its own beside it.

    Args:
        store: path of the store's file.
        shared: of the directory that somebody has made; None for none.
    """
    return Spool(shared or store.with_name(f"{store.name}.spool"), own=shared is None)


def _lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(directory: Path) -> None:
    """Make a new name in a directory outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
