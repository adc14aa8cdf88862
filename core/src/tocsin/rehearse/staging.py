"""Makes plays: of a configuration and a scenario, or of a configuration and what a store has recorded."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tocsin.config import Config
from tocsin.model.account import Account
from tocsin.registry import Registry
from tocsin.rehearse.acting import Acting
from tocsin.rehearse.cast import behaviour_of, troubles_of
from tocsin.rehearse.journal import Journal
from tocsin.rehearse.play import Play
from tocsin.rehearse.recorded import Recorded
from tocsin.rehearse.scenario import Behaviour, Scenario
from tocsin.rehearse.traffic import offers_of
from tocsin.rehearse.vendor import Character
from tocsin.simulate.dice import dice_of

_Casting = Callable[[Account], Character]

REPLAY = "journal"
_SETTLES_S = 24 * 3600.0


def as_scripted(config: Config, registry: Registry, scenario: Scenario, seed: int) -> Play:
    """Return the play of a scenario."""
    return Play(
        config=config,
        registry=registry,
        scenario=scenario,
        seed=seed,
        offers=lambda: offers_of(scenario, seed),
        character=_scripted(config, scenario, seed),
        begins=scenario.begins,
    )


def as_recorded(
    config: Config, registry: Registry, journal: Journal, seed: int, scenario: Scenario | None = None
) -> Play:
    """Return the play of a journal.

    Args:
        config: whose policy is asked, and need not be the one that the journal was recorded with.
        registry: the real plugins.
        journal: the messages, and what the vendors did.
        seed: of every dice.
        scenario: what the vendors do instead; its traffic does not count.
    """
    if scenario is None:
        title = "the recorded messages, before vendors that do again what they did"
        replay = Scenario(name=REPLAY, title=title, duration_s=journal.length_s, settles_s=_SETTLES_S, traffic=())
        character = _as_it_was(journal, seed)
    else:
        replay = attrs.evolve(scenario, duration_s=max(scenario.duration_s, journal.length_s), traffic=())
        character = _scripted(config, scenario, seed)
    return Play(
        config=config,
        registry=registry,
        scenario=replay,
        seed=seed,
        offers=lambda: journal.offers,
        character=character,
        begins=journal.begins,
    )


def _scripted(config: Config, scenario: Scenario, seed: int) -> _Casting:
    accounts = tuple(config.accounts)

    def character(account: Account) -> Character:
        behaviour = behaviour_of(scenario, account.id, accounts)
        return Acting(behaviour, troubles_of(scenario, account.id, accounts), _name(seed, account))

    return character


def _as_it_was(journal: Journal, seed: int) -> _Casting:
    """Return the recorded vendors; one that no attempt is recorded of behaves as on a quiet day."""

    def character(account: Account) -> Character:
        if account.id in journal.records:
            return Recorded(account.id, journal, dice_of(_name(seed, account)))
        return Acting(Behaviour(), (), _name(seed, account))

    return character


def _name(seed: int, account: Account) -> str:
    return f"vendor {seed} {account.id}"
