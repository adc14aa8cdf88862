"""Exit statuses: what a script may conclude. See `docs/reference/command-line.md`."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tocsin.errors import (
    AnswerError,
    CommitUnknown,
    ConfigError,
    InvalidInput,
    KeyConflict,
    MissingExtra,
    NotFound,
    Reached,
    StoreError,
    StoreFailed,
    TocsinError,
    TransportError,
)
from tocsin.outbox.state import State

if TYPE_CHECKING:
    from tocsin.model.ids import DeliveryId
    from tocsin.outbox.record import Attempt, Delivery


class Exit(enum.IntEnum):
    """What the process says at its end."""

    OK = 0
    """Durable; with `--now`, taken by a vendor."""

    REFUSED = 1
    USAGE = 2
    """Usage or configuration; nothing was accepted."""

    IN_DOUBT = 3
    NOBODY_REACHED = 4
    INTERNAL = 70

    INTERRUPTED = 130
    """As a shell reports SIGINT."""

    NOBODY_LISTENS = 141
    """As a shell reports SIGPIPE: standard output was closed."""


_DOUBTFUL = frozenset({State.IN_DOUBT, State.PARKED})
_OPEN = frozenset({State.SENDING, State.CLAIMED, State.QUEUED})
_ENDED_BADLY = frozenset({State.FAILED, State.UNDELIVERED, State.EXPIRED, State.CANCELLED})


def status_of(
    deliveries: Iterable[Delivery], attempts: Mapping[DeliveryId, tuple[Attempt, ...]], *, waited: bool = False
) -> Exit:
    """Return the status of `send --now` or `--wait`: doubt before refusal before nobody reached.

    A delivery that another process still has in its hands counts as doubt: it is not known what becomes of it.

    Args:
        deliveries: as they stand.
        attempts: of each.
        waited: whether somebody waited for the end: then one that a vendor took, and that no report ended, is open.
    """
    open_ = _OPEN | {State.SUBMITTED, State.HELD} if waited else _OPEN
    statuses = {_status(delivery, attempts[delivery.id], open_) for delivery in deliveries}
    for status in (Exit.IN_DOUBT, Exit.REFUSED, Exit.NOBODY_REACHED):
        if status in statuses:
            return status
    return Exit.OK


def _status(delivery: Delivery, attempts: tuple[Attempt, ...], open_: frozenset[State]) -> Exit:
    if delivery.state in _DOUBTFUL or delivery.state in open_:
        return Exit.IN_DOUBT
    from tocsin.story import reached_nobody  # not before: `tocsin notify` is in a hurry, and needs no story

    if reached_nobody(delivery, attempts):
        return Exit.NOBODY_REACHED
    return Exit.REFUSED if delivery.state in _ENDED_BADLY else Exit.OK


def status_of_error(error: TocsinError) -> Exit:
    """Return the status of a command that ended with that error."""
    match error:
        case CommitUnknown() | StoreFailed():
            return Exit.INTERNAL
        case ConfigError() | InvalidInput() | KeyConflict() | MissingExtra() | NotFound() | StoreError():
            return Exit.USAGE
        case TransportError(reached=Reached.NO):
            return Exit.NOBODY_REACHED
        case TransportError() | AnswerError():
            return Exit.IN_DOUBT
        case _:
            return Exit.INTERNAL
