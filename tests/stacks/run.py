"""Alertmanager, Prometheus, Icinga 2 and Nagios 4, the real programs, before a real tocsin and two vendors' sandboxes.

python -m tests.stacks.run [--only NAME]... [--at-once 2] [--json]

Each stack lets alerts fire, repeat and resolve: in calm; while the first vendor is dark; with a gateway or a store that
is slower than its patience; while gateway and worker are killed ten times. By the vendors' ledgers each person gets one
message for each transition. NAME is a stack, a scenario, or both: `icinga`, `slow`, `icinga/slow`. Exit status 1 where
a message is lost, or has a copy that its class does not allow or `tocsin explain` does not name, and the directory of
such a case is kept; 2 where a program is not installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .judge import Verdict
from .people import PEOPLE
from .programs import Account, Missing, find_account
from .rigs import STACKS
from .scenarios import SCENARIOS
from .stage import Stage

AT_ONCE = 2


@attrs.frozen(kw_only=True)
class Case:
    """One stack in one scenario."""

    stack: str
    scenario: str

    @property
    def name(self) -> str:
        """As `--only` has it."""
        return f"{self.stack}/{self.scenario}"


@attrs.frozen(kw_only=True)
class Played:
    """What came of a case. `verdict` is None where it could not be played to its end."""

    case: Case
    verdict: Verdict | None
    trouble: str
    elapsed_s: float

    @property
    def violations(self) -> tuple[str, ...]:
        """All that is wrong."""
        return self.verdict.violations if self.verdict else (self.trouble,)


def play(case: Case, account: Account, keep: bool, tell: Callable[[str], None]) -> Played:
    """Play one case. What it leaves behind is kept where that is wanted, or needed to see what went wrong."""
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="tocsin-stacks-"))
    account.give(home)
    verdict, trouble = None, ""
    try:
        verdict = _play(case, account, home, tell)
    except Missing:
        shutil.rmtree(home)
        raise
    except Exception as error:  # noqa: BLE001 (one case that breaks does not keep the others from being played)
        trouble = f"not played to its end: {type(error).__name__}: {error}"
    played = Played(case=case, verdict=verdict, trouble=trouble, elapsed_s=time.monotonic() - began)
    if keep or played.violations:
        print(f"kept of {case.name}: {home}", file=sys.stderr)
    else:
        shutil.rmtree(home)
    return played


def _play(case: Case, account: Account, home: Path, tell: Callable[[str], None]) -> Verdict:
    scenario = SCENARIOS[case.scenario]
    with Stage(STACKS[case.stack], account, home, scenario.units, scenario.settings, tell) as stage:
        scenario.play(stage)
        verdict = stage.judge()
    if verdict.copies and not scenario.copies:
        found = f"{verdict.copies} second copies where nothing was killed"
        return attrs.evolve(verdict, violations=(*verdict.violations, found))
    return verdict


def choose(only: Sequence[str]) -> list[Case]:
    """Return the cases that are asked for: all of them, or those that a name fits."""
    cases = [Case(stack=stack, scenario=scenario) for scenario in SCENARIOS for stack in STACKS]
    return [one for one in cases if not only or {one.stack, one.scenario, one.name} & set(only)]


def play_all(cases: Sequence[Case], at_once: int, keep: bool) -> list[Played]:
    """Play the cases, some beside each other, with a bar on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    account = find_account()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        total = bar.add_task("all", total=len(cases))

        def play_one(case: Case) -> Played:
            task = bar.add_task(case.name, total=None)
            played = play(case, account, keep, lambda what: bar.update(task, description=f"{case.name}: {what}"))
            bar.remove_task(task)
            bar.advance(total)
            return played

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(play_one, cases))


def as_json(played: Sequence[Played]) -> dict[str, Any]:
    """Return what came of it as one JSON document."""
    return {
        "people": len(PEOPLE),
        "cases": [
            {
                "stack": one.case.stack,
                "scenario": one.case.scenario,
                "transitions": 2 * SCENARIOS[one.case.scenario].units,
                **{key: getattr(one.verdict, key, None) for key in _FIGURES},
                "seconds": round(one.elapsed_s, 1),
                "violations": list(one.violations),
            }
            for one in played
        ],
        "violations": sum(len(one.violations) for one in played),
    }


_FIGURES = ("owed", "got", "lost", "copies", "duplicates")
_COLUMNS = ("transitions", *_FIGURES, "seconds")


def table(played: Sequence[Played]) -> str:
    """Return what came of it for people."""
    shown = as_json(played)
    lines = [f"{'stack':14}{'scenario':10}{'people':>8}" + "".join(f"{name:>13}" for name in _COLUMNS)]
    for one in shown["cases"]:
        figures = "".join(f"{'-' if one[name] is None else one[name]:>13}" for name in _COLUMNS)
        lines.append(f"{one['stack']:14}{one['scenario']:10}{shown['people']:>8}{figures}")
    found = [f"{one.case.name}: {what}" for one in played for what in one.violations]
    lines += ["", "owed, got: messages on phones; copies: second ones that their class allows and explain names"]
    return "\n".join([*lines, *found[:80], f"{len(found)} violations"])


def main(arguments: Iterable[str]) -> int:
    """Read the arguments, play, print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="repeat it for more than one")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="cases beside each other")
    parser.add_argument(
        "--keep", action="store_true", help="leave directories and logs behind, not only of what failed"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args(list(arguments))
    cases = choose(given.only)
    if not cases:
        parser.error(f"nothing is named so; there are {', '.join([*STACKS, *SCENARIOS])}")
    try:
        played = play_all(cases, given.at_once, given.keep)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    print(json.dumps(as_json(played), indent=1) if given.json else table(played))
    return 1 if any(one.violations for one in played) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
