"""Claim → ask → submit or close: one pass over a message's deliveries, in the calling thread.

It goes on until each is submitted, failed or in doubt: an account after the other, a group halved where a culprit
hides in it.
"""

from __future__ import annotations

from collections.abc import Callable

from tocsin.delivery.ask import ask, write_down
from tocsin.delivery.coalesce import coalesce
from tocsin.delivery.parts import Parts
from tocsin.delivery.plan import fitting, plan
from tocsin.delivery.submit import submit
from tocsin.model.ids import HolderId, MessageId

Progress = Callable[[int], None]
"""Told how many deliveries have just been submitted, closed or left in doubt."""


def dispatch(parts: Parts, message: MessageId, holder: HolderId, progress: Progress = lambda _: None) -> None:
    """Take all that the holder can claim of a message through one pass.

    Args:
        parts: what delivery works with.
        message: whose deliveries.
        holder: who claims them.
        progress: for a progress bar.
    """
    while claimed := parts.store.claim(message, holder, parts.clock.now()):
        asked = ask(parts, claimed, may_wait=False)
        if closed := write_down(parts, asked):
            progress(closed)
        for group in coalesce(plan(parts.fleet, asked), parts.fleet.personalised):
            for one in fitting(parts.fleet, group):
                progress(submit(parts, one))
