"""The application: which endpoint answers where. Built once, in the process that serves."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import falcon

from tocsin.app import Tocsin
from tocsin.config import Config
from tocsin.gateway import problems
from tocsin.gateway.admission import Admission
from tocsin.gateway.committer import Committer
from tocsin.gateway.events import Events
from tocsin.gateway.health import Alive, Canary, Readiness
from tocsin.gateway.keys import Keyring
from tocsin.gateway.looking import Accounts, Inbound
from tocsin.gateway.messages import Messages, OneMessage
from tocsin.gateway.metrics import Counting, Meters, Metrics
from tocsin.gateway.openapi import Document
from tocsin.gateway.push import VendorPush
from tocsin.gateway.reception import Reception
from tocsin.gateway.watching import StoreCollector

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

MOST_REQUESTS = 48
"""How many requests are worked on at a time; more are told to come again. Below the server's threads, of which streams
of events keep some."""


def build_app(tocsin: Tocsin, config: Config, *, stopping: threading.Event) -> WSGIApplication:
    """Return the WSGI application.

    Args:
        tocsin: at work; whoever opened it closes it.
        config: what it was made from.
        stopping: set when the gateway is told to end: what streams then ends.
    """
    parts = tocsin.parts
    meters = Meters(StoreCollector(parts.reopen, parts.fleet, parts.clock, config.store.path))
    reception = open_reception(tocsin, config, stopping, meters.batches.observe)
    app = falcon.App(middleware=[Counting(meters)])
    app.req_options.strip_url_path_trailing_slash = True  # never a redirect: it would lose a body
    app.req_options.auto_parse_qs_csv = False
    problems.install(app)
    for path, resource in endpoints(reception).items():
        app.add_route(path, resource)
    app.add_route("/push/{account}/{token}", open_push(tocsin, config))
    app.add_route("/readyz", Readiness(Canary(parts.store, parts.clock), config.store.path))
    app.add_route("/metrics", Metrics(meters))
    return Admission(app, MOST_REQUESTS, meters.turned_away.inc)


def open_reception(
    tocsin: Tocsin, config: Config, stopping: threading.Event, told: Callable[[int], None] = lambda _: None
) -> Reception:
    """Return what every endpoint works with."""
    return Reception(
        tocsin=tocsin,
        keys=Keyring(config.gateway.keys, tocsin.parts.clock.monotonic),
        committer=Committer(tocsin.parts.store, tocsin.parts.clock, broken=_end, told=told),
        stopping=stopping,
    )


def open_push(tocsin: Tocsin, config: Config) -> VendorPush:
    """Return the endpoint that vendors push to, once what the last gateway left behind is read."""
    push = VendorPush(tocsin.parts, config.gateway.trusted_proxies, _end)
    push.read_left_behind()
    return push


def endpoints(reception: Reception) -> Mapping[str, object]:
    """Return what answers, by its path."""
    return {
        "/v1/messages": Messages(reception),
        "/v1/messages/{name}": OneMessage(reception),
        "/v1/inbound": Inbound(reception),
        "/v1/accounts": Accounts(reception),
        "/v1/events": Events(reception),
        "/healthz": Alive(),
        "/openapi.json": Document(),
    }


def _end() -> None:
    """End this process in good order: nobody knows what its store holds, and the next one looks."""
    os.kill(os.getpid(), signal.SIGTERM)
