"""The application: which endpoint answers where. Built once, in the process that serves."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import falcon

from tocsin.app import Tocsin
from tocsin.config import Config
from tocsin.gateway import problems
from tocsin.gateway.admission import Admission
from tocsin.gateway.alerts import StackAlerts
from tocsin.gateway.body import BodyReader, Lingering
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

DEADLINE_S = 10.0
"""Within which a body has to be whole."""

MOST_WAITING = 32
MOST_WAITING_EACH = 8
"""Bodies that are waited for at a time, and those of one key or account. Whoever does not send keeps a thread each."""

AT_ONCE = 8
"""Small bodies that requests read themselves at a time."""


@attrs.frozen(kw_only=True)
class Gateway:
    """The parts that endpoints are made of.

    Args:
        reception: what most of them work with.
        config: what all was made from.
        meters: what is counted.
        canary: says whether the store takes anything.
        pushes: the vendors' endpoint.
    """

    reception: Reception
    config: Config
    meters: Meters
    canary: Canary
    pushes: VendorPush


def build_app(tocsin: Tocsin, config: Config, *, stopping: threading.Event) -> WSGIApplication:
    """Return the WSGI application.

    Args:
        tocsin: at work; whoever opened it closes it.
        config: what it was made from.
        stopping: set when the gateway is told to end: what streams then ends.
    """
    gateway = open_gateway(tocsin, config, stopping)
    gateway.pushes.read_left_behind()
    app = falcon.App(middleware=[Counting(gateway.meters)])
    app.req_options.strip_url_path_trailing_slash = True  # never a redirect: it would lose a body
    app.req_options.auto_parse_qs_csv = False
    problems.install(app)
    for path, resource in endpoints(gateway).items():
        app.add_route(path, resource)
    return Admission(Lingering(app), MOST_REQUESTS, gateway.meters.turned_away.inc)


def open_gateway(tocsin: Tocsin, config: Config, stopping: threading.Event) -> Gateway:
    """Return what endpoints are made of."""
    parts = tocsin.parts
    canary = Canary(parts.store, parts.clock)
    meters = Meters(StoreCollector(parts.reopen, parts.fleet, parts.clock, canary, config.store.path))
    bodies = BodyReader(deadline_s=DEADLINE_S, most=MOST_WAITING, most_each=MOST_WAITING_EACH, at_once=AT_ONCE)
    reception = Reception(
        tocsin=tocsin,
        keys=Keyring(config.gateway.keys, parts.clock.monotonic),
        bodies=bodies,
        committer=Committer(parts.store, parts.clock, broken=_end, told=meters.batches.observe),
        stopping=stopping,
    )
    pushes = VendorPush(parts, bodies, config.gateway.trusted_proxies, _end)
    return Gateway(reception=reception, config=config, meters=meters, canary=canary, pushes=pushes)


def endpoints(gateway: Gateway) -> Mapping[str, object]:
    """Return what answers, by its path."""
    reception = gateway.reception
    return {
        "/v1/messages": Messages(reception),
        "/v1/messages/{name}": OneMessage(reception),
        "/v1/alerts/{source}": StackAlerts(reception),
        "/alert": StackAlerts(reception),
        "/v1/inbound": Inbound(reception),
        "/v1/accounts": Accounts(reception),
        "/v1/events": Events(reception),
        "/push/{account}/{token}": gateway.pushes,
        "/healthz": Alive(),
        "/readyz": Readiness(gateway.canary, gateway.config.store.path),
        "/metrics": Metrics(gateway.meters),
        "/openapi.json": Document(),
    }


def _end() -> None:
    """End this process in good order: nobody knows what its store holds, and the next one looks."""
    os.kill(os.getpid(), signal.SIGTERM)
