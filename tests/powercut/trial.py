"""A trial: a tape, the images of it that are judged, and what was found. Pieces of it run in processes of their own."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

import attrs

from .disk import replay
from .draw import Drawer
from .image import Image, Moment
from .judge import Finding, Judge, Verdict
from .plan import Share
from .tape import Tape, load_tape

_GOES_ON = 0.04
"""The share of images that have to take another message as well, which takes longer than all else."""

_EXAMPLES = 3
_PIECE = 400


@attrs.frozen(kw_only=True)
class Piece:
    """Some images of one tape.

    Args:
        tape: the file that the tape is in.
        shares: the cuts, in order.
        seed: of the dice; each cut has its own.
        lost: the number of an operation that the disk lost although a sync covered it; None for none.
        neighbours: the disk breaks SQLite's terms.
    """

    tape: Path
    shares: tuple[Share, ...]
    seed: int
    lost: int | None = None
    neighbours: bool = False

    @property
    def images(self) -> int:
        """How many it asks for."""
        return sum(share.images for share in self.shares)


@attrs.define(kw_only=True)
class Tally:
    """What was found, by moment and verdict.

    Args:
        damage: how often each pattern and fill was drawn.
        rows_lost: the most acknowledged rows that one image has lost.
        examples: of each verdict but sound, a few in words.
    """

    found: Counter[tuple[Moment, Verdict]] = attrs.field(factory=Counter)
    damage: Counter[str] = attrs.field(factory=Counter)
    rows_lost: int = 0
    examples: dict[Verdict, list[str]] = attrs.field(factory=dict)

    def note(self, image: Image, finding: Finding) -> None:
        """Count one image."""
        self.found[image.moment, finding.verdict] += 1
        self.damage.update(f"{one.pattern}, {one.fill}" for one in image.damage)
        self.rows_lost = max(self.rows_lost, finding.rows_lost)
        if finding.verdict is not Verdict.SOUND:
            self._exemplify(
                finding.verdict,
                f"{finding.why} (after operation {image.cut}, {image.acknowledged} transactions acknowledged"
                + "".join(f"; {one.name}: {one.pattern} of {one.pending}, {one.fill}" for one in image.damage)
                + ")",
            )

    def add(self, other: Tally) -> None:
        """Take over what another has counted."""
        self.found += other.found
        self.damage += other.damage
        self.rows_lost = max(self.rows_lost, other.rows_lost)
        for verdict, examples in other.examples.items():
            for example in examples:
                self._exemplify(verdict, example)

    def count(self, *verdicts: Verdict, moment: Moment | None = None) -> int:
        """Return how many images are so; all, where no verdict is named."""
        return sum(
            number
            for (when, verdict), number in self.found.items()
            if (not verdicts or verdict in verdicts) and moment in (None, when)
        )

    def _exemplify(self, verdict: Verdict, example: str) -> None:
        examples = self.examples.setdefault(verdict, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)


def pieces_of(shares: Sequence[Share], **details: object) -> Iterator[Piece]:
    """Cut a plan into pieces that take about a second each."""
    piece: list[Share] = []
    for share in shares:
        piece.append(share)
        if sum(one.images for one in piece) >= _PIECE:
            yield Piece(shares=tuple(piece), **details)
            piece = []
    if piece:
        yield Piece(shares=tuple(piece), **details)


def examine(piece: Piece) -> Tally:
    """Draw the images of a piece, judge each, and return what was found."""
    tally = Tally()
    tape = _tape(piece.tape)
    judge = _judge(piece.tape)
    for image, dice in _images(tape if piece.lost is None else tape.without(piece.lost), piece):
        tally.note(image, judge.judge(image, goes_on=dice.random() < _GOES_ON))
    return tally


def _images(tape: Tape, piece: Piece) -> Iterator[tuple[Image, Random]]:
    """Yield the images of a piece; what one cut has too few of, the next makes up for."""
    owed, drawer = 0, Drawer(neighbours=piece.neighbours)
    for (cut, count), disk in zip(piece.shares, replay(tape, (share.cut for share in piece.shares)), strict=True):
        owed += count
        dice = Random(f"{piece.seed} {cut} {piece.lost}")
        for image in drawer.draw(disk, cut, owed, dice):
            owed -= 1
            yield image, dice


@cache
def _tape(path: Path) -> Tape:
    return load_tape(path)


@cache
def _judge(path: Path) -> Judge:
    directory = tempfile.mkdtemp(prefix="judge-", dir=path.parent)
    return Judge(_tape(path).acknowledged, Path(directory))
