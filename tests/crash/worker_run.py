"""Kills a worker at each of its boundaries, and again while it recovers; prints what came of it.

python -m tests.crash.worker_run                    every boundary once, and 2,200 runs that are killed twice
python -m tests.crash.worker_run --once 50 --runs 50 --seed 7
                                                    a sample of either, drawn with that seed
python -m tests.crash.worker_run --replay SCENARIO [BOUNDARY [BOUNDARY]]
                                                    one run, with all that it reached
python -m tests.crash.worker_run --write            write worker_boundaries.toml anew

Exit status 1 where anything is lost, doubled, untrue or not as written down.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.util
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from random import Random
from typing import Any

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .worker_ablation import ABLATIONS
from .worker_cases import WRITTEN, by_thread, expected, once, render, twice
from .worker_ground import Case, Ground, Outcome
from .worker_scenario import SCENARIOS

RUNS = 2200
"""Runs that are killed twice, where nobody says how many."""

_GROUND: list[Ground] = []
"""This process's own, where it is one of the runner's."""


@attrs.frozen(kw_only=True)
class Report:
    """What came of all runs.

    Args:
        undisturbed: for each scenario, the run in which nobody was killed.
        killed: all other runs.
        troubles: what is wrong, a sentence each, with the command that shows it again.
    """

    undisturbed: Mapping[str, Outcome]
    killed: Sequence[Outcome]
    troubles: tuple[str, ...]
    seed: int
    elapsed_s: float

    @property
    def boundaries(self) -> dict[str, int]:
        """How many boundaries each scenario has."""
        return {name: len(outcome.lives[0]) for name, outcome in self.undisturbed.items()}


def run_all(once_most: int | None, twice_most: int, seed: int, slots: int) -> Report:
    """Run every scenario undisturbed, then killed once, then killed twice.

    Args:
        once_most: how many of the runs that are killed once; None for all.
        twice_most: how many of those that are killed twice.
        seed: of what is drawn.
        slots: runs at a time.
    """
    began = time.monotonic()
    with _pool(slots) as play:
        undisturbed = {
            one.case.scenario: one for one in play("undisturbed", [Case(scenario=name) for name in SCENARIOS])
        }
        undisturbed = {name: undisturbed[name] for name in SCENARIOS}
        first = once({name: outcome.lives[0] for name, outcome in undisturbed.items()})
        if once_most is not None:
            first = Random(seed).sample(first, min(once_most, len(first)))
        killed = sorted(play("killed once", first), key=lambda outcome: str(outcome.case))
        second = twice({one.case: one.lives[-1] for one in killed}, twice_most, seed)
        killed += play("killed twice", second)
    troubles = [*_not_as_written(undisturbed), *_not_as_told(undisturbed)]
    troubles += [_with_command(one, what) for one in (*undisturbed.values(), *killed) for what in one.violations]
    elapsed_s = time.monotonic() - began
    return Report(undisturbed=undisturbed, killed=killed, troubles=tuple(troubles), seed=seed, elapsed_s=elapsed_s)


def _not_as_written(undisturbed: Mapping[str, Outcome]) -> Iterator[str]:
    """Compare the boundaries with those that are written down."""
    written = expected()
    seen = {name: by_thread(outcome.lives[0]) for name, outcome in undisturbed.items()}
    for name in sorted(written.keys() | seen.keys()):
        for thread in sorted(written.get(name, {}).keys() | seen.get(name, {}).keys()):
            was, now = (set(one.get(name, {}).get(thread, ())) for one in (written, seen))
            if list(written.get(name, {}).get(thread, ())) != list(seen.get(name, {}).get(thread, ())):
                yield f"{name}, {thread}: not the boundaries written down; new {now - was}, gone {was - now}"


def _not_as_told(undisturbed: Mapping[str, Outcome]) -> Iterator[str]:
    """Compare the ends with those that the scenarios tell."""
    for name, outcome in undisturbed.items():
        told = SCENARIOS[name]
        if (outcome.states, outcome.copies) != (dict(told.ends), told.copies):
            yield f"{name} ended with {outcome.states} and {outcome.copies} copies"


def _with_command(outcome: Outcome, what: str) -> str:
    words = " ".join(shlex.quote(word) for word in (outcome.case.scenario, *outcome.case.kills))
    return f"{what}\n    python -m tests.crash.worker_run --replay {words}"


@contextmanager
def _pool(slots: int) -> Iterator[Any]:
    """Give what plays cases, some at a time, each process on a ground of its own."""
    context = multiprocessing.get_context("fork")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        ProcessPoolExecutor(slots, mp_context=context, initializer=_open_ground) as executor,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
    ):

        def play(what: str, cases: Sequence[Case]) -> list[Outcome]:
            task = bar.add_task(what, total=len(cases))
            outcomes = []
            for done in as_completed([executor.submit(_play, case) for case in cases]):
                outcomes.append(done.result())
                bar.advance(task)
                if not console.is_terminal and len(outcomes) % 200 == 0:
                    console.print(f"{what}: {len(outcomes)} of {len(cases)}")
            return outcomes

        yield play


def _open_ground() -> None:
    ground = Ground()
    _GROUND.append(ground)
    multiprocessing.util.Finalize(ground, ground.close, exitpriority=10)


def _play(case: Case) -> Outcome:
    return _GROUND[0].run(case)


def table(report: Report) -> str:
    """Return a line for each scenario, and one for all."""
    head = (
        f"{'scenario':18}{'boundaries':>11}{'killed once':>12}{'twice':>7}{'runs':>7}{'violations':>12}{'seconds':>9}"
    )
    lines = [head]
    for name, outcome in report.undisturbed.items():
        runs = [one for one in report.killed if one.case.scenario == name]
        lines.append(_line(name, report.boundaries[name], [outcome, *runs]))
    lines.append(_line("all", sum(report.boundaries.values()), [*report.undisturbed.values(), *report.killed]))
    return "\n".join(lines)


def _line(name: str, boundaries: int, runs: Sequence[Outcome]) -> str:
    kills = Counter(one.killed for one in runs)
    bad = sum(bool(one.violations) for one in runs)
    seconds = sum(one.elapsed_s for one in runs)
    return f"{name:18}{boundaries:11}{kills[1]:12}{kills[2]:7}{len(runs):7}{bad:12}{seconds:9.1f}"


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as one JSON document."""
    kills = Counter(one.killed for one in report.killed)
    return {
        "seed": report.seed,
        "boundaries": report.boundaries,
        "total_boundaries": sum(report.boundaries.values()),
        "runs": len(report.undisturbed) + len(report.killed),
        "killed_once": kills[1],
        "killed_twice": kills[2],
        "not_reached": sum(len(one.case.kills) - one.killed for one in report.killed),
        "troubles": list(report.troubles),
        "elapsed_s": round(report.elapsed_s, 1),
    }


