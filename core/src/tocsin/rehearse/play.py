"""What is rehearsed: a configuration, whom it meets and what it is asked to carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from tocsin.config import Config
from tocsin.delivery.accept import Draft
from tocsin.model.account import Account
from tocsin.model.ids import MessageId
from tocsin.registry import Registry
from tocsin.rehearse.scenario import Scenario
from tocsin.rehearse.vendor import Character


@attrs.frozen
class Offer:
    """A message that somebody hands in.

    Args:
        at_s: seconds after the beginning.
        draft: what it says, and to whom.
        origin: the recorded message that it repeats; None where it is made up.
    """

    at_s: float
    draft: Draft
    origin: MessageId | None = None


@attrs.frozen(kw_only=True)
class Play:
    """One rehearsal before it begins.

    Args:
        config: whose accounts, routes and limits count; its store is not touched.
        registry: the real plugins, which judge.
        scenario: says how long it takes, and what is left of each balance.
        seed: of every dice.
        offers: what is handed in, in the order of time; begun anew at each call.
        character: returns how the vendor of an account behaves.
        begins: what the clock shows at the beginning.
    """

    config: Config
    registry: Registry
    scenario: Scenario
    seed: int
    offers: Callable[[], Iterable[Offer]]
    character: Callable[[Account], Character]
    begins: datetime
