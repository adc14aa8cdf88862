"""A law of the conformance kit: a generator of breaches, made into a test method. Nothing here knows any law."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import attrs

_SHOWN = 5


class LawBroken(AssertionError):
    """A plugin breaks a law of the kit. The text names the law, what broke it, and how."""


@attrs.frozen
class Breach:
    """One way in which a law is broken.

    Args:
        where: the vector or probe that shows it; a failure may be expected of it by that name.
        what: one clause that says what is wrong.
    """

    where: str
    what: str


class Bound(Protocol):
    """What a law asks of the class that it stands in."""

    expected_failures: ClassVar[Mapping[str, str]]


Kit = TypeVar("Kit", bound=Bound)

_MARK = "_tocsin_law"


def law(breaches: Callable[[Kit], Iterator[Breach]]) -> Callable[[Kit], None]:
    """Make a test method of a generator of breaches; it fails with what the generator yields.

    A breach at a place whose failure is expected (`law[place]`) is forgiven; an expected one that stays away is a
    breach itself, so that no excuse outlives its reason.
    """
    name = breaches.__name__.removeprefix("test_")

    @functools.wraps(breaches)
    def check(self: Kit) -> None:
        found = list(breaches(self))
        prefix = f"{name}["
        excused = {key[len(prefix) : -1] for key in self.expected_failures if key.startswith(prefix)}
        idle = excused - {one.where for one in found}
        found = [one for one in found if one.where not in excused]
        found += [Breach(where, "was expected to break this law and keeps it") for where in sorted(idle)]
        if found:
            raise LawBroken(_told(name, found))

    del check.__dict__["__wrapped__"]  # pytest would take the method for the generator behind it
    setattr(check, _MARK, name)
    return check


def laws_of(kit: type[Any]) -> dict[str, Callable[..., None]]:
    """Return the laws that a class has, by name, as they were written."""
    found: dict[str, Callable[..., None]] = {}
    for owner in reversed(kit.__mro__):
        for value in vars(owner).values():
            if name := getattr(value, _MARK, None):
                found[name] = value
    return found


def _told(name: str, found: list[Breach]) -> str:
    lines = [f"{name}: {one.where}: {one.what}" for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"… and {len(found) - _SHOWN} more")
    return "\n".join(lines)
