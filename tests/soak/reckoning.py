"""The reckoning of a soak: each message that a client was promised, against both vendors' ledgers.

What the store says against itself, and what it says that the ledgers do not bear out, is judged as after a crash run.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import attrs
from tests.crash.worker_judge import Kept, Standing, Truth, Truths, judge, load_kept

from tocsin.config import Config
from tocsin.outbox.state import State
from tocsin.sandbox import Page

from .plan import Said


@attrs.frozen(kw_only=True)
class Reckoning:
    """What became of all messages.

    Args:
        fates: how many deliveries came to each end; `lost` is the one that must not be.
        states: how often each state stands.
        copies: how many phones have a message once, twice …
        submits: how often each reason led to a submit.
        gaps: polls whose answer was lost on its way.
        violations: a sentence each.
    """

    messages: int
    deliveries: int
    fates: Mapping[str, int]
    states: Mapping[str, int]
    copies: Mapping[int, int]
    submits: Mapping[str, int]
    gaps: int
    violations: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Deliveries that nobody has, and nothing accounts for."""
        return self.fates.get(LOST, 0)

    @property
    def forbidden(self) -> int:
        """Copies that a class forbids, or that nothing gave a reason for."""
        return sum("copies" in one or "follows a clean accept" in one for one in self.violations)


LOST = "lost"


def reckon(config: Config, ledgers: Mapping[str, Page], promised: Mapping[str, str], said: Sequence[Said]) -> Reckoning:
    """Reconcile.

    Args:
        config: names the store.
        ledgers: of both vendors.
        promised: the id that clients were told for each key.
        said: all messages.
    """
    kept = load_kept(config, ended_early=False)
    truths = Truths(ledgers)
    fates = {one.delivery.id: fate_of(one, truths.of(one)) for one in kept.standings}
    lost = [f"{name}: lost" for name, fate in fates.items() if fate == LOST]
    return Reckoning(
        messages=len({one.delivery.message for one in kept.standings}),
        deliveries=len(kept.standings),
        fates=dict(Counter(fates.values())),
        states=kept.states,
        copies=dict(sorted(Counter(truths.of(one).phones for one in kept.standings).items())),
        submits=_count_submits(config),
        gaps=_count_gaps(config),
        violations=(*lost, *broken_promises(kept, promised, said), *judge(kept, ledgers)),
    )


def fate_of(one: Standing, truth: Truth) -> str:
    """Say what became of a delivery, by the vendors' ledgers first."""
    if truth.phones:
        return "on the phone"
    excuses = _EXCUSES[bool(truth.taken)]
    return next((fate for fate, states in excuses.items() if one.delivery.state in states), LOST)


_IN_DOUBT = (State.PARKED, State.IN_DOUBT)
_EXCUSES: Mapping[bool, Mapping[str, tuple[State, ...]]] = {
    False: {
        "failed for a cause": (State.FAILED, State.EXPIRED),
        "in doubt, for all to see": _IN_DOUBT,
        "still waiting": (State.QUEUED,),
    },
    True: {
        "the carrier failed, and said so": (State.UNDELIVERED,),
        "the carrier failed, and its report is lost or late": (State.SUBMITTED,),
        "in doubt, for all to see": _IN_DOUBT,
    },
}
"""By whether a vendor took it that no phone has: where it may stand, and why nothing is lost there."""


def broken_promises(kept: Kept, promised: Mapping[str, str], said: Sequence[Said]) -> Iterator[str]:
    """Each key has one message, with each of its recipients once; and there is no other message."""
    held: dict[str, Counter[str]] = {}
    for one in kept.standings:
        held.setdefault(one.delivery.message, Counter())[one.delivery.to.mainland or ""] += 1
    for message in said:
        found = held.pop(promised.get(message.key, ""), None)
        if found != Counter(message.to):
            yield f"{message.key}: promised, and lost: not there with all its recipients"
    for name in held:
        yield f"{name}: nobody was promised it: a second message under one key"


def _count_submits(config: Config) -> dict[str, int]:
    statement = """
        SELECT json_extract(d.body, '$.trigger') AS trigger, count(*)
        FROM chapter c JOIN decision d ON d.id = c.decision
        WHERE json_extract(d.body, '$.decision') = 'submit' GROUP BY 1 ORDER BY 1
    """
    with closing(sqlite3.connect(config.store.path)) as sql:
        return dict(sql.execute(statement).fetchall())


def _count_gaps(config: Config) -> int:
    with closing(sqlite3.connect(config.store.path)) as sql:
        return int(sql.execute("SELECT coalesce(sum(gaps), 0) FROM listening").fetchone()[0])
