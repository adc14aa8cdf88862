"""Runs all of it, prints what it found, and fails where anything is not as it must be.

python -m tests.diskfull.run [--offsets N] [--seed S] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import commit, disk
from .busy import Busied, keep_busy
from .commit import Failed, fail_sync
from .room import find_remains
from .session import DISK, Filled, session

STRIDE = 14
"""Pages between two offsets: a hundred of them reach beyond the log's checkpoint, which comes with a thousand."""

AT_A_TIME = 10
"""Offsets that one worker lives through."""

SYNCS = 20
ROOMS = 40


@attrs.define
class Findings:
    """What came of everything."""

    filled: list[Filled] = attrs.field(factory=list)
    failed: Counter[str] = attrs.field(factory=Counter)
    acknowledged: int = 0
    busied: Busied | None = None
    syncs: list[Failed] = attrs.field(factory=list)
    unnoticed: list[str] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)
    skipped: list[str] = attrs.field(factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as one document."""
        return {
            "offsets": len(self.filled),
            "acknowledged": self.acknowledged,
            "turned_down": sum(one.turned_down for one in self.filled),
            "asked_while_full": sum(one.asked for one in self.filled),
            "recovered_s": _spread([one.recovered_s for one in self.filled]),
            "commits_that_failed": dict(sorted(self.failed.items())),
            "busy": None if self.busied is None else attrs.asdict(self.busied),
            "syncs": {"tried": len(self.syncs), "met": sum(one.status == commit.ENDED for one in self.syncs)},
            "safeguards_not_missed": self.unnoticed,
            "wrong": self.wrong,
            "skipped": self.skipped,
            "seconds": round(self.seconds, 1),
        }


def offsets_of(number: int, seed: int) -> list[list[int]]:
    """Return so many offsets, dealt out to sessions: each session has near ones and far ones, in some order."""
    dice = random.Random(seed)
    offsets = [place * STRIDE + dice.randrange(STRIDE) for place in range(number)]
    dealt = [offsets[start :: -(-number // AT_A_TIME)] for start in range(-(-number // AT_A_TIME))]
    for hand in dealt:
        dice.shuffle(hand)
    return dealt


def fill_again_and_again(hand: list[int], findings: Findings, advance: Any) -> None:
    """Lead one session through its offsets."""
    with _home() as home, session(home) as begun:
        for offset in hand:
            findings.filled.append(begun.fill(offset))
            advance()
        if (status := begun.status_when_full()) != commit.ENDED:
            findings.wrong.append(f"a send on a full disk ended with status {status}")
        findings.wrong += begun.end()
        findings.wrong += [f"{one.asked} requests while full" for one in findings.filled[-len(hand) :] if one.asked]
        findings.failed += begun.failed()
        findings.acknowledged += len(begun.clients.acknowledged)


def be_careless(findings: Findings) -> None:
    """Let a worker poll although it cannot store what comes; the count of requests must show it."""
    with _home() as home, session(home, control="careless") as begun:
        if not begun.fill(STRIDE).asked:
            findings.unnoticed.append("careless")


def prove(offsets: int, seed: int, progress: Progress) -> Findings:
    """Do all that can be done here."""
    findings, begun = Findings(), time.monotonic()
    if why := disk.why_not():
        findings.skipped.append(f"full disk: {why}")
    else:
        task = progress.add_task("the disk gets full", total=offsets)
        for hand in offsets_of(offsets, seed):
            fill_again_and_again(hand, findings, lambda: progress.advance(task))
        with _home() as home, disk.small_disk(DISK) as small:
            findings.wrong += find_remains(small, home, ROOMS)
        be_careless(findings)
        with _home() as home:
            findings.busied = keep_busy(home)
            findings.wrong += findings.busied.wrong
    if why := commit.why_not():
        findings.skipped.append(f"failed commit: {why}")
    else:
        task = progress.add_task("a commit fails", total=SYNCS)
        for when in range(1, SYNCS + 1):
            with _home() as home:
                findings.syncs.append(fail_sync(home, when))
            findings.wrong += findings.syncs[-1].wrong
            progress.advance(task)
    findings.seconds = time.monotonic() - begun
    return findings


def main(arguments: list[str]) -> int:
    """Run the proof by the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.diskfull.run", description=__doc__)
    parser.add_argument("--offsets", type=int, default=100, help="how often the disk gets full")
    parser.add_argument("--seed", type=int, default=0, help="of all dice")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args(arguments)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        findings = prove(asked.offsets, asked.seed, progress)
    print(json.dumps(findings.as_json(), indent=2) if asked.json else render(findings))
    return 1 if findings.wrong or findings.unnoticed else 0


def render(findings: Findings) -> str:
    """Return it for people."""
    return "\n".join(_lines(findings.as_json()))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{name.replace('_', ' ')}: " + ", ".join(f"{key} {inner}" for key, inner in value.items())
        elif isinstance(value, list):
            yield f"{name.replace('_', ' ')}: {len(value)}"
            yield from (f"  {one}" for one in value)
        else:
            yield f"{name.replace('_', ' ')}: {value}"


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)}


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="diskfull-home-") as home:
        yield Path(home)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
