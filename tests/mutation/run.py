"""Mutation testing of the policy and of the transition table: every mutant of them must fail a test.

python -m tests.mutation.run                 run all; exit status 1 where fewer than 90 of 100 mutants are killed
python -m tests.mutation.run --only choose   run the mutants of one module
python -m tests.mutation.run --json          the same as one JSON document

It works in a copy of sources and tests, so that the tree may be worked on meanwhile, and changes nothing in it. One
process loads what all tests need and forks for each mutant; there the changed source stands in for the module, and the
tests run until the first one fails. A mutant is killed when a test fails, when its module cannot even be loaded, or
when the tests come to no end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from .laboratory import Laboratory, Trial
from .mutants import Mutant, members_of, mutants_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "core" / "src" / "tocsin"
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
ENUMS_IN = ("model", "outbox", "policy")

_QUICK_FIRST = (
    "decide",
    "report_awaited",
    "rounds",
    "values",
    "explain",
    "route",
    "quality",
    "signature",
    "split",
    "decide_laws",
)
POLICY = tuple(f"core/tests/policy/test_{name}.py" for name in _QUICK_FIRST)
STATE = "core/tests/outbox/test_state.py"
FIRST = {
    "outbox/state.py": STATE,
    "policy/decision.py": "core/tests/policy/test_values.py",
    "policy/explain.py": "core/tests/policy/test_explain.py",
    "policy/judge.py": "core/tests/policy/test_explain.py",
    "policy/order.py": "core/tests/policy/test_route.py",
    "policy/quality.py": "core/tests/policy/test_quality.py",
    "policy/route.py": "core/tests/policy/test_route.py",
    "policy/signature.py": "core/tests/policy/test_signature.py",
}
"""Which tests a module's mutants most likely fail; the others follow."""


@attrs.frozen
class Judged:
    """A mutant, and what became of it: `killed`, `timeout`, `survived` or `equivalent`."""

    mutant: Mutant
    fate: str


@attrs.frozen(kw_only=True)
class Equivalent:
    """A mutant that no test can tell from the module, with the reason."""

    module: str
    was: str
    now: str
    because: str

    def names(self, mutant: Mutant) -> bool:
        """Say whether it is this mutant."""
        return (self.module, self.was, self.now) == (mutant.module, mutant.was, mutant.now)


