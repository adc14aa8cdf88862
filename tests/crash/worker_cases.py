"""Which runs there are: every boundary of a scenario, and every boundary of the recovery from it. Pure.

The boundaries that a worker has where nobody kills it are written down in `worker_boundaries.toml`, thread by thread: a
commit or an exchange is one word there and two boundaries, a lock or a file is one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

from .worker_ground import Case

WRITTEN = Path(__file__).with_name("worker_boundaries.toml")
_SINGLE = frozenset({"open-store", "take-role", "enter-holder", "ask-holder", "drop-holder"})

Threads = Mapping[str, Sequence[str]]
"""For each thread the boundaries that it reached, in order."""


def by_thread(names: Iterable[str]) -> Threads:
    """Sort boundaries by their threads: within one their order is always the same, between two it is not."""
    threads: dict[str, list[str]] = {}
    for name in names:
        thread, _, rest = name.partition(": ")
        threads.setdefault(thread, []).append(rest)
    return dict(sorted(threads.items()))


def expected() -> dict[str, Threads]:
    """Read what is written down: for each scenario the boundaries of each thread."""
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))
    return {
        scenario: {thread: _boundaries_of(words.split()) for thread, words in threads.items()}
        for scenario, threads in written.items()
    }


def render(seen: Mapping[str, Threads]) -> str:
    """Write boundaries down as `expected` reads them."""
    lines = []
    for scenario, threads in seen.items():
        lines.append(f"\n[{scenario}]")
        lines += [f'"{thread}" = "{" ".join(_words_of(names))}"' for thread, names in threads.items()]
    return "\n".join(lines).lstrip() + "\n"


def _boundaries_of(words: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    found = []
    for word in words:
        number = counts[word] = counts.get(word, 0) + 1
        commit = "" if word == "exchange" else " commit"
        ends = ("",) if word in _SINGLE else (f": before{commit}", f": after{commit}")
        found += [f"{word}{end} #{number}" for end in ends]
    return found


def _words_of(names: Iterable[str]) -> list[str]:
    plain = (name.partition(" #")[0] for name in names)
    return [name.partition(":")[0] for name in plain if ": after" not in name]


def once(lives: Mapping[str, Sequence[str]]) -> list[Case]:
    """Return a run for each boundary: killed there, and recovered.

    Args:
        lives: the boundaries of each scenario where nobody is killed.
    """
    return [Case(scenario=scenario, kills=(name,)) for scenario, names in lives.items() for name in names]


def twice(recoveries: Mapping[Case, Sequence[str]], most: int, seed: int) -> list[Case]:
    """Return runs that are killed again while they recover.

    Args:
        recoveries: for each run that is killed once, the boundaries of its recovery.
        most: how many runs; all there are where it is larger. Every first boundary has its turn before any has a
            second one, and so have, for each of them, the boundaries of the recovery.
        seed: of the draw.
    """
    dice = Random(seed)
    rounds: list[list[Case]] = []
    for case, names in recoveries.items():
        for turn, name in enumerate(dice.sample(names, len(names))):
            if turn == len(rounds):
                rounds.append([])
            rounds[turn].append(Case(scenario=case.scenario, kills=(*case.kills, name)))
    drawn: list[Case] = []
    for cases in rounds:
        drawn += dice.sample(cases, len(cases))
    return drawn[:most]
