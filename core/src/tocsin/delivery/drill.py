"""Fire drills: hands in each that is due, as any caller would. The worker's watch calls it; what follows is as for any.

A drill is queued under a key that names its slot of time, so that a restart, or a second tocsin, holds none twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import attrs

from tocsin import observe
from tocsin.delivery.accept import Draft, prepare
from tocsin.delivery.parts import Parts
from tocsin.errors import InvalidInput, PluginError
from tocsin.model.ids import AccountId
from tocsin.policy.drill import SOURCE, Due, due_drills


class Drills:
    """The fire drills of one fleet.

    Args:
        parts: what delivery works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._held: dict[AccountId, datetime] = {}

    def hold(self, now: datetime) -> None:
        """Queue each drill that is due. One that cannot be handed in is an alarm, and is left out until its next."""
        for due in due_drills(self._parts.fleet.accounts.values(), self._held, now):
            try:
                self._hand_in(due, now)
            except (InvalidInput, PluginError) as error:
                observe.log.warning(observe.ALARM, reason="drill-failed", account=due.account, cause=str(error))
            self._held[due.account] = due.slot

    def _hand_in(self, due: Due, now: datetime) -> None:
        fleet = self._parts.fleet
        draft = draft_of(due)
        acceptance = prepare(draft, fleet.routes, fleet.registry.middleware, now=now, draw_bits=_bits_of(draft))
        self._parts.store.accept(acceptance, now)


def draft_of(due: Due) -> Draft:
    """Return a drill as its message. Its key names slot and content, so that a changed drill is another one."""
    draft = Draft(to=(due.drill.to,), text=due.drill.text, tags=due.tags, source=SOURCE, only=due.account)
    return attrs.evolve(draft, idempotency_key=f"{SOURCE} {due.account} {due.slot.isoformat()} {draft.fingerprint()}")


def _bits_of(draft: Draft) -> Callable[[int], int]:
    """Return what draws a message's id: out of its key, since that is as good as dice, and never the same twice."""
    digest = hashlib.blake2b((draft.idempotency_key or "").encode()).digest()
    return lambda bits: int.from_bytes(digest) & ((1 << bits) - 1)
