"""The four stacks, by name: what each needs to begin, and how it tells tocsin. Called by the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import attrs

from .alertmanager import Alertmanager
from .definitions import icinga, nagios
from .icinga import Icinga
from .nagios import Nagios
from .pair import Pair
from .people import PEOPLE
from .programs import Account
from .service import ALERTS, KEY


class Rig(Protocol):
    """A stack at work."""

    @property
    def told(self) -> int:
        """How many notifications it has got rid of so far."""

    @property
    def complaints(self) -> tuple[str, ...]:
        """What it could not get rid of, and does not try again."""

    def fire(self, units: Iterable[str]) -> None:
        """Let units break."""

    def repeat(self, units: Iterable[str]) -> None:
        """Give it an occasion to repeat what it has said of units that are broken."""

    def resolve(self, units: Iterable[str]) -> None:
        """Let units be mended."""

    def stop(self) -> None:
        """End it."""


@attrs.frozen(kw_only=True)
class Ground:
    """What a stack stands on.

    Args:
        home: an empty directory.
        url: of the gateway, or of what stands before it.
        config: of tocsin.
        units: all that may break.
    """

    home: Path
    account: Account
    url: str
    config: Path
    units: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Stack:
    """One of the stacks.

    Args:
        title: for people.
        begin: starts it; it is ready when that returns.
        posts: it posts to the gateway; else it runs `tocsin notify`.
        notifications: how many it makes of one transition.
        answer_s: how late an answer is too late for it; 0 where it posts nothing.
        spools: it may not open the store: what it has to say goes by a directory, and the worker takes it from there.
    """

    title: str
    begin: Callable[[Ground], Rig]
    posts: bool
    notifications: int
    answer_s: float = 0.0
    spools: bool = False


def _alertmanager(ground: Ground) -> Rig:
    return Alertmanager(ground.home, ground.account, ground.url + ALERTS, KEY)


def _pair(ground: Ground) -> Rig:
    return Pair(ground.home, ground.account, ground.url + ALERTS, KEY)


def _icinga(ground: Ground) -> Rig:
    return Icinga(ground.home, ground.account, icinga(ground.config), ground.units)


def _nagios(ground: Ground) -> Rig:
    return Nagios(ground.home, ground.account, nagios(ground.config), ground.units)


STACKS: Mapping[str, Stack] = {
    "alertmanager": Stack(title="Alertmanager", begin=_alertmanager, posts=True, notifications=1, answer_s=12.0),
    "pair": Stack(title="Prometheus, two Alertmanagers", begin=_pair, posts=True, notifications=1, answer_s=5.0),
    "icinga": Stack(title="Icinga 2", begin=_icinga, posts=False, notifications=len(PEOPLE)),
    "nagios": Stack(title="Nagios 4", begin=_nagios, posts=False, notifications=len(PEOPLE), spools=True),
}
