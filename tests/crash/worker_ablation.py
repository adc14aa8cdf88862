"""Safeguards that can be taken out of a worker, to prove that the runs would notice.

Applied in the forked process of one life alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tocsin.delivery import poll
from tocsin.model.outcome import NotSent
from tocsin.outbox import claims


def _call_the_lost_unsent() -> None:
    """What a dead holder was sending is said not to have been sent."""
    claims.Unknown = NotSent


def _forget_what_was_left() -> None:
    """What a dead poller had stored and not read is never read."""

    def nothing(*_: Any) -> list[Any]:
        return []

    poll._left_behind = nothing


ABLATIONS: Mapping[str, Callable[[], None]] = {
    "unsent": _call_the_lost_unsent,
    "unread": _forget_what_was_left,
}
