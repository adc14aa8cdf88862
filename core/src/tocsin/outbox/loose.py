"""What may hang loose in a store: rows whose counterpart is missing, or says otherwise. Values, named by a review."""

from __future__ import annotations

import enum

import attrs


class Loose(enum.Enum):
    """What may hang loose in a store: a row whose counterpart is missing."""

    DAMAGED_FILE = enum.auto()
    """Not a row but the file itself: what the database finds wrong with it."""

    MESSAGE_WITHOUT_DELIVERIES = enum.auto()
    """It has not one for each of its recipients, or more than one through the same account."""

    KEY_WITHOUT_MESSAGE = enum.auto()
    CLAIM_WITHOUT_HOLDER = enum.auto()
    """The delivery's holder has no lease, so that nobody would notice its death."""

    ANSWER_MISSING = enum.auto()
    """Rows were read from a raw answer that is not there."""

    ANSWER_APPLIED_UNREAD = enum.auto()
    """Rows were read from it, and it is not marked so: it would be applied again."""

    ANSWER_UNREAD = enum.auto()
    """Nobody has read it yet: the next poll will."""

    STRAY = enum.auto()
    """Attempts, reports, decisions or audit rows of a delivery that is not there."""

    DEBIT_MISSING = enum.auto()
    """Nothing was debited for a request."""

    DEBIT_WRONG = enum.auto()
    """What was debited for a request, and not given back, is not what its attempts make it."""

    WEIGHT_UNEXPLAINED = enum.auto()
    """An account's weight is not what its last change made it."""


@attrs.frozen
class LooseEnd:
    """One of them.

    Args:
        where: the id of the message, delivery, request or raw answer, or whose weight; of a damaged file, what its
            database says of it.
    """

    kind: Loose
    where: str
