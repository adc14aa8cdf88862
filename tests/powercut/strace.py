"""Records a life from without: what strace saw its process ask of the kernel, as a tape.

It serves where a Python's SQLite hides its functions, and it is the check of the other recorder, which must have seen
the same. A call that it does not know how to read ends the recording.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .tape import Kind, Op

_CALLS = (
    *("openat", "pwrite64", "pwritev", "write", "writev", "ftruncate", "truncate", "fallocate", "fsync", "fdatasync"),
    *("link", "linkat", "unlink", "unlinkat", "rename", "renameat", "renameat2"),
)
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (\d+)")
_FAILED = re.compile(r"\) += -1 \w+")
_BYTE = re.compile(r"\\x([0-9a-f]{2})")


class Unreadable(Exception):
    """strace saw a call that means something to the files, and that this reader does not know."""


def find_strace() -> str | None:
    """Return where strace is; None where it is not, or may not trace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    tried = subprocess.run([strace, "-o", "/dev/null", "true"], check=False, capture_output=True)
    return strace if tried.returncode == 0 else None


def watch(command: Sequence[str], log: Path, cwd: Path) -> None:
    """Run a command to its end, and write what it asks of the kernel to a file."""
    calls = ",".join(f"?{call}" for call in _CALLS)
    strace = ["strace", "-f", "-y", "-xx", "-s", str(1 << 25), "-e", f"trace={calls}", "-o", str(log)]
    subprocess.run([*strace, *command], check=True, cwd=cwd)


def read_log(lines: Iterable[str], directory: Path, names: Iterable[str], announced: Path | None) -> Iterator[Op]:
    """Yield the operations on the files of a directory, and the acknowledgements in between.

    Args:
        lines: strace's, with `-f -y -xx`.
        directory: as the process named it.
        names: of the files that were there before.
        announced: the file into which the process acknowledges.

    Raises:
        Unreadable: a call is not known.
    """
    reader = _Reader(directory, set(names), announced)
    marks = [_hex(directory), *([] if announced is None else [_hex(announced)])]
    for line in lines:
        if any(mark in line for mark in marks) and not _FAILED.search(line):
            yield from reader.read(line)


def _hex(path: Path) -> str:
    return "".join(f"\\x{byte:02x}" for byte in bytes(path))


def _bytes(argument: str) -> bytes:
    return bytes.fromhex("".join(_BYTE.findall(argument)))


class _Reader:
    """Reads one line at a time; knows which files there are."""

    def __init__(self, directory: Path, names: set[str], announced: Path | None) -> None:
        self._directory, self._names, self._announced = directory, names, announced

    def read(self, line: str) -> Iterator[Op]:
        found = _LINE.match(line)
        if found is None:
            raise Unreadable(line[:200])
        call, given = found[1], found[2].split(", ")
        if call == "openat":
            yield from self._open(Path(_bytes(given[1]).decode()), given[2])
        elif call in ("link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"):
            yield from self._name(call, [Path(_bytes(one).decode()) for one in given if one.startswith('"')])
        else:
            yield from self._change(call, Path(_bytes(given[0]).decode()), given, int(found[3]))

    def _open(self, path: Path, flags: str) -> Iterator[Op]:
        if self._is_ours(path) and "O_CREAT" in flags and path.name not in self._names:
            self._names.add(path.name)
            yield Op(Kind.CREATE, path.name)
        if self._is_ours(path) and "O_TRUNC" in flags:
            raise Unreadable(f"a file that is emptied as it is opened: {path.name}")

    def _name(self, call: str, paths: list[Path]) -> Iterator[Op]:
        if not self._is_ours(paths[0]):
            return
        if not call.startswith("link"):
            self._names.discard(paths[0].name)
        if call.startswith("unlink"):
            yield Op(Kind.UNLINK, paths[0].name)
            return
        self._names.add(paths[1].name)
        yield Op(Kind.LINK if call.startswith("link") else Kind.RENAME, paths[0].name, to=paths[1].name)

    def _change(self, call: str, path: Path, given: list[str], result: int) -> Iterator[Op]:
        if call == "write" and path == self._announced:
            name, digest, rows = json.loads(_bytes(given[1]))
            yield Op(Kind.ACKNOWLEDGE, name, digest, rows=tuple(rows))
        elif path == self._directory and call in ("fsync", "fdatasync"):
            yield Op(Kind.SYNC_DIRECTORY)
        elif self._is_ours(path):
            yield self._change_of_file(call, path.name, given, result)

    def _change_of_file(self, call: str, name: str, given: list[str], result: int) -> Op:
        match call:
            case "pwrite64":
                return Op(Kind.WRITE, name, int(given[3]), _bytes(given[1])[:result])
            case "ftruncate":
                return Op(Kind.TRUNCATE, name, int(given[1]))
            case "fsync" | "fdatasync":
                return Op(Kind.SYNC, name)
        raise Unreadable(f"{call} of {name}")

    def _is_ours(self, path: Path) -> bool:
        return path.parent == self._directory and not path.name.endswith("-shm")
