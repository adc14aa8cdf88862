"""Where lives are led for the proof, and their tapes kept for other processes to read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import attrs

from .recording import Recording
from .session import LIFE
from .tape import Tape, store_tape


@attrs.frozen(eq=False)
class Laboratory:
    """Where lives are led and their tapes are kept.

    Args:
        place: a directory, empty at first.
        seed: of all dice.
        share: of the full length of a life.
    """

    place: Path
    seed: int = 0
    share: float = 1.0
    _numbers: Iterator[int] = attrs.field(factory=count, init=False)

    @cache  # noqa: B019 (a laboratory lives as long as the proof)
    def life(self, synchronous: str) -> tuple[Path, Tape]:
        """Lead a whole life at a level of synchronous; return its tape, and the file that it is in."""
        return self.keep(Recording(seed=self.seed, synchronous=synchronous, share=self.share).of(LIFE))

    def keep(self, tape: Tape) -> tuple[Path, Tape]:
        """Write a tape down, for other processes to read."""
        path = self.place / f"{next(self._numbers)}.tape"
        store_tape(path, tape.ops)
        return path, tape
