"""Dice with a name: the same name throws the same numbers, in every process and on every machine."""

from __future__ import annotations

from random import Random


def dice_of(name: str) -> Random:
    """Return fresh dice. They are hashed from the name's bytes, whatever PYTHONHASHSEED says."""
    return Random(name)  # noqa: S311 (a simulation wants numbers that can be had again)
