"""The proxy before the gateway lets requests pass at once, and holds answers back as it is told."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.stacks.proxy import Proxy
from tests.waiting import until


class Gateway:
    """A server that counts."""

    def __init__(self) -> None:
        self.asked = 0
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                gateway.asked += 1
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = ("127.0.0.1", self._server.server_port)

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Run a server that counts."""
    running = Gateway()
    yield running
    running.close()


@pytest.fixture
def proxy(gateway: Gateway) -> Iterator[Proxy]:
    """Run a proxy before it."""
    running = Proxy(gateway.address)
    yield running
    running.close()


def ask(proxy: Proxy) -> http.client.HTTPConnection:
    """Post something; the answer is still to be read."""
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/", b"x" * 200_000)
    return connection


def test_requests_and_answers_pass(gateway, proxy):
    """What is not held passes, and is counted."""
    for _ in range(2):
        connection = ask(proxy)
        assert connection.getresponse().status == 202
        connection.close()

    assert (gateway.asked, proxy.requests) == (2, 2)


def test_an_answer_is_held_back(gateway, proxy):
    """The gateway has done its work long before its answer is there."""
    proxy.hold(0.5)
    began = time.monotonic()
    connection = ask(proxy)
    until(lambda: gateway.asked, "the request passes", within_s=10)

    assert connection.getresponse().status == 202
    assert time.monotonic() - began >= 0.5
    connection.close()


def test_what_is_held_may_be_let_go(gateway, proxy):
    """An answer that waits goes as soon as it may."""
    proxy.hold(600)
    connection = ask(proxy)
    until(lambda: gateway.asked, "the request passes", within_s=10)
    proxy.hold(0)

    assert connection.getresponse().status == 202
    connection.close()


def test_closing_waits_for_no_answer(gateway, proxy):
    """A proxy that is closed hangs up on whoever waits."""
    proxy.hold(600)
    connection = ask(proxy)
    until(lambda: gateway.asked, "the request passes", within_s=10)
    proxy.close()

    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
