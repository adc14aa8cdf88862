"""Draws crash images by seeded dice, from all that the model allows at a moment; no image twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from .damage import PATTERNS, Fill, render
from .disk import Disk, Inode
from .image import Damage, Image, moment_of
from .tape import STORE, Kind

_TRIES = 40
_FILLS = {Fill.OLD: 5, Fill.ZEROS: 2, Fill.NOISE: 3}
_STALE_INDEX = 0.1
"""The share of images in which shared memory lies beside the store: noise, for nothing can be said of it."""

Content = bytes | bytearray


class Drawer:
    """Draws images of one tape, at one cut after the other.

    Args:
        neighbours: noise spreads over whole sectors, against SQLite's terms.
    """

    def __init__(self, *, neighbours: bool = False) -> None:
        self._neighbours = neighbours
        self._seen: set[object] = set()

    def draw(self, disk: Disk, cut: int, count: int, dice: Random) -> Iterator[Image]:
        """Yield up to so many images that were not drawn before; fewer where there are no more.

        Two images are the same where the files are, and as much was promised.

        Args:
            disk: fed as far as the cut.
            cut: how many operations it was fed.
            count: how many are wanted.
            dice: seeded.
        """
        moment = moment_of(disk)
        for _ in range(count):
            for _ in range(_TRIES):
                key, files, damage = self._once(disk, dice)
                if key not in self._seen:
                    self._seen.add(key)
                    yield Image(cut, disk.acknowledged, moment, files, damage)
                    break
            else:
                return

    def _once(self, disk: Disk, dice: Random) -> tuple[object, dict[str, Content], tuple[Damage, ...]]:
        named = {name: inode for name, inode in _drawn_names(disk, dice) if inode is not None}
        contents: dict[Inode, Content] = {}
        damage = []
        for name, inode in named.items():
            if inode not in contents:
                contents[inode] = inode.durable
                if inode.pending:
                    contents[inode], done = self._rendered(name, inode, dice)
                    damage.append(done)
        files = {name: contents[inode] for name, inode in named.items()}
        key = frozenset((name, _identity(inode, contents[inode])) for name, inode in named.items())
        if dice.random() < _STALE_INDEX:
            files[f"{STORE}-shm"] = dice.randbytes(32_768)
        return (disk.acknowledged, key), files, tuple(damage)

    def _rendered(self, name: str, inode: Inode, dice: Random) -> tuple[Content, Damage]:
        pattern = dice.choice(PATTERNS)
        (fill,) = dice.choices(list(_FILLS), list(_FILLS.values()))
        parts = tuple(pattern(inode.pending, dice))
        if all(part.kept for part in parts):
            fill = Fill.OLD
        content = render(inode, parts, fill, dice, neighbours=self._neighbours)
        return content, Damage(name, len(inode.pending), pattern.__name__, fill.value)


def _identity(inode: Inode, content: Content) -> object:
    """Return what tells a content from every other of this file: the sync it goes back to, and what differs since."""
    if any(op.kind is Kind.TRUNCATE for op in inode.pending):
        return inode, inode.epoch, hash(bytes(content))
    changes = set()
    for op in inode.pending:
        here = slice(op.at, op.at + len(op.data))
        if content[here] != inode.durable[here]:
            changes.add((op.at, hash(bytes(content[here]))))
    return inode, inode.epoch, len(content), frozenset(changes)


def _drawn_names(disk: Disk, dice: Random) -> Iterable[tuple[str, Inode | None]]:
    """Say what each name stands for: all as the directory was last synced, all as it was, or any mixture."""
    way = dice.choice(("oldest", "newest", "any", "any"))
    for name, versions in disk.versions.items():
        yield name, dice.choice(versions) if way == "any" else versions[0 if way == "oldest" else -1]
