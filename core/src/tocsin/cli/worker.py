"""`tocsin worker`: delivers what is queued, until it is told to stop."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType

import click

from tocsin.cli.output import say
from tocsin.cli.running import begin_log, end_with_supervisor, log_option, supervised_option
from tocsin.cli.session import Session, pass_session, shared_options
from tocsin.delivery.worker import Worker
from tocsin.observe import LogFormat
from tocsin.supervision.leash import Leash

_ENDS = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option("--drain", is_flag=True, help="End once nothing is due and nothing under way; poll no vendor.")
@log_option
@supervised_option
@shared_options
@pass_session
def worker(session: Session, drain: bool, log_format: LogFormat, supervised: bool) -> None:
    """Deliver what is queued: submit, poll, follow up, until SIGTERM or SIGINT.

    One worker to a store. On the first signal it claims nothing more, waits for the answers under way (15 s at most)
    and settles them; a second signal ends it at once, which leaves those in doubt. Its log goes to standard error.
    """
    begin_log(log_format)
    if supervised:
        end_with_supervisor(Leash())
    with session.open() as tocsin:
        tocsin.run_worker(drain=drain, ready=_end_on_signal)


def _end_on_signal(running: Worker) -> None:
    def end(_: int, __: FrameType | None) -> None:
        for number in _ENDS:
            signal.signal(number, signal.SIG_DFL)
        running.stop()
        with suppress(RuntimeError, OSError):  # it may interrupt a line that is just being written
            say("ending: waiting for the answers under way; once more ends at once")

    for number in _ENDS:
        signal.signal(number, end)