def load_equivalents(path: Path) -> tuple[Equivalent, ...]:
    """Return the named exceptions.

    Raises:
        ValueError: one gives no reason.
    """
    found = tuple(Equivalent(**one) for one in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", ()))
    for one in found:
        if not one.because.strip():
            raise ValueError(f"{path.name}: no reason is given for {one.now!r}")
    return found


def find_mutants(package: Path, only: str = "") -> tuple[Mutant, ...]:
    """Return every mutant of the modules under test, whose name holds `only`."""
    enums = members_of(path.read_text(encoding="utf-8") for name in ENUMS_IN for path in (package / name).glob("*.py"))
    modules = [*sorted((package / "policy").glob("[!_]*.py")), package / "outbox" / "state.py"]
    return tuple(
        mutant
        for path in modules
        if only in (name := path.relative_to(package).as_posix())
        for mutant in mutants_of(name, path.read_text(encoding="utf-8"), enums)
    )


def tests_for(module: str) -> tuple[str, ...]:
    """Return the tests in the order in which a module's mutants most likely fail them."""
    first = FIRST.get(module, "core/tests/policy/test_decide.py")
    return tuple(dict.fromkeys((first, *POLICY, STATE)))


def judge(laboratory: Laboratory, mutants: Iterable[Mutant], equivalents: Iterable[Equivalent]) -> Iterator[Judged]:
    """Run the tests against each mutant; yield its fate as soon as it is known."""
    excused = tuple(equivalents)
    trials = (Trial(mutant=one, tests=tests_for(one.module)) for one in mutants)
    for trial, fate in laboratory.run(trials):
        spared = fate == "survived" and any(one.names(trial.mutant) for one in excused)
        yield Judged(trial.mutant, "equivalent" if spared else fate)


def score_of(judged: Iterable[Judged]) -> float:
    """Return how many of 100 mutants were killed, those apart that nobody could kill."""
    fates = Counter(one.fate for one in judged)
    killed = fates["killed"] + fates["timeout"]
    return 100 * killed / max(1, killed + fates["survived"])


def mistaken(judged: Iterable[Judged], equivalents: Iterable[Equivalent], only: str) -> list[Equivalent]:
    """Return the exceptions that are none: their mutant is killed, or there is no such mutant any more."""
    spared = [one.mutant for one in judged if one.fate == "equivalent"]
    return [one for one in equivalents if only in one.module and not any(one.names(mutant) for mutant in spared)]


def document(judged: list[Judged], seconds: float) -> dict[str, Any]:
    """Return the result as plain JSON."""
    fates = Counter(one.fate for one in judged)
    return {
        "mutants": len(judged),
        **{fate: fates[fate] for fate in ("killed", "timeout", "survived", "equivalent")},
        "score": round(score_of(judged), 2),
        "seconds": round(seconds),
        "modules": {
            module: round(score_of(one for one in judged if one.mutant.module == module), 2)
            for module in sorted({one.mutant.module for one in judged})
        },
        "survivors": [
            {key: value for key, value in attrs.asdict(one.mutant).items() if key != "source"}
            for one in judged
            if one.fate == "survived"
        ],
    }


def show_survivor(mutant: Mutant) -> str:
    """Return for people what a mutant changed that no test saw."""
    lines = [f"survived  {mutant.module}:{mutant.line}  {mutant.operator}"]
    lines += [f"    - {line}" for line in mutant.was.splitlines()]
    lines += [f"    + {line}" for line in mutant.now.splitlines()]
    return "\n".join(lines)


def show(result: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{module:24} {score:6.2f}" for module, score in result["modules"].items()]
    lines += [
        f"{result['mutants']} mutants: {result['killed']} killed, {result['timeout']} came to no end,"
        f" {result['survived']} survived, {result['equivalent']} equivalent; score {result['score']:.2f},"
        f" in {result['seconds']} s"
    ]
    return "\n".join(lines)


class Bar:
    """How far it is, on standard error: a bar where that is a terminal, else a line for each hundred."""

    def __init__(self, total: int, *, tell_survivors: bool) -> None:
        self._total, self._done, self._survived = total, 0, 0
        self._tell_survivors = tell_survivors

    def step(self, judged: Judged) -> None:
        """Count one more; tell one that survived at once."""
        self._done += 1
        self._survived += judged.fate == "survived"
        ends = self._done == self._total
        bar = sys.stderr.isatty()
        if judged.fate == "survived" and self._tell_survivors:
            print(("\r" if bar else "") + show_survivor(judged.mutant), flush=True)
        done = f"{self._done}/{self._total}, {self._survived} survived"
        if bar:
            filled = 30 * self._done // self._total
            print(f"\r[{'#' * filled:30}] {done}", end="\n" if ends else "", file=sys.stderr, flush=True)
        elif ends or self._done % 100 == 0:
            print(done, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description="mutation testing of the policy")
    parser.add_argument("--only", default="", metavar="TEXT", help="only modules whose name holds this")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--least", type=float, default=90.0, help="the score below which it fails (90)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    equivalents, began_at = load_equivalents(EQUIVALENTS), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tocsin-mutation-") as directory:
        laboratory = Laboratory(ROOT, Path(directory), jobs=given.jobs)
        mutants = find_mutants(laboratory.package, given.only)
        laboratory.prepare(tests_for(""))
        bar, judged = Bar(len(mutants), tell_survivors=not given.json), []
        for one in judge(laboratory, mutants, equivalents):
            judged.append(one)
            bar.step(one)
    judged.sort(key=lambda one: (one.mutant.module, one.mutant.line, one.mutant.now))
    result = document(judged, time.monotonic() - began_at)
    wrong = mistaken(judged, equivalents, given.only)
    result["mistaken"] = [attrs.asdict(one) for one in wrong]
    print(json.dumps(result, ensure_ascii=False, indent=2) if given.json else show(result))
    for one in wrong:
        print(f"{EQUIVALENTS.name}: not equivalent, or not there any more: {one.module}: {one.now}", file=sys.stderr)
    return int(result["score"] < given.least or bool(wrong) or not judged)


if __name__ == "__main__":
    sys.exit(main())
