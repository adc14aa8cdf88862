"""Who comes in: so many requests at a time, and no more. Whoever is turned away is told so at once, and to come again.

What is let in is served as fast as if nobody else were waiting; a queue that grows would make everybody late.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths of those who watch: they are let in when nobody else is, or they would take a busy gateway for a dead one."""

_DETAIL = "too much at once; nothing was accepted"


class Admission:
    """A WSGI application in front of another.

    Args:
        app: serves whoever comes in.
        most: requests at a time.
        refused: called for each that is turned away.
    """

    def __init__(self, app: WSGIApplication, most: int, refused: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._places = threading.BoundedSemaphore(most)
        self._refused = refused

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in ALWAYS:
            return self._app(environ, start)
        if not self._places.acquire(blocking=False):
            return self._turn_away(start)
        try:
            return self._app(environ, start)
        finally:
            self._places.release()

    def _turn_away(self, start: StartResponse) -> Iterable[bytes]:
        self._refused()
        body = json.dumps({"type": "about:blank", "title": "Not now", "status": 503, "detail": _DETAIL}).encode()
        headers = [
            ("content-type", "application/problem+json"),
            ("content-length", str(len(body))),
            ("retry-after", "1"),
        ]
        start("503 Service Unavailable", headers)
        return [body]
