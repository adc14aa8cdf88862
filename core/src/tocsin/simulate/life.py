"""Lets a world live to its end, and says what came of it: one value, the same wherever its scenario runs."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from tocsin.simulate.ablation import Ablation, without
from tocsin.simulate.checks import Violated
from tocsin.simulate.scenario import Scenario
from tocsin.simulate.seen import Kind
from tocsin.simulate.world import PHONES, World

DEFECT = "defect"
"""What is violated where production code raises what nobody expects."""

MOST_EVENTS = 20_000
"""A life with more events than that goes round in circles."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a life.

    Args:
        events: how many happened.
        trace: digest of all that happened, in order.
        seen: faults by kind.
        violated: the invariant that does not hold; empty where all do.
        what: where, and how.
        at: the last event.
    """

    seed: int
    events: int
    trace: str
    seen: Counter[Kind]
    violated: str = ""
    what: str = ""
    at: str = ""


def live(scenario: Scenario, ablation: Ablation | None = None, follow: list[str] | None = None) -> Outcome:
    """Let a scenario happen.

    Args:
        scenario: what is to happen.
        ablation: a safeguard to do without.
        follow: is filled with every event, for who wants to read the story.
    """
    life = _Life(follow)
    try:
        with _watched_log(), without(ablation):
            life.live(scenario)
    except Violated as violated:
        return life.outcome(scenario.seed, violated.invariant, str(violated))
    except Exception as error:  # noqa: BLE001 (whatever production code raises here, it should not have)
        return life.outcome(scenario.seed, DEFECT, f"{type(error).__name__}: {error}")
    return life.outcome(scenario.seed)


class _Life:
    def __init__(self, follow: list[str] | None) -> None:
        self._trace = hashlib.blake2b(digest_size=16)
        self._events = 0
        self._last = ""
        self._seen: Counter[Kind] = Counter()
        self._follow = follow

    def live(self, scenario: Scenario) -> None:
        world = World(scenario)
        self._seen = world.seen
        world.waking.plan()
        while (name := world.timeline.step()) is not None:
            self._note(world, name)
            world.checks.after_event()
            world.waking.plan()
            if self._events > MOST_EVENTS:
                world.violated("I14", "world", f"{MOST_EVENTS} events, and no end")
        world.checks.at_the_end()

    def outcome(self, seed: int, violated: str = "", what: str = "") -> Outcome:
        return Outcome(
            seed=seed,
            events=self._events,
            trace=self._trace.hexdigest(),
            seen=self._seen,
            violated=violated,
            what=what,
            at=self._last,
        )

    def _note(self, world: World, name: str) -> None:
        self._events += 1
        self._last = f"{world.timeline.monotonic():.6f} s: {name}"
        told = [self._last, *world.rows.news()]
        self._trace.update("\n".join(told).encode())
        if self._follow is not None:
            self._follow.extend(told)


class _Telltale(logging.Handler):
    """Looks for numbers and texts in our log lines (I13)."""

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if "text number" in line or any(phone.full in line or phone.full[3:] in line for phone in PHONES):
            raise Violated("I13", "log", "a line holds a number or a text")

    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)
        return True


@contextmanager
def _watched_log() -> Iterator[None]:
    """Read along while a life is lived; nobody else does."""
    logger = logging.getLogger("tocsin")
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [_Telltale()], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
