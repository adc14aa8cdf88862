"""A small disk of its own, and a ballast on it that leaves as much room as a trial wants."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = 4096


class Unmountable(Exception):
    """No disk can be mounted here: not root, or no such rights."""


class SmallDisk:
    """A mounted tmpfs. `place` is where it is."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    @property
    def free(self) -> int:
        """How many bytes are left."""
        left = os.statvfs(self.place)
        return left.f_bavail * left.f_frsize

    def fill(self, leaving: int) -> None:
        """Let the ballast grow until only so many bytes are left, whoever else writes meanwhile."""
        with self._ballast.open("ab") as ballast:
            while (more := self.free - leaving) > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), more)
                except OSError:  # somebody took a page of it
                    continue

    def empty(self) -> None:
        """Throw the ballast overboard."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(size: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many bytes, and unmount it, whatever happens.

    Raises:
        Unmountable: it cannot be.
    """
    place = Path(tempfile.mkdtemp(prefix="diskfull-"))
    try:
        options = f"size={size},mode=0700"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True)
        if mounted.returncode:
            raise Unmountable(mounted.stderr.decode(errors="replace").strip())
        try:
            yield SmallDisk(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)
    except FileNotFoundError as error:
        raise Unmountable(str(error)) from None
    finally:
        place.rmdir()


def why_not() -> str:
    """Say why no disk can be mounted here; empty where one can."""
    try:
        with small_disk(16 * PAGE):
            return ""
    except Unmountable as error:
        return str(error)
