"""What an attack is, and the list of those that can be run, by the names of `attacks.toml`."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .ground import Ground, Target
from .wire import Answer


@attrs.frozen
class Result:
    """How an attack went.

    Args:
        answers: all that the attacker saw.
        target: the delivery that was attacked, if one was.
    """

    answers: list[Answer]
    target: Target | None = None


Attack = Callable[[Ground], Result]

ATTACKS: dict[str, Attack] = {}


def attack(run: Attack) -> Attack:
    """Put an attack on the list, under its function's name."""
    name = run.__name__.replace("_", "-")
    assert name not in ATTACKS, f"{name} is there twice"
    ATTACKS[name] = run
    return run
