"""The proof by simulation, from the command line: seeds, ablations, one seed again.

    python -m tests.simulation.run --seeds 20000 --least-events 5000000
    python -m tests.simulation.run --ablations
    python -m tests.simulation.run --replay 4711 [--without "any doubt of that number will do"]

Ends with 1 where an invariant is violated, a fault was never seen, or a safeguard is not missed.
"""

import argparse
import json
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from tests.simulation.safeguards import catch_all
from tests.simulation.seeds import CHUNK, Journal, live_seeds

from tocsin.simulate.ablations import ABLATIONS, PENDING
from tocsin.simulate.life import live
from tocsin.simulate.scenario import draw
from tocsin.simulate.shrink import shrink

LEAST_SEEN = 100
SEEDS_TO_SEE_ALL = 20_000
"""In so many seeds every kind of fault is seen that often; fewer seeds have to see each of them once."""

SHOWN = 40


def main(arguments=None):
    """Do what the arguments say; return the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.replay is not None:
        return _replay(asked)
    failed = False
    figures = {}
    if asked.seeds:
        failed |= _prove_seeds(asked, figures)
    if asked.ablations:
        failed |= _prove_safeguards(asked, figures)
    if asked.json:
        print(json.dumps(figures, indent=2))
    return int(failed)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="how many lives")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them")
    parser.add_argument("--least-events", type=int, default=0, metavar="N", help="go on until so many have happened")
    parser.add_argument("--journal", metavar="FILE", help="remember what is done, and go on there next time")
    parser.add_argument("--ablations", action="store_true", help="take out each safeguard in turn")
    parser.add_argument("--replay", type=int, metavar="SEED", help="tell the life of one seed")
    parser.add_argument("--without", metavar="NAME", help="of that safeguard, with --replay")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser


def _prove_seeds(asked, figures):
    """Live all seeds; say what came of them, and whether that is not enough."""
    began, journal = time.monotonic(), Journal(asked.journal)
    count = -(-asked.seeds // CHUNK) * CHUNK
    with _bar("seeds", count) as told:
        total = live_seeds(asked.first, count, journal, told)
        while total.events < asked.least_events:
            more = live_seeds(asked.first + total.seeds, CHUNK * 10, journal)
            total.add(more)
    least = LEAST_SEEN if total.seeds >= SEEDS_TO_SEE_ALL else 1
    rare = total.rare(least)
    figures["simulation"] = {**total.as_json(), "rare": rare, "seconds": round(time.monotonic() - began, 1)}
    if not asked.json:
        _show_seeds(total, rare, least, time.monotonic() - began)
    return bool(total.violated or rare)


def _show_seeds(total, rare, least, seconds):
    print(f"seeds {total.seeds}, events {total.events}, violations {len(total.violated)}, in {seconds:.0f} s")
    print(f"digest of all traces {total.digest:032x}")
    seldom, times = min(total.seen.items(), key=lambda item: item[1])
    print(f"kinds of fault seen {len(total.seen)}, the rarest {times} times: {seldom}")
    for kind, times in rare.items():
        print(f"TOO RARE: {kind}: {times} times, expected {least}")
    for seed, at, what in total.violated[:5]:
        print(f"VIOLATED: seed {seed} at {at}: {what}")
        _show_smallest(seed, None)


def _show_smallest(seed, ablation):
    scenario, outcome = shrink(draw(seed), ablation)
    print(f"  at its smallest: {scenario}")
    print(f"  {outcome.what}, at {outcome.at}; tell it: python -m tests.simulation.run --replay {seed}")


def _prove_safeguards(asked, figures):
    """Take out each safeguard; say which seed noticed, and whether one is not missed."""
    with _bar("ablations", len(ABLATIONS)) as told:
        caught = catch_all(told)
    rows = [
        {"safeguard": one.name, "rules": " ".join(ablation.rules), "seed": one.seed, "violated": one.what}
        for one, ablation in zip(caught, ABLATIONS, strict=True)
    ]
    figures["ablations"] = {"rows": rows, "pending": PENDING}
    if not asked.json:
        table = Table("without", "stands for", "caught by seed", "as")
        for row in rows:
            table.add_row(row["safeguard"], row["rules"], str(row["seed"]), row["violated"][:70])
        Console(width=150).print(table)
        print(f"{sum(row['seed'] is not None for row in rows)} of {len(rows)} caught; pending: {', '.join(PENDING)}")
    return any(row["seed"] is None for row in rows)


def _replay(asked):
    """Tell one life, event by event, and at its smallest where it goes wrong."""
    ablation = next((one for one in ABLATIONS if one.name == asked.without), None)
    if asked.without and ablation is None:
        print(f"no safeguard is called {asked.without!r}", file=sys.stderr)
        return 2
    told = []
    outcome = live(draw(asked.replay), ablation, told)
    print("\n".join(told if outcome.violated == "" else told[-SHOWN:]))
    print(f"{outcome.events} events, trace {outcome.trace}")
    if outcome.violated:
        print(f"VIOLATED: {outcome.what}")
        _show_smallest(asked.replay, ablation)
    return int(bool(outcome.violated))


class _bar:
    """A bar on standard error, where that is a terminal."""

    def __init__(self, what, total):
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self):
        self._progress.__enter__()
        return lambda count: self._progress.advance(self._task, count)

    def __exit__(self, *error):
        self._progress.__exit__(*error)


if __name__ == "__main__":
    sys.exit(main())
