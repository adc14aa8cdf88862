"""Identifiers. Each kind has its own type, so that one is never passed for another.

A message's id is drawn; those of its deliveries and attempts follow from it (`M`, `M.2`, `M.2.1`): the story of a
message can be read from its ids alone, and no second draw can collide.
"""

from __future__ import annotations

from base64 import b32hexencode
from collections.abc import Callable
from datetime import datetime
from typing import NewType

MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
AttemptId = NewType("AttemptId", str)
SubmitId = NewType("SubmitId", str)
AccountId = NewType("AccountId", str)
VendorId = NewType("VendorId", str)
"""The vendor's id of one submit (batch number, task id). Always text: 19 digits do not survive a float."""

HolderId = NewType("HolderId", str)
"""Names one process's claim on deliveries."""

_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"0123456789abcdefghjkmnpqrstvwxyz")
_DIGITS = 20


def _base32(number: int) -> str:
    """Return a number below 2**100 as 20 digits. The library writes 5 bytes as 8, so 4 more digits are cut off."""
    return b32hexencode((number << 20).to_bytes(15)).translate(_CROCKFORD)[:_DIGITS].decode()


def new_message_id(now: datetime, draw_bits: Callable[[int], int]) -> MessageId:
    """Make an id that sorts by time.

    Args:
        now: aware time of acceptance.
        draw_bits: returns a uniform integer of that many bits.

    Returns:
        20 characters of Crockford's base 32: 48 bits of milliseconds, then 52 drawn bits.
    """
    return MessageId(_base32((int(now.timestamp() * 1000) << 52) | draw_bits(52)))


def first_id_since(moment: datetime) -> MessageId:
    """Return the lowest id that a message accepted at that aware time, or later, can have."""
    return new_message_id(moment, lambda _: 0)


def delivery_id(message: MessageId, position: int) -> DeliveryId:
    """Name the delivery to the recipient at `position`, counted from 1."""
    return DeliveryId(f"{message}.{position}")


def attempt_id(delivery: DeliveryId, number: int) -> AttemptId:
    """Name the attempt with that number, counted from 1."""
    return AttemptId(f"{delivery}.{number}")


def message_of(delivery: DeliveryId) -> MessageId:
    """Name the message that a delivery belongs to."""
    return MessageId(delivery.split(".", 1)[0])


def position_of(delivery: DeliveryId) -> int:
    """Return the place of a delivery's recipient in its message, counted from 1."""
    return int(delivery.rsplit(".", 1)[1])
