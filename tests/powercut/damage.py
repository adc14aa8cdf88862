"""What a power cut may leave of the writes that no completed sync covered.

The model, sector by sector (512 bytes, the smallest that disks know):

- Each pending write and truncation may have reached the disk whole, not at all, or in part, whatever became of those
  before and after it: order means nothing without a sync. Of a write, any of its sectors may be there and any not, and
  it may end at any byte.
- Where a part of a write is lost, the disk has there what it had before, or zeros, or noise: a file may have grown, and
  a sector may have been caught half written.
- A byte outside the range that was written does not change, and what a completed sync covered stays. These two SQLite
  asks of a disk; the first it calls powersafe overwrite.
  Source: https://www.sqlite.org/psow.html, https://www.sqlite.org/wal.html, https://www.sqlite.org/atomiccommit.html

So noise stays within the range of a lost write, unless `neighbours` says otherwise: that disk breaks SQLite's terms,
and shows where they end.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from .disk import Inode, apply, overwrite
from .tape import Kind, Op

SECTOR = 512


class Part(NamedTuple):
    """Bytes `start` to `stop` of the pending operation with that number, and whether they reached the disk.

    A truncation is one part, from 0 to 0.
    """

    number: int
    start: int
    stop: int
    kept: bool


class Fill(enum.Enum):
    """What is found where a part is lost."""

    OLD = "old"
    ZEROS = "zeros"
    NOISE = "noise"


Pattern = Callable[[Sequence[Op], Random], Iterator[Part]]
"""Says of each pending operation which parts of it reached the disk."""


def _whole(number: int, op: Op, kept: bool) -> Part:
    return Part(number, 0, len(op.data), kept)


def everything(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """All of it: the kernel wrote it back in time."""
    return (_whole(number, op, True) for number, op in enumerate(pending))


def nothing(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """Nothing of it."""
    return (_whole(number, op, False) for number, op in enumerate(pending))


def in_order(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """The first few, the last of them up to some byte."""
    last = dice.randrange(len(pending))
    for number, op in enumerate(pending):
        if number == last and op.data:
            cut = dice.randrange(len(op.data) + 1)
            yield Part(number, 0, cut, True)
            yield Part(number, cut, len(op.data), False)
        else:
            yield _whole(number, op, number <= last)


def reordered(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """Any of them."""
    share = dice.choice((0.1, 0.5, 0.9))
    return (_whole(number, op, dice.random() < share) for number, op in enumerate(pending))


def all_but_one(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """All but one."""
    lost = dice.randrange(len(pending))
    return (_whole(number, op, number != lost) for number, op in enumerate(pending))


def one_alone(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """One alone."""
    kept = dice.randrange(len(pending))
    return (_whole(number, op, number == kept) for number, op in enumerate(pending))


def torn(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """Any sectors of any of them."""
    share = dice.choice((0.1, 0.5, 0.9, 0.99))
    for number, op in enumerate(pending):
        for start, stop in sectors(op):
            yield Part(number, start, stop, dice.random() < share)


def one_torn(pending: Sequence[Op], dice: Random) -> Iterator[Part]:
    """All but some sectors of one."""
    lost = dice.randrange(len(pending))
    for number, op in enumerate(pending):
        if number == lost:
            for start, stop in sectors(op):
                yield Part(number, start, stop, dice.random() < 0.5)
        else:
            yield _whole(number, op, True)


PATTERNS: tuple[Pattern, ...] = (everything, nothing, in_order, reordered, all_but_one, one_alone, torn, one_torn)


def sectors(op: Op) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a write that lie in one sector of the disk each; of a truncation, an empty one."""
    start = 0
    while start < len(op.data):
        stop = min(len(op.data), start + SECTOR - (op.at + start) % SECTOR)
        yield start, stop
        start = stop
    if not op.data:
        yield 0, 0


def render(inode: Inode, parts: Sequence[Part], fill: Fill, dice: Random, *, neighbours: bool = False) -> bytearray:
    """Return the content that a file has after the power cut.

    Args:
        inode: with what is pending.
        parts: of all that is pending, in order.
        fill: what is found where a part is lost.
        dice: for noise.
        neighbours: noise spreads to the ends of the sectors that a lost part lay in.
    """
    content = bytearray(inode.durable)
    for part in parts:
        op = inode.pending[part.number]
        if op.kind is Kind.TRUNCATE:
            if part.kept:
                apply(content, op)
        elif part.kept:
            overwrite(content, op.at + part.start, op.data[part.start : part.stop])
        elif fill is not Fill.OLD and part.start < part.stop:
            _lose(content, op.at + part.start, op.at + part.stop, fill, dice, neighbours)
    return content


def _lose(content: bytearray, start: int, stop: int, fill: Fill, dice: Random, neighbours: bool) -> None:
    if neighbours:
        start, stop = start // SECTOR * SECTOR, -(-stop // SECTOR) * SECTOR
    overwrite(content, start, bytes(stop - start) if fill is Fill.ZEROS else dice.randbytes(stop - start))
