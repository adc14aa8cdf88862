"""Broken variants of the toy vendor, each with the laws of the kit that it breaks, and no others.

Every one is a mistake that a plugin's author could make in good faith; its docstring says which.
"""

from __future__ import annotations

BROKEN: dict[type, frozenset[str]] = {}
"""Variants, each with the names of the laws that it breaks."""


def breaks(*laws):
    """Note a variant with the laws that it breaks."""

    def note(variant):
        BROKEN[variant] = frozenset(laws)
        return variant

    return note
