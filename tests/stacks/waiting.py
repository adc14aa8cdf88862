"""Waiting for a condition with a deadline. Nothing here sleeps for its own sake. Called by all of this package."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")

PATIENCE_S = 60.0
"""What has not come true by then never will."""

_LOOK_EVERY_S = 0.05


class Stuck(AssertionError):
    """What was waited for did not come true in time."""


def until(
    find: Callable[[], _Found], what: str, within_s: float = PATIENCE_S, every_s: float = _LOOK_EVERY_S
) -> _Found:
    """Wait until `find` returns something true, and return it.

    Raises:
        Stuck: it did not in time; `what` says what was waited for.
    """
    deadline = time.monotonic() + within_s
    while not (found := find()):
        if time.monotonic() > deadline:
            raise Stuck(f"waited {within_s:.0f} s in vain: {what}")
        time.sleep(every_s)
    return found
