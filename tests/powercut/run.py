"""Runs the whole proof, prints what it found, and fails where anything is not as it must be.

python -m tests.powercut.run [--images N] [--seed S] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .laboratory import Laboratory
from .proof import TRIALS
from .recording import Unrecordable, find_recorder, scratch
from .table import as_json, count_life, render, render_counts
from .tape import Tape
from .trial import Tally, examine

_PROCESSES = 2
_MORE = 1.01
"""More are asked for than are wanted: some moments have few images, and none is drawn twice."""


def prove(images: int, seed: int, told: Callable[[int, int], None]) -> tuple[Mapping[str, Tally], Tape]:
    """Run every trial that can be run here; return what each found, and the tape that most are about.

    Args:
        images: how many the first trial is to have at least; the others have a share of it on top.
        seed: of all dice: the same seed gives the same images.
        told: of the images that are done, and of all.
    """
    trials = {name: trial for name, trial in TRIALS.items() if trial.can_run}
    tallies = {name: Tally() for name in trials}
    with scratch() as place, _pool() as pool:
        laboratory = Laboratory(place, seed)
        running: dict[Future[Tally], str] = {}
        done, total = 0, 0
        for name, trial in trials.items():
            for piece in trial.prepare(laboratory, max(trial.least, round(images * trial.share * _MORE))):
                running[pool.submit(examine, piece)] = name
                total += piece.images
        for future in as_completed(running):
            tallies[running[future]].add(future.result())
            done += future.result().count()
            told(done, total)
        return tallies, laboratory.life("FULL")[1]


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("spawn"))


def main(arguments: list[str]) -> int:
    """Run the proof; return the exit status."""
    parser = argparse.ArgumentParser(prog="tests.powercut.run", description="the power-cut proof of the SQLite store")
    parser.add_argument("--images", type=int, default=100_000, help="of the first trial, at least (100,000)")
    parser.add_argument("--seed", type=int, default=0, help="of all dice (0)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args(arguments)
    try:
        about = {"seed": given.seed, "sqlite": sqlite3.sqlite_version, "recorded by": find_recorder()}
    except Unrecordable as error:
        print(f"the power-cut proof cannot be run here: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with _bar() as bar:
        task = bar.add_task("power cuts", total=None)
        tallies, tape = prove(given.images, given.seed, lambda done, of: bar.update(task, completed=done, total=of))
    about |= {"seconds": round(time.monotonic() - began), "processor seconds": round(sum(os.times()[:4]))}
    if given.json:
        print(json.dumps({**about, "life": count_life(tape), "trials": as_json(tallies)}, indent=2))
    else:
        print(render(tallies), "", *(render_counts(counts) for counts in (count_life(tape), about)), sep="\n")
    enough = tallies["power cut"].count() >= given.images
    return 0 if enough and all(TRIALS[name].holds(tally) for name, tally in tallies.items()) else 1


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
