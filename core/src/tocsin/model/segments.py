"""How many segments a text takes: what a vendor bills, and what a phone puts together again.

Knows no vendor: each plugin says by which rule its vendor counts. Whoever knows a text's price asks.

source: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table), TS 23.040 (concatenation).
"""

from __future__ import annotations

import attrs

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM7 = _BASIC | _EXTENDED


def _holds_a_letter(room: Room, _: object, part: int) -> None:
    if not 2 <= part <= room.whole:
        raise ValueError("expected a part that holds a letter of two units, and no more than a whole text")


@attrs.frozen
class Room:
    """How many units fit into a text that is sent whole, and into each part of one that is not."""

    whole: int
    part: int = attrs.field(validator=_holds_a_letter)


@attrs.frozen(kw_only=True)
class SegmentRule:
    """How a vendor counts.

    Args:
        gsm7: room in septets for a text that has only letters of the GSM 7-bit alphabet; None where the vendor counts
            every text alike.
        ucs2: room in UTF-16 units for any other.
    """

    gsm7: Room | None = Room(160, 153)
    ucs2: Room = Room(70, 67)

    def count(self, text: str) -> int:
        """Return how many segments a text takes; 1 for an empty one.

        A letter of two units never falls apart: it opens the next part instead.
        """
        if self.gsm7 is not None and is_gsm7(text):
            return _parts([2 if letter in _EXTENDED else 1 for letter in text], self.gsm7)
        return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], self.ucs2)


ALIKE = SegmentRule(gsm7=None)
"""70 and 67, whatever the letters: how mainland vendors bill."""


def is_gsm7(text: str) -> bool:
    """Say whether every letter of a text is in the GSM 7-bit alphabet or its extension table."""
    return _GSM7.issuperset(text)


def _parts(units: list[int], room: Room) -> int:
    """Count the parts that letters of so many units fill, one after the other."""
    if sum(units) <= room.whole:
        return 1
    parts, filled = 1, 0
    for size in units:
        if filled + size > room.part:
            parts, filled = parts + 1, 0
        filled += size
    return parts
