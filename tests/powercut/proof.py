"""The proof: what is tried, and what each trial must come to.

Three trials must find nothing wrong. Three controls must find something: else the proof could not fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import attrs

from .disk import replay
from .draw import Drawer
from .image import LOG, Image
from .judge import Verdict
from .laboratory import Laboratory
from .plan import Share, plan
from .recording import Recording, find_recorder
from .session import AFTERWARDS, RETRIED
from .tape import STORE, Kind, Tape
from .trial import Piece, Tally, pieces_of

_IMAGES_OF_A_SURVIVOR = 200
_IMAGES_OF_A_KILL = 150
_IMAGES_OF_A_LIE = 20
_REACHES = (50, 500, 3_000)


def power_cut(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """The power goes once, at any moment of a life."""
    path, tape = laboratory.life("FULL")
    yield from pieces_of(plan(tape, images), tape=path, seed=laboratory.seed)


def second_power_cut(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """It goes again, while the store is recovered or soon afterwards."""

    def lead(survivor: Image) -> Tape:
        directory = laboratory.place / f"left-{survivor.cut}"
        directory.mkdir()
        for name, content in survivor.files.items():
            (directory / name).write_bytes(content)
        return Recording(seed=laboratory.seed, share=laboratory.share).of(AFTERWARDS, left=directory)

    _, tape = laboratory.life("FULL")
    with ThreadPoolExecutor(2) as threads:
        survivors = _survivors(tape, -(-images // _IMAGES_OF_A_SURVIVOR), laboratory.seed)
        for path, after in map(laboratory.keep, threads.map(lead, survivors)):
            shares = plan(after, min(images, _IMAGES_OF_A_SURVIVOR), first=_acknowledgements(after)[0])
            yield from pieces_of(shares, tape=path, seed=laboratory.seed)


def _survivors(tape: Tape, wanted: int, seed: int) -> Iterator[Image]:
    cuts = [share.cut for share in plan(tape, wanted)]
    for cut, disk in zip(cuts, replay(tape, cuts), strict=True):
        for image in Drawer().draw(disk, cut, 1, Random(f"{seed} {cut}")):
            yield image._replace(files={name: bytes(image.files[name]) for name in (STORE, LOG) if name in image.files})


def killed_in_commit(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """A process is killed before its commit is synced, the client asks the next one again; then the power goes."""
    kills = -(-images // _IMAGES_OF_A_KILL)
    for seed in range(laboratory.seed, laboratory.seed + kills):
        path, tape = laboratory.keep(Recording(seed=seed, share=laboratory.share).of(RETRIED))
        *_, before_the_kill, opened, _ = _acknowledgements(tape)
        before = [one for one in plan(tape, images // kills, first=before_the_kill) if one.cut < opened]
        after = [Share(cut, images // kills) for cut in range(opened, len(tape.ops) + 1)]
        yield from pieces_of([*before, *after], tape=path, seed=seed)


def _acknowledgements(tape: Tape) -> list[int]:
    return [cut for cut, op in enumerate(tape.ops, 1) if op.kind is Kind.ACKNOWLEDGE]


def normal(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """The store does not wait for the disk."""
    path, tape = laboratory.life("NORMAL")
    yield from pieces_of(plan(tape, images), tape=path, seed=laboratory.seed)


def lying_disk(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """The disk says that it has synced, and has lost one write."""
    path, tape = laboratory.life("FULL")
    dice = Random(laboratory.seed)
    for _ in range(max(1, images // _IMAGES_OF_A_LIE)):
        lost, synced = _drawn_lie(tape, dice.choice((STORE, LOG)), dice)
        later = range(synced, min(synced + dice.choice(_REACHES), len(tape.ops)))
        cuts = sorted(dice.sample(later, min(_IMAGES_OF_A_LIE, len(later))))
        shares = tuple(Share(cut, 1) for cut in cuts)
        yield Piece(tape=path, shares=shares, seed=laboratory.seed, lost=lost)


def _drawn_lie(tape: Tape, name: str, dice: Random) -> tuple[int, int]:
    """Return the number of a write to that file, and the cut at which the sync has returned that covered it."""
    syncs = [cut for cut, op in enumerate(tape.ops, 1) if op.kind is Kind.SYNC and op.name == name]
    writes = [number for number, op in enumerate(tape.ops[: syncs[-1]]) if op.kind is Kind.WRITE and op.name == name]
    lost = dice.choice(writes)
    return lost, next(cut for cut in syncs if cut > lost)


def torn_neighbours(laboratory: Laboratory, images: int) -> Iterator[Piece]:
    """A sector caught half written is noise from end to end, what a sync covered along with it."""
    path, tape = laboratory.life("FULL")
    yield from pieces_of(plan(tape, images), tape=path, seed=laboratory.seed, neighbours=True)


def _is_sound(tally: Tally) -> bool:
    return tally.count() == tally.count(Verdict.SOUND) > 0


def _loses(tally: Tally) -> bool:
    return tally.count(Verdict.LOST) > 0


def _breaks(tally: Tally) -> bool:
    return tally.count(Verdict.LOST) > 0 and tally.count(Verdict.HALF, Verdict.CORRUPT) > 0


@attrs.frozen(kw_only=True)
class Trial:
    """One trial of the proof.

    Args:
        prepare: yields its pieces, given a laboratory and how many images are wanted.
        share: of the images that are asked for.
        least: images, for it to find what it must.
        holds: says whether it came out as it must.
        is_control: it must find something.
        needs_shim: strace cannot record it, for it cannot end a process in its commit.
    """

    prepare: Callable[[Laboratory, int], Iterator[Piece]]
    share: float
    least: int = 0
    holds: Callable[[Tally], bool] = _is_sound
    is_control: bool = False
    needs_shim: bool = False

    @property
    def can_run(self) -> bool:
        """Whether it can be tried with this Python's SQLite."""
        return not self.needs_shim or find_recorder() == "shim"


TRIALS: dict[str, Trial] = {
    "power cut": Trial(prepare=power_cut, share=1.0),
    "second power cut": Trial(prepare=second_power_cut, share=0.05),
    "killed in a commit": Trial(prepare=killed_in_commit, share=0.01, needs_shim=True),
    "synchronous=NORMAL": Trial(prepare=normal, share=0.05, least=100, holds=_loses, is_control=True),
    "a sync that lies": Trial(prepare=lying_disk, share=0.02, least=400, holds=_breaks, is_control=True),
    "no powersafe overwrite": Trial(prepare=torn_neighbours, share=0.02, least=300, holds=_loses, is_control=True),
}
