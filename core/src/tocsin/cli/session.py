"""What every command shares: the options before it, and the tocsin that it opens when it needs one.

What only some commands need is loaded when they do: `tocsin notify` has a second for all of it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

if TYPE_CHECKING:
    from tocsin.app import Surroundings, Tocsin
    from tocsin.config import Config
    from tocsin.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


@attrs.define
class Session:
    """One run of the command line.

    Args:
        config_option: what `--config` says.
        debug: tracebacks for internal errors.
        surroundings: what reaches outside; a crash test puts its own in place. None for the real ones.
        environ: the environment.
    """

    config_option: str | None = None
    debug: bool = False
    surroundings: Surroundings | None = None
    environ: Mapping[str, str] = attrs.field(factory=lambda: os.environ)

    def load(self) -> tuple[Config, Registry]:
        """Read the configuration with the installed plugins."""
        from tocsin.config import find_config, load_config
        from tocsin.registry import build_registry

        registry = build_registry()
        path = find_config(self.config_option, self.environ, Path.cwd())
        config = load_config(
            path,
            vendors=registry.described(),
            unavailable=registry.broken(),
            sources=registry.described_sources(),
            environ=self.environ,
        )
        return config, registry

    @contextmanager
    def open(self) -> Iterator[Tocsin]:
        """Open the configured store and all that works on it."""
        from tocsin.app import Tocsin

        config, registry = self.load()
        with Tocsin(config, registry, self.surroundings) as tocsin:
            yield tocsin


def _remember_config(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Session).config_option = value


def _remember_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).debug = True


def _set_verbosity(_: click.Context, __: click.Parameter, value: int) -> None:
    if value:
        from tocsin import observe

        observe.show_log(logging.INFO if value == 1 else logging.DEBUG)


def shared_options(command: F) -> F:
    """Give a command the options that stand before or after its name."""
    for option in (
        click.option(
            "--verbose", "-v", count=True, expose_value=False, callback=_set_verbosity, help="Show log lines."
        ),
        click.option(
            "--debug", is_flag=True, expose_value=False, callback=_remember_debug, help="Traceback for internal errors."
        ),
        click.option(
            "--config",
            metavar="FILE",
            expose_value=False,
            callback=_remember_config,
            help="Configuration; else $TOCSIN_CONFIG, else ./tocsin.toml.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: F) -> F:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


pass_session = click.make_pass_decorator(Session, ensure=True)