def replay(words: Sequence[str], ablation: str) -> int:
    """Run one case, and print all that it reached."""
    scenario, *kills = words
    with Ground() as ground:
        outcome = ground.run(Case(scenario=scenario, kills=tuple(kills), ablation=ablation))
    for number, life in enumerate(outcome.lives, start=1):
        print(f"life {number}", *life, sep="\n  ")
    print(f"ended with {outcome.states} and {outcome.copies} copies on phones, {outcome.killed} killed")
    print(*outcome.violations, sep="\n")
    return 1 if outcome.violations else 0


def write() -> int:
    """Write the boundaries down."""
    with Ground() as ground:
        seen = {name: by_thread(ground.run(Case(scenario=name)).lives[0]) for name in SCENARIOS}
    WRITTEN.write_text(render(seen), encoding="utf-8")
    return 0


def main(arguments: Iterable[str]) -> int:
    """Read the arguments, run, print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", type=int, metavar="N", help="runs that are killed once; all without it")
    parser.add_argument("--runs", type=int, metavar="N", default=RUNS, help="runs that are killed twice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slots", type=int, default=(os.cpu_count() or 1) + 1, help="runs at a time")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--replay", nargs="+", metavar="WORD", help="a scenario and its kills")
    parser.add_argument("--ablate", choices=sorted(ABLATIONS), default="", help="take a safeguard out of a replay")
    parser.add_argument("--write", action="store_true", help="write the boundaries down anew")
    asked = parser.parse_args(list(arguments))
    if asked.replay:
        return replay(asked.replay, asked.ablate)
    if asked.write:
        return write()
    report = run_all(asked.once, asked.runs, asked.seed, asked.slots)
    print(json.dumps(as_json(report), ensure_ascii=False, indent=1) if asked.json else table(report))
    if not asked.json:
        print(
            *report.troubles,
            f"{len(report.troubles)} troubles in {report.elapsed_s:.0f} s, seed {report.seed}",
            sep="\n",
        )
    return 1 if report.troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
