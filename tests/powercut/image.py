"""Crash images: the files that a power cut leaves, drawn by seeded dice from all that the model allows at a moment."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from random import Random
from typing import NamedTuple

from .damage import PATTERNS, Fill, Part, render
from .disk import Disk, Inode
from .tape import STORE, Kind

LOG = f"{STORE}-wal"
_TRIES = 40


class Moment(enum.StrEnum):
    """What was under way when the power went."""

    MAKING = "making"
    """The store has not got its name yet."""

    QUIET = "quiet"
    """Nothing: all is durable, and there is one image."""

    APPEND = "append"
    """Frames are written to the log."""

    CHECKPOINT = "checkpoint"
    """Pages are written to the store."""

    RESTART = "restart"
    """The log begins anew, or is cut off."""

    NAMES = "names"
    """A file has got its name, or lost it, and the directory is not synced."""


class Image(NamedTuple):
    """What is found when the power is back.

    Args:
        cut: how many operations of the tape had happened.
        acknowledged: how many transactions had returned.
        files: their content, by name.
        damage: what became of what was pending, for people.
    """

    cut: int
    acknowledged: int
    moment: Moment
    files: Mapping[str, bytes | bytearray]
    damage: str


def moment_of(disk: Disk) -> Moment:
    """Say what is under way."""
    if STORE not in disk.names:
        return Moment.MAKING
    if any(len(disk.versions.get(name, ())) > 1 for name in (STORE, LOG)):
        return Moment.NAMES
    if disk.names[STORE].pending:
        return Moment.CHECKPOINT
    if LOG not in disk.names or not disk.names[LOG].pending:
        return Moment.QUIET
    return Moment.RESTART if _restarts(disk.names[LOG]) else Moment.APPEND


def _restarts(log: Inode) -> bool:
    return any(op.kind is Kind.TRUNCATE or (op.at == 0 and log.durable) for op in log.pending)


def draw_images(disk: Disk, cut: int, count: int, dice: Random, *, neighbours: bool = False) -> Iterable[Image]:
    """Yield up to so many images of a moment, no two alike.

    Args:
        disk: fed as far as the cut.
        cut: how many operations it was fed.
        count: as many as are wanted; fewer come where there are no more.
        dice: seeded.
        neighbours: noise spreads over whole sectors, against SQLite's terms.
    """
    seen: set[object] = set()
    moment = moment_of(disk)
    for _ in range(count):
        for _ in range(_TRIES):
            draft = _Draft(disk, dice)
            if draft.key not in seen:
                seen.add(draft.key)
                yield Image(cut, disk.acknowledged, moment, draft.files(neighbours), draft.damage)
                break
        else:
            return


class _Draft:
    """An image as it was drawn: cheap to compare, and rendered only where it is new."""

    def __init__(self, disk: Disk, dice: Random) -> None:
        self._dice = dice
        self._named = {name: inode for name, inode in _drawn_names(disk, dice) if inode is not None}
        self._parts: dict[int, tuple[tuple[Part, ...], Fill]] = {}
        self.damage = ""
        for name, inode in self._named.items():
            if inode.pending and id(inode) not in self._parts:
                self._parts[id(inode)] = self._drawn_parts(name, inode)
        self._stale_index = dice.random() < 0.1
        noise = any(fill is Fill.NOISE and any(not part.kept for part in parts) for parts, fill in self._parts.values())
        self.key = (
            tuple((name, id(inode)) for name, inode in self._named.items()),
            tuple(self._parts.items()),
            dice.random() if noise else 0,
        )

    def _drawn_parts(self, name: str, inode: Inode) -> tuple[tuple[Part, ...], Fill]:
        pattern = self._dice.choice(PATTERNS)
        fill = self._dice.choices((Fill.OLD, Fill.ZEROS, Fill.NOISE), (5, 2, 3))[0]
        parts = tuple(pattern(inode.pending, self._dice))
        if all(part.kept for part in parts):
            fill = Fill.OLD
        self.damage += f" {name}: {pattern.__name__} of {len(inode.pending)}, {fill.value}"
        return parts, fill

    def files(self, neighbours: bool) -> dict[str, bytes | bytearray]:
        """Render the files. Beside the store may lie its shared memory, of which nothing can be said."""
        files: dict[str, bytes | bytearray] = {name: self._content(inode, neighbours) for name, inode in
                                               self._named.items()}  # fmt: skip
        if self._stale_index:
            files[f"{STORE}-shm"] = self._dice.randbytes(32_768)
        return files

    def _content(self, inode: Inode, neighbours: bool) -> bytes | bytearray:
        if id(inode) not in self._parts:
            return inode.durable
        parts, fill = self._parts[id(inode)]
        return render(inode, parts, fill, self._dice, neighbours=neighbours)


def _drawn_names(disk: Disk, dice: Random) -> Iterable[tuple[str, Inode | None]]:
    """Say what each name stands for: all as the directory was last synced, all as it was, or any mixture."""
    way = dice.choice(("oldest", "newest", "any", "any"))
    for name, versions in disk.versions.items():
        yield name, {"oldest": versions[0], "newest": versions[-1]}.get(way) if way != "any" else dice.choice(versions)
