"""The sessions of a life: what one process does with the store between opening it and its end.

Each leads the write-ahead log through another danger. A session says what happens; `tests.powercut.life` does it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from types import MappingProxyType

import attrs


class Ending(enum.Enum):
    """How a session's process ends."""

    CLOSED = "closed"
    """The store is closed: the log goes into the file, and away."""

    KILLED = "killed"
    """As by `kill -9`, between two transactions: the log stays as it is."""

    IN_COMMIT = "killed in a commit"
    """As by `kill -9`, where a commit's frames are written and not yet synced."""


@attrs.frozen(kw_only=True)
class Session:
    """What one process does.

    Args:
        steps: how many it takes, in a life of full length, before its end.
        writers: how many take turns, each over a connection of its own; the first may be the worker.
        leads: the first writer is the worker, which checkpoints when the log has a thousand pages.
        checkpoint_every: after so many steps another connection checkpoints, in each mode in turn; 0 for never.
        reader_holds: for so many steps at a time somebody reads on in an old snapshot, so that no checkpoint gets
            to the end and the log cannot start anew; 0 for never.
        pragmas: set on the writers' connections.
        retries: it begins with a client that asks again for the newest message.
        ending: how it ends.
    """

    steps: int = 0
    writers: int = 1
    leads: bool = False
    checkpoint_every: int = 0
    reader_holds: int = 0
    pragmas: tuple[str, ...] = ()
    retries: bool = False
    ending: Ending = Ending.CLOSED

    def shortened(self, share: float) -> Session:
        """Return a session of the same kind with that share of its steps."""
        return attrs.evolve(self, steps=math.ceil(self.steps * share))


SESSIONS: Mapping[str, Session] = MappingProxyType(
    {
        "command": Session(steps=25),
        "worker": Session(steps=130, leads=True),
        "checkpoints": Session(steps=110, checkpoint_every=6),
        "eager": Session(steps=60, pragmas=("wal_autocheckpoint = 25",), ending=Ending.KILLED),
        "spilling": Session(steps=50, checkpoint_every=9, pragmas=("cache_size = 5",)),
        "reader": Session(steps=60, reader_holds=14, pragmas=("wal_autocheckpoint = 20",)),
        "two writers": Session(steps=80, writers=2, leads=True, checkpoint_every=12, ending=Ending.KILLED),
        "bounded log": Session(steps=50, checkpoint_every=5, pragmas=("journal_size_limit = 40000",)),
        "short": Session(steps=1),
        "killed in a commit": Session(steps=8, ending=Ending.IN_COMMIT),
        "retried": Session(retries=True, ending=Ending.KILLED),
        "recovered": Session(steps=12, pragmas=("wal_autocheckpoint = 15",), ending=Ending.KILLED),
    }
)

LIFE = (
    *("command", "worker", "checkpoints", "eager", "spilling"),
    *("reader", "two writers", "bounded log", "short"),
)
"""The sessions of a whole life, in order."""

RETRIED = ("killed in a commit", "retried")
"""A process dies in a commit; its client asks the next process again, and is told that all is well."""

AFTERWARDS = ("recovered",)
"""What goes on with a store that a power cut left."""
