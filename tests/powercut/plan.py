"""Which moments of a tape get how many images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .disk import replay
from .image import Moment, moment_of
from .tape import Tape

WEIGHTS = {
    Moment.MAKING: 1,
    Moment.QUIET: 1,
    Moment.APPEND: 1,
    Moment.CHECKPOINT: 3,
    Moment.RESTART: 10,
    Moment.NAMES: 10,
}


class Share(NamedTuple):
    """A cut of a tape, which is the number of operations before it, and how many images it gets."""

    cut: int
    images: int


def plan(tape: Tape, images: int, *, first: int = 0) -> list[Share]:
    """Share images out over all cuts, the dangerous ones first among them; a cut at which nothing is pending gets one.

    Args:
        tape: after each of its operations the power may go.
        images: how many in all.
        first: the earliest cut.
    """
    moments = [(cut, moment) for cut, moment in _moments(tape) if cut >= first]
    quiet = sum(moment is Moment.QUIET for _, moment in moments)
    weight = sum(WEIGHTS[moment] for _, moment in moments)
    unit = images / weight
    if unit > 1 and weight > quiet:
        unit = (images - quiet) / (weight - quiet)
    return list(_shares(moments, unit))


def _moments(tape: Tape) -> Iterator[tuple[int, Moment]]:
    return ((cut, moment_of(disk)) for cut, disk in enumerate(replay(tape, range(1, len(tape.ops) + 1)), 1))


def _shares(moments: Sequence[tuple[int, Moment]], unit: float) -> Iterator[Share]:
    """Hand out fractions of images, and let them add up."""
    due, given = 0.5, 0
    for cut, moment in moments:
        due += min(unit, 1) if moment is Moment.QUIET else unit * WEIGHTS[moment]
        if int(due) > given:
            yield Share(cut, int(due) - given)
        given = int(due)
