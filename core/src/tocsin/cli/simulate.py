"""`tocsin simulate`: a configuration in virtual time before vendors in trouble; beside another; on a real journal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import click

from tocsin.cli.exit import Exit
from tocsin.cli.figures import columns_of, result_json, rows_of
from tocsin.cli.output import print_json, print_table, say
from tocsin.cli.progress import Told, progress
from tocsin.cli.session import Session, json_option, pass_session, shared_options
from tocsin.config import Config
from tocsin.errors import ConfigError, InvalidInput, StoreError
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox
from tocsin.registry import Registry
from tocsin.rehearse.cast import players, spoken_of, strangers
from tocsin.rehearse.chart import Panel, draw
from tocsin.rehearse.journal import Journal, read_journal
from tocsin.rehearse.play import Play
from tocsin.rehearse.reckoning import Result
from tocsin.rehearse.rehearsal import rehearse
from tocsin.rehearse.scenario import Scenario
from tocsin.rehearse.script import find_scenario, names
from tocsin.rehearse.staging import as_recorded, as_scripted

DEFAULT = "outage"
_CONFIGURED = ""
"""The value of `--journal` where no store is named."""

_SVG = ".svg"


@attrs.frozen(kw_only=True)
class Order:
    """What was asked for; see the command's options."""

    scenario: str | None
    seed: int
    against: str | None
    journal: str | None
    plot: str | None


@click.command()
@click.option("--scenario", metavar="NAME", help=f"One of {', '.join(names())}, or a TOML file. [default: {DEFAULT}]")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N", help="Of all dice.")
@click.option("--against", metavar="FILE", help="Another configuration, to compare with.")
@click.option(
    "--journal",
    is_flag=False,
    flag_value=_CONFIGURED,
    metavar="[STORE]",
    help="Replay what a store recorded, the configured one by default. Its vendors do again what they did, unless "
    "--scenario says what they do.",
)
@click.option("--plot", metavar="FILE", help="Write a plot, too, as SVG.")
@json_option
@shared_options
@pass_session
def simulate(session: Session, /, as_json: bool, **options: Any) -> int:
    """Rehearse the configuration in virtual time, before vendors in trouble. Sends nothing, changes nothing.

    Shows for each account what would have been delivered, late, sent twice or lost, and what it would have cost. Exit 1
    where something was lost, or sent twice unasked.
    """
    order = Order(**options)
    _check_plot(order.plot)
    configurations = _load(session, order.against)
    plays = _make_plays(order, configurations)
    results = [_rehearse(play) for play in plays]
    named = list(zip(_names_of(configurations), results, strict=True))
    if order.plot is not None:
        _write_plot(order.plot, plays, named)
    if as_json:
        _print_json(plays[0], named)
    else:
        _show(plays[0], named)
    return Exit.OK if all(result.sound for result in results) else Exit.REFUSED


def _load(session: Session, against: str | None) -> list[tuple[Config, Registry]]:
    others = [] if against is None else [attrs.evolve(session, config_option=against)]
    return [one.load() for one in (session, *others)]


def _names_of(configurations: Sequence[tuple[Config, Registry]]) -> list[str]:
    """Return what the configurations are called: by their files' names, where these tell them apart."""
    paths = [Path(config.source) for config, _ in configurations]
    apart = len({path.name for path in paths}) == len(paths)
    return [path.name if apart else str(path) for path in paths]


def _make_plays(order: Order, configurations: Sequence[tuple[Config, Registry]]) -> list[Play]:
    first, _ = configurations[0]
    journal = None if order.journal is None else _read_journal(order.journal, first)
    scenario = None
    if order.scenario is not None or journal is None:
        scenario = find_scenario(order.scenario or DEFAULT, first.groups)
        _check_cast(scenario, [config for config, _ in configurations])
    return [_make_play(one, registry, scenario, journal, order.seed) for one, registry in configurations]


def _make_play(
    config: Config, registry: Registry, scenario: Scenario | None, journal: Journal | None, seed: int
) -> Play:
    if journal is not None:
        return as_recorded(config, registry, journal, seed, scenario)
    assert scenario is not None
    return as_scripted(config, registry, scenario, seed)


def _read_journal(given: str, config: Config) -> Journal:
    """Read a store that is there, and that nobody can change by it."""
    path = config.store.path if given == _CONFIGURED else Path(given)
    if not path.exists():
        raise StoreError(f"there is no store {path} yet")
    with closing(open_rows(path)) as rows:
        rows.look_only()
        journal = read_journal(Outbox(rows, lambda _: False))
    for name in config.accounts:
        if name not in journal.records:
            say(f"of account {name} the store has no attempt; its vendor behaves as on a quiet day")
    return journal


def _check_cast(scenario: Scenario, configurations: Sequence[Config]) -> None:
    """Refuse a scenario that speaks of accounts that nobody has, and say whose part nobody plays."""
    accounts = [name for config in configurations for name in config.accounts]
    if unknown := strangers(scenario, accounts):
        raise ConfigError(scenario.name, tuple(f"no account is named {name}, and no part is" for name in unknown))
    for config in configurations:
        for part in spoken_of(scenario):
            if not players(part, tuple(config.accounts)):
                say(f"{config.source} has no account for the part of {part}")


def _rehearse(play: Play) -> Result:
    """Rehearse, with a bar over the virtual minutes."""
    with progress(round(play.scenario.duration_s / 60), "rehearsing") as told:
        return rehearse(play, _Minutes(told).told)


class _Minutes:
    """Turns seconds that went by into whole minutes for a bar."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._left_s = 0.0

    def told(self, seconds: float) -> None:
        """Tell the bar of the minutes that are full."""
        minutes, self._left_s = divmod(self._left_s + seconds, 60)
        if minutes:
            self._told(int(minutes))


def _print_json(play: Play, named: Sequence[tuple[str, Result]]) -> None:
    print_json(
        {
            "scenario": play.scenario.name,
            "title": play.scenario.title,
            "seed": play.seed,
            "ok": all(result.sound for _, result in named),
            "configurations": [result_json(name, result) for name, result in named],
        }
    )


def _show(play: Play, named: Sequence[tuple[str, Result]]) -> None:
    headings, figures = columns_of(named)
    click.echo(f"{play.scenario.name}: {play.scenario.title} (seed {play.seed})")
    print_table(headings, rows_of(figures), "")
    for name, result in named:
        if result.turned_away:
            say(f"{name}: no route takes {result.turned_away:,} of the messages")
        unsound = f"lost {result.total.lost:,}, sent twice unasked {result.total.unasked_copies:,}"
        click.echo(unsound if len(named) == 1 else f"{name}: {unsound}")


def _check_plot(name: str | None) -> None:
    if name is not None and Path(name).suffix.lower() != _SVG:
        raise click.UsageError(f"--plot {name}: expected a name that ends in {_SVG}")


def _end_of(play: Play, result: Result) -> float:
    """Return when the last thing happened that a plot shows."""
    last_s = max((moments[-1] for moments in result.curve.rang_s.values() if moments), default=0.0)
    return min(result.ended_s, max(play.scenario.duration_s, last_s))


def _write_plot(name: str, plays: Sequence[Play], named: Sequence[tuple[str, Result]]) -> None:
    panels = [
        Panel(
            title=f"{configuration}: {play.scenario.title}",
            curve=result.curve,
            ends_s=_end_of(play, result),
            troubles=play.scenario.spans(_end_of(play, result)),
        )
        for play, (configuration, result) in zip(plays, named, strict=True)
    ]
    try:
        Path(name).write_text(draw(panels), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"--plot {name} cannot be written: {error.strerror}") from None
