"""`tocsin serve`: the gateway and the worker, each a process of its own, started again when it ends."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.exit import Exit
from tocsin.cli.output import say
from tocsin.cli.running import begin_log, log_option
from tocsin.cli.session import Session, pass_session, shared_options
from tocsin.config import find_config
from tocsin.gateway.extra import need_gateway
from tocsin.observe import LogFormat
from tocsin.supervision.child import Program
from tocsin.supervision.listening import Listener, listen
from tocsin.supervision.supervisor import Supervisor


@click.command()
@log_option
@shared_options
@pass_session
def serve(session: Session, log_format: LogFormat) -> int:
    """Serve HTTP and deliver: the gateway and the worker, until SIGTERM or SIGINT.

    Each is a process of its own. One that ends is started again: at once, then after 1, 2, 4 … 30 seconds. SIGHUP reads
    the configuration: whole, and both are replaced, one after the other; or not at all. On SIGTERM both finish what is
    under way; a second one ends them at once, which leaves in doubt what the worker was sending.
    """
    begin_log(log_format)
    need_gateway()
    config, _ = session.load()
    path = find_config(session.config_option, session.environ, Path.cwd())
    options = ("--config", str(path), "--log-format", log_format.value, *(("--debug",) if session.debug else ()))
    supervisor = Supervisor(
        gateway=Program(name="gateway", arguments=("gateway", *options)),
        worker=Program(name="worker", arguments=("worker", *options)),
        listener=listen(config.gateway.host, config.gateway.port),
        renew=lambda listener: _renew(session, listener),
    )
    if supervisor.run():
        return Exit.OK
    say("ended at once; what was under way is in doubt")
    return Exit.INTERRUPTED


def _renew(session: Session, listener: Listener) -> Listener:
    """Read the configuration; return the listener that it asks for."""
    config, _ = session.load()
    host, port = config.gateway.host, config.gateway.port
    return listener if listener.is_for(host, port) else listen(host, port, patience_s=0)
