"""Who is told, and of what: two invented people, and units of a plant that break and are mended."""

from __future__ import annotations

from collections.abc import Mapping

PEOPLE: Mapping[str, str] = {"alice": "+8613900000001", "bob": "+8613900000002"}
"""Numbers by name."""

HOST = "plant"


def units(count: int) -> tuple[str, ...]:
    """Return the names of so many units. None is a part of another's."""
    return tuple(f"unit-{index:02}" for index in range(1, count + 1))
