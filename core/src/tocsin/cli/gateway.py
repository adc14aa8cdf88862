"""`tocsin gateway`: the HTTP service alone. `tocsin serve` runs it beside the worker."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.running import begin_log, end_with_supervisor, log_option, supervised_option
from tocsin.cli.session import Session, pass_session, shared_options
from tocsin.config import find_config
from tocsin.gateway.extra import need_gateway
from tocsin.observe import LogFormat
from tocsin.supervision.leash import Leash
from tocsin.supervision.listening import listen


@click.command()
@log_option
@supervised_option
@shared_options
@pass_session
def gateway(session: Session, log_format: LogFormat, supervised: bool) -> None:
    """Serve HTTP, until SIGTERM or SIGINT: what is under way then is answered.

    It accepts; a worker delivers. SIGHUP reads the configuration anew, but for the address. Its log goes to standard
    error; a line tells the address once it answers.
    """
    begin_log(log_format)
    need_gateway()
    config, _ = session.load()
    from tocsin.gateway.process import LoadApp
    from tocsin.gateway.serving import Service, serve

    leash = Leash() if supervised else None
    socket = leash.receive_listener() if leash else listen(config.gateway.host, config.gateway.port).socket
    if leash:
        end_with_supervisor(leash)
    path = find_config(session.config_option, session.environ, Path.cwd())
    serve(
        Service(
            load=LoadApp(config=path, log_format=log_format, debug=session.debug),
            listener=socket,
            ready=leash.say_ready if leash else lambda: None,
            check=session.load,
        )
    )
