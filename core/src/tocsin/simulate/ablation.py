"""One safeguard taken out, for as long as a life lasts: what is proved without it is proved by nothing.

Production code has no switches for this. An ablation reaches in from outside and puts something weaker in the place of
a function, by name; a name that is not there any more is an error, so that none can rust away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.frozen
class Cut:
    """One name, and what takes its place.

    Args:
        owner: the module or class that has it.
        name: of a function, a method or a property.
        instead: the weaker one.
    """

    owner: object
    name: str
    instead: object


@attrs.frozen(kw_only=True)
class Ablation:
    """One safeguard.

    Args:
        name: says what is done without it.
        rules: the rules and invariants that it stands for.
        cuts: where it is taken out.
    """

    name: str
    rules: tuple[str, ...]
    cuts: tuple[Cut, ...]


@contextmanager
def without(ablation: Ablation | None) -> Iterator[None]:
    """Take a safeguard out, and put it back.

    Raises:
        LookupError: a name is not where the ablation looks for it.
    """
    cuts = () if ablation is None else ablation.cuts
    whole = []
    for cut in cuts:
        if cut.name not in vars(cut.owner):
            raise LookupError(f"{cut.owner} has no {cut.name} to take out")
        whole.append((cut, vars(cut.owner)[cut.name]))
    try:
        for cut in cuts:
            setattr(cut.owner, cut.name, cut.instead)
        yield
    finally:
        for cut, safeguard in whole:
            setattr(cut.owner, cut.name, safeguard)
