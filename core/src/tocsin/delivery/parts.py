"""What delivery works with: fleet, store, transports, clock, dice. Made once, handed to everything."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tocsin.clock import Clock
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.slowness import Slowness
from tocsin.delivery.transports import Transports
from tocsin.errors import StoreError
from tocsin.outbox.ports import Store


def _only_once() -> Store:
    raise StoreError("this store cannot be opened anew")


@attrs.frozen(kw_only=True)
class Parts:
    """The parts of one running tocsin.

    Args:
        dice: draws a number from 0 to 1.
        reopen: opens the store anew, for what is known when a commit's outcome is not.
        slowness: how long deliveries take, account by account.
        hold_on: waits a moment before another try to store what would be lost else; False where it is time to give up.
    """

    fleet: Fleet
    store: Store
    transports: Transports
    clock: Clock
    dice: Callable[[], float]
    reopen: Callable[[], Store] = _only_once
    hold_on: Callable[[], bool] = lambda: False
    slowness: Slowness = attrs.field(default=attrs.Factory(lambda parts: Slowness(parts.store), takes_self=True))
