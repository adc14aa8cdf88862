"""What the commands share that run until they are told to end: how they log, and the supervisor that they end with."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from typing import Any, TypeVar

import click

from tocsin import observe
from tocsin.observe import LogFormat
from tocsin.supervision.leash import Leash

F = TypeVar("F", bound=Callable[..., Any])


def log_option(command: F) -> F:
    """Give a command `--log-format`."""
    return click.option(
        "--log-format",
        type=click.Choice([one.value for one in LogFormat]),
        default=LogFormat.LOGFMT.value,
        callback=lambda _, __, value: LogFormat(value),
        help="How log lines are written: logfmt for people, json for a collector.",
    )(command)


def supervised_option(command: F) -> F:
    """Give a command `--supervised`."""
    return click.option(
        "--supervised", is_flag=True, help="For `tocsin serve`: end when standard input, a socket of its, does."
    )(command)


def begin_log(form: LogFormat) -> None:
    """Write log lines from now on."""
    observe.show_log(logging.INFO, form)


def end_with_supervisor(leash: Leash) -> None:
    """End in an orderly way once the supervisor has ended."""
    leash.watch(lambda: os.kill(os.getpid(), signal.SIGTERM))
