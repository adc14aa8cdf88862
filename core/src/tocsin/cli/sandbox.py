"""`tocsin sandbox`: vendors' sides on loopback, until interrupted."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

import click

from tocsin.cli.output import print_json
from tocsin.cli.session import json_option, shared_options
from tocsin.errors import InvalidInput
from tocsin.sandbox import RunningControl, RunningSandbox, example_config, start, start_control


@click.command()
@click.argument("vendors", nargs=-1, required=True, metavar="VENDOR...")
@click.option(
    "--port",
    type=click.IntRange(0, 65000),
    default=0,
    metavar="N",
    help="Port of the first vendor; the others and the control API follow. Any free ones by default.",
)
@json_option
@shared_options
def sandbox(vendors: tuple[str, ...], port: int, as_json: bool) -> None:
    """Run vendors' sides on this machine, with faults to order, until interrupted.

    Nothing leaves the machine. The control API orders faults, reports and replies, and shows the ledger: what a
    phone would have received. A tocsin.toml for it is printed.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _, __: stopped.set())
    with ExitStack() as stack:
        try:
            running = [
                stack.enter_context(start(vendor, port=port and port + offset))
                for offset, vendor in enumerate(dict.fromkeys(vendors))
            ]
            control = stack.enter_context(start_control(running, port and port + len(running)))
        except OSError as error:
            raise InvalidInput(f"a port is taken: {error.strerror}; try another --port") from None
        _announce(running, control, as_json)
        stopped.wait()


def _announce(running: list[RunningSandbox], control: RunningControl, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "control": control.base_url,
                "sandboxes": [
                    {"vendor": one.vendor, "base_url": one.base_url, "settings": dict(one.account_settings)}
                    for one in running
                ],
                "config": example_config(running),
            }
        )
        return
    click.echo(f"# control API: {control.base_url}/   (GET /, GET /VENDOR/ledger, POST /VENDOR/faults ...)")
    click.echo("# tocsin.toml for these sandboxes:\n")
    click.echo(example_config(running))
    click.echo("# running; interrupt to stop", err=True)
