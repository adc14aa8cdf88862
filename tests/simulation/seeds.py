"""Many seeds, side by side in several processes, and what came of them together."""

import json
import multiprocessing
from collections import Counter
from pathlib import Path

import attrs

from tocsin.simulate.life import live
from tocsin.simulate.scenario import draw
from tocsin.simulate.seen import Kind

CHUNK = 100
"""Seeds that one process takes at a time; what a journal remembers is whole chunks."""


@attrs.define
class Sum:
    """What came of a number of seeds.

    Args:
        digest: of all traces together, whatever the order they came in.
        violated: seed, event and words of each violation.
    """

    seeds: int = 0
    events: int = 0
    digest: int = 0
    seen: Counter = attrs.field(factory=Counter)
    violated: list = attrs.field(factory=list)

    def add(self, other):
        """Add the sum of other seeds."""
        self.seeds += other.seeds
        self.events += other.events
        self.digest ^= other.digest
        self.seen += other.seen
        self.violated += other.violated

    def rare(self, least):
        """Return the kinds of fault that were seen less often than that."""
        return {kind.value: self.seen[kind.value] for kind in Kind if self.seen[kind.value] < least}

    def as_json(self):
        """Return it as plain values."""
        return {**attrs.asdict(self), "digest": f"{self.digest:032x}", "seen": dict(sorted(self.seen.items()))}

    @classmethod
    def of_json(cls, value):
        """Read what `as_json` wrote."""
        return cls(value["seeds"], value["events"], int(value["digest"], 16), Counter(value["seen"]), value["violated"])


def live_chunk(first, count=CHUNK):
    """Live the lives of so many seeds from that one on."""
    total = Sum()
    for seed in range(first, first + count):
        outcome = live(draw(seed))
        seen = Counter({kind.value: times for kind, times in outcome.seen.items()})
        violated = [[seed, outcome.at, outcome.what]] if outcome.violated else []
        total.add(Sum(1, outcome.events, int(outcome.trace, 16), seen, violated))
    return total


class Journal:
    """Which chunks are done, and what came of them: a long run goes on where it was stopped.

    Args:
        path: of the file, a line of JSON for each chunk; None remembers nothing.
    """

    def __init__(self, path):
        self._path = None if path is None else Path(path)
        self.done = {}
        if self._path is not None and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self.done[entry["first"]] = Sum.of_json(entry["sum"])

    def note(self, first, total):
        """Remember a chunk."""
        self.done[first] = total
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"first": first, "sum": total.as_json()}) + "\n")


def live_seeds(first, count, journal, progress=lambda _: None, processes=2):
    """Live the lives of seeds, but for the chunks that the journal has; return the sum of all of them."""
    wanted = range(first, first + count, CHUNK)
    missing = [start for start in wanted if start not in journal.done]
    progress((len(wanted) - len(missing)) * CHUNK)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for start, total in pool.imap_unordered(_numbered, missing):
            journal.note(start, total)
            progress(CHUNK)
    total = Sum()
    for start in wanted:
        total.add(journal.done[start])
    return total


def _numbered(first):
    return first, live_chunk(first)
