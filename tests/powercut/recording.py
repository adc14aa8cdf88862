"""Leads lives in processes of their own, one for each session, and returns their tape."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from tocsin.outbox.sqlite_file import open_file

from .facts import digest_of, load_facts
from .sqlite_abi import Unsuitable, find_default
from .strace import find_strace, read_log, watch
from .tape import STORE, Kind, Op, Tape, load_tape, store_tape

ROOT = Path(__file__).parents[2]
_MEMORY = Path("/dev/shm")


class Unrecordable(Exception):
    """Nothing on this machine can record what SQLite writes."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory in memory, where there is such a thing, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="powercut-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name).resolve()


def find_recorder() -> str:
    """Return `shim`, or `strace` where this Python's SQLite cannot be listened to from within.

    Raises:
        Unrecordable: neither can.
    """
    try:
        find_default()
    except Unsuitable as error:
        if find_strace() is None:
            raise Unrecordable(f"{error}, and there is no strace that may trace") from error
        return "strace"
    return "shim"


@attrs.frozen(kw_only=True)
class Recording:
    """How lives are led.

    Args:
        seed: of all dice.
        synchronous: the level of every connection.
        share: of each session's steps.
        by: `shim` or `strace`.
    """

    seed: int = 0
    synchronous: str = "FULL"
    share: float = 1.0
    by: str = attrs.field(factory=find_recorder)

    def of(self, sessions: Sequence[str], left: Path | None = None) -> Tape:
        """Lead sessions one after the other, and return what they did.

        Args:
            sessions: their names.
            left: a directory with the files that a power cut left, to begin with; None for an empty one.
        """
        with scratch() as place:
            directory, tape = place / "store", place / "tape"
            directory.mkdir()
            if left is not None:
                store_tape(tape, _inherit(left, directory))
            for session in sessions:
                self._lead(session, directory, tape)
            return load_tape(tape)

    def command(self, session: str, directory: Path, tape: Path) -> list[str]:
        """Return the command of one session's process, to be run in the root of the tree."""
        options = {"seed": self.seed, "synchronous": self.synchronous, "share": self.share, "by": self.by}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [sys.executable, "-m", f"{__package__}.life", str(directory), str(tape), session, *words]

    def _lead(self, session: str, directory: Path, tape: Path) -> None:
        if self.by == "shim":
            subprocess.run(self.command(session, directory, tape), check=True, cwd=ROOT)
            return
        names = {file.name for file in directory.iterdir()}
        log, announced = tape.with_suffix(".strace"), tape.with_suffix(".announced")
        watch(self.command(session, directory, announced), log, ROOT)
        with log.open(encoding="ascii") as lines:
            store_tape(tape, read_log(lines, directory, names, announced))


def _inherit(left: Path, directory: Path) -> Iterator[Op]:
    """Copy files, and yield how they came to be: durable, and promised as they are found."""
    shutil.copytree(left, directory, dirs_exist_ok=True)
    for file in sorted(directory.iterdir()):
        yield Op(Kind.CREATE, file.name)
        yield Op(Kind.WRITE, file.name, 0, file.read_bytes())
        yield Op(Kind.SYNC, file.name)
    yield Op(Kind.SYNC_DIRECTORY)
    with scratch() as place:
        shutil.copytree(left, place, dirs_exist_ok=True)
        with closing(open_file(place / STORE)) as sql:
            yield Op(Kind.ACKNOWLEDGE, "what the power cut left", digest_of(load_facts(sql)))
