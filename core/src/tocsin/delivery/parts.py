"""What delivery works with: fleet, store, transports, clock, dice. Made once, handed to everything."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tocsin.clock import Clock
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.transports import Transports
from tocsin.outbox.ports import Store


@attrs.frozen(kw_only=True)
class Parts:
    """The parts of one running tocsin.

    Args:
        dice: draws a number from 0 to 1.
        hold_on: waits a moment before another try to store what would be lost else; False where it is time to give up.
    """

    fleet: Fleet
    store: Store
    transports: Transports
    clock: Clock
    dice: Callable[[], float]
    hold_on: Callable[[], bool] = lambda: False
