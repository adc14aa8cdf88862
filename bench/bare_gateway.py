"""The gateway's own server with an endpoint that stores nothing: what `bench/gateway.py` compares with.

Same Granian, same settings, same Falcon; it reads the body and answers 202.

    python bench/bare_gateway.py PORT
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from wsgiref.types import WSGIApplication

import attrs
import falcon

from tocsin import observe
from tocsin.gateway.process import LoadApp
from tocsin.gateway.serving import Service, serve
from tocsin.supervision.listening import listen


class Accepting:
    """Reads, and says that it accepted."""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer 202."""
        request.stream.read(1024 * 1024)
        response.status = falcon.HTTP_202
        response.media = {"id": "0" * 20, "deliveries": [{"id": "0" * 20 + ".1", "to": "", "state": "queued"}]}


@attrs.frozen(kw_only=True)
class LoadBare(LoadApp):
    """Makes the bare application."""

    def _build(self, stopping: threading.Event) -> WSGIApplication:  # noqa: ARG002
        app = falcon.App()
        app.add_route("/v1/messages", Accepting())
        return app


if __name__ == "__main__":
    observe.show_log(logging.INFO)
    serve(
        Service(
            load=LoadBare(config=Path()),
            listener=listen("127.0.0.1", int(sys.argv[1])).socket,
        )
    )
