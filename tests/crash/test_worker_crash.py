"""A worker is killed at a sample of its boundaries, and again while it recovers; all of it is a target of its own.

The boundaries are written down in `worker_boundaries.toml`, and there is a case for each: one more or less, and a test
here says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .worker_cases import by_thread, expected, once, render, twice
from .worker_ground import Case
from .worker_scenario import SCENARIOS

ROOT = Path(__file__).parents[2]
BOUNDARIES = 1942
"""Of all scenarios together: so many runs are killed once in the target of its own."""


def run(*arguments):
    """Run the runner in a process of its own, which has no threads to fork from; return what it says."""
    command = (sys.executable, "-m", "tests.crash.worker_run", "--json", "--slots", "2", *arguments)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


def test_a_sample_of_kills_loses_and_doubles_nothing():
    """Whatever a worker was doing when it died, the next one goes on: nothing lost, no copy that the class forbids.

    The undisturbed runs reach the boundaries that are written down and no others.
    """
    sample = run("--once", "30", "--runs", "30")

    assert sample["troubles"] == []
    assert set(sample["boundaries"]) == set(SCENARIOS)
    assert sample["total_boundaries"] == BOUNDARIES
    assert sample["killed_once"] + sample["killed_twice"] == 60
    assert sample["killed_twice"] >= 20  # a second kill may miss: where the first strikes, other threads differ


def test_the_boundaries_are_all_counted():
    """So many boundaries are written down; one more or less changes the number of runs, and this line."""
    assert sum(len(names) for threads in expected().values() for names in threads.values()) == BOUNDARIES


def test_what_is_written_down_is_read_back():
    """Boundaries survive being written down and read again, thread by thread."""
    lives = ["loop: open-store #1", "line a: exchange: before #1", "loop: settle: before commit #1",
             "line a: exchange: after #1", "loop: settle: after commit #1"]  # fmt: skip

    assert by_thread(lives) == {
        "line a": ["exchange: before #1", "exchange: after #1"],
        "loop": ["open-store #1", "settle: before commit #1", "settle: after commit #1"],
    }
    assert render({"one": by_thread(lives)}) == '[one]\n"line a" = "exchange"\n"loop" = "open-store settle"\n'


def test_every_boundary_has_its_turn_before_any_has_another():
    """The draw is the same for the same seed, and covers first all boundaries, then all of each recovery."""
    singles = once({"plain": ["a", "b"], "split": ["c"]})
    recoveries = {case: ["x", "y", "z"] for case in singles}

    drawn = twice(recoveries, 6, seed=3)

    assert singles == [Case(scenario=scenario, kills=(name,)) for scenario, name in
                       (("plain", "a"), ("plain", "b"), ("split", "c"))]  # fmt: skip
    assert drawn == twice(recoveries, 6, seed=3)
    assert drawn != twice(recoveries, 6, seed=4)
    assert {case.kills[0] for case in drawn[:3]} == {case.kills[0] for case in drawn[3:]} == {"a", "b", "c"}
    assert len(twice(recoveries, 100, seed=3)) == len(set(twice(recoveries, 100, seed=3))) == 9


@pytest.mark.parametrize(
    ("ablation", "kill"),
    [("unsent", "line winnerlook: exchange: after #1"), ("unread", "poll winnerlook: spool: after commit #1")],
)
def test_a_safeguard_less_is_noticed(ablation, kill):
    """A run that is fine as it is, is not where a safeguard is taken out of the worker."""
    command = (sys.executable, "-m", "tests.crash.worker_run", "--replay", "plain", kill)

    as_it_is = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    without = subprocess.run((*command, "--ablate", ablation), cwd=ROOT, capture_output=True, timeout=60)

    assert (as_it_is.returncode, without.returncode) == (0, 1)
