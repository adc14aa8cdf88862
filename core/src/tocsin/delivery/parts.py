"""What delivery works with: fleet, store, transports, clock. Made once, handed to everything."""

from __future__ import annotations

import attrs

from tocsin.clock import Clock
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.transports import Transports
from tocsin.outbox.ports import Store


@attrs.frozen(kw_only=True)
class Parts:
    """The parts of one running tocsin."""

    fleet: Fleet
    store: Store
    transports: Transports
    clock: Clock
