"""What happens to a stack and to tocsin: an alert fires, repeats and resolves, and something goes wrong meanwhile.

Called by the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from ..waiting import until
from .judge import FIRING
from .stage import Stage

FEW, MANY, KILLS = 3, 30, 10

_NO_LIMITS = "\n[limits]\nper_recipient = []\ncritical_per_recipient = []\n"
_SOURCES = ("alertmanager", "icinga", "nagios")
EACH_BY_ITSELF = _NO_LIMITS + "".join(f"\n[sources.{name}]\nstorm = {{ messages = 0 }}\n" for name in _SOURCES)
"""Where many alerts fire, each is told by itself and at once: what is lost, or told twice, could hide in a sum."""


@attrs.frozen(kw_only=True)
class Scenario:
    """One story.

    Args:
        title: for people.
        play: tells it.
        units: how many alerts.
        settings: more tables of tocsin's configuration.
        copies: whether second copies may be there, where `explain` names them.
    """

    title: str
    play: Callable[[Stage], None]
    units: int = FEW
    settings: str = ""
    copies: bool = False


def fire_repeat_resolve(stage: Stage) -> None:
    """Let all units break, let the stack repeat itself, let all be mended."""
    with stage.told_once():
        stage.fire(stage.units)
    stage.let_repeat()
    with stage.told_once():
        stage.resolve(stage.units)


def be_dark(stage: Stage) -> None:
    """Do the same while the first account's vendor refuses connections."""
    stage.vendors.darken()
    fire_repeat_resolve(stage)


def be_slow(stage: Stage) -> None:
    """Do the same before a gateway, or a store, that takes too long over each transition."""
    with stage.slowed():
        stage.fire(stage.units)
    stage.let_repeat()
    with stage.slowed():
        stage.resolve(stage.units)


def kill_ten_times(stage: Stage) -> None:
    """Let units break a few at a time, kill after each time; then let them be mended in the same way."""
    stage.vendors.be_slow()
    batches = _batches(stage.units, KILLS // 2)
    for turn, batch in enumerate(batches, 1):
        stage.fire(batch)
        stage.kill(turn)
    stage.rig.repeat(batches[0])
    until(lambda: stage.on_phones(FIRING), "everybody has heard of all that broke", within_s=120.0)
    for turn, batch in enumerate(batches, 1 + KILLS // 2):
        stage.resolve(batch)
        stage.kill(turn)


def _batches(units: Sequence[str], count: int) -> list[Sequence[str]]:
    return [units[first::count] for first in range(count)]


SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(title="in calm", play=fire_repeat_resolve),
    "dark": Scenario(title="the first vendor is dark", play=be_dark),
    "slow": Scenario(title="slower than patience", play=be_slow),
    "killed": Scenario(
        title=f"killed {KILLS} times", play=kill_ten_times, units=MANY, settings=EACH_BY_ITSELF, copies=True
    ),
}
