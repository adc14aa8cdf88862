"""Attacks by size and time: too much, too slowly, too many at once."""

from __future__ import annotations

import gzip
import json
import resource
import select
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .attack import Result, attack
from .bodies import form, row, xml
from .framing import GOOD
from .ground import KEY, TOKENS, Ground
from .wire import PATIENCE_S, Answer, Peer, Wire, head, request

LIMIT = 1024 * 1024
CROWD = 10_000
SOON_S = 5.0
"""How long a good request may take on a machine that has other things to do as well."""


@attack
def oversize_declared(ground: Ground) -> Result:
    return Result([ground.peer.ask(head("POST", ground.path("bare"), f"Content-Length: {LIMIT + 1}"))])


@attack
def oversize_absurd(ground: Ground) -> Result:
    lengths = (10**18, 2**64 - 1, 2**64, 10**25)
    return Result([ground.peer.ask(head("POST", ground.path("bare"), f"Content-Length: {one}")) for one in lengths])


@attack
def oversize_chunked(ground: Ground) -> Result:
    with ground.peer.wire() as wire:
        wire.send(head("POST", ground.path("bare"), "Transfer-Encoding: chunked"))
        wire.send(*(b"10000\r\n%s\r\n" % (b"x" * 65536) for _ in range(17)))
        return Result([wire.answer()])


@attack
def oversize_by_nothing(ground: Ground) -> Result:
    body = xml(row("13900000000", "930001"))
    return Result([ground.push("bare", body.replace(b"<returnsms>", b"<returnsms>" + b" " * (LIMIT - len(body))))])


@attack
def compressed_bomb(ground: Ground) -> Result:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(b" " * (1 << 20)) for _ in range(1000)) + squeezer.flush()
    assert len(bomb) <= LIMIT
    return Result([ground.push("bare", bomb, "Content-Encoding: gzip")])


@attack
def compressed_others(ground: Ground) -> Result:
    body = gzip.compress(GOOD)
    codings = ("deflate", "br", "zstd", "x-gzip", "GZIP", "identity, gzip", "gzip, identity", "x", "chunked")
    twice = ground.push("bare", body, "Content-Encoding: identity", "Content-Encoding: gzip")
    return Result([twice, *(ground.push("bare", body, f"Content-Encoding: {one}") for one in codings)])


@attack
def slow_headers(ground: Ground) -> Result:
    with ground.peer.wire() as wire:
        began = time.monotonic()
        for byte in head("POST", ground.path("bare"), "Content-Length: 1")[:-2]:
            if not wire.is_open():
                break
            wire.send(bytes([byte]))
            time.sleep(0.4)
        assert time.monotonic() - began < 20
        return Result([wire.answer()])


@attack
def slow_body(ground: Ground) -> Result:
    return Result([_drip(ground, head("POST", ground.path("bare"), "Content-Length: 1000"))])


def _drip(ground: Ground, begin: bytes) -> Answer:
    """Send a body byte by byte until there is an answer; it comes in time, and is the last of its connection."""
    stop = threading.Event()
    with ground.peer.wire() as wire:
        wire.send(begin)

        def drip() -> None:
            while not stop.wait(0.2):
                wire.send(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        answer = wire.answer()
        took = time.monotonic() - began
        stop.set()
        dripping.join()
    assert 9 < took < 15, took
    assert answer.closes
    return answer


@attack
def stalled_body(ground: Ground) -> Result:
    with ground.peer.wire() as wire, ground.peer.wire() as other:
        wire.send(head("POST", ground.path("bare"), "Content-Length: 1000") + b"x")
        other.send(head("POST", ground.path("main"), "Transfer-Encoding: chunked") + b"5\r\nab")
        answers = [wire.answer(), other.answer()]
    assert all(one.closes for one in answers)
    return Result(answers)


@attack
def stalled_bodies(ground: Ground) -> Result:
    with ExitStack() as stack:
        wires = [stack.enter_context(ground.peer.wire()) for _ in range(100)]
        for wire in wires:
            wire.send(head("POST", ground.path("bare"), "Content-Length: 1000") + b"x")
        held = _wait_for(wires, 92)
        _serves(ground, account="backup")
        assert not select.select(held, [], [], 0)[0]
        answers = [wire.answer() for wire in wires]
    statuses = [one.status for one in answers]
    assert (statuses.count(408), statuses.count(503)) == (8, 92)
    assert all("retry-after" in one.headers for one in answers if one.status == 503)
    return Result(answers)


def _wait_for(wires: list[Wire], answered: int) -> list[socket.socket]:
    """Wait until so many have an answer; return those that have none."""
    waiting = {wire.socket for wire in wires}
    ends_at = time.monotonic() + PATIENCE_S
    while len(wires) - len(waiting) < answered:
        assert time.monotonic() < ends_at
        waiting -= set(select.select(list(waiting), [], [], 1)[0])
    return list(waiting)


@attack
def ten_thousand_connections(ground: Ground) -> Result:
    with _crowd(ground, b"") as crowd:
        _serves(ground)
        return Result([_first_end(crowd)])


@attack
def ten_thousand_half_requests(ground: Ground) -> Result:
    half = head("POST", ground.path("bare"), "Content-Length: 10")[:-4]
    with _crowd(ground, half) as crowd:
        _serves(ground)
        return Result([_first_end(crowd)])


@contextmanager
def _crowd(ground: Ground, begin: bytes) -> Iterator[list[Wire]]:
    """Hold ten thousand connections, each of which has sent so much; all are open when the block begins."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most >= CROWD + 1000, f"this machine allows {most} open files: too few for the attack"
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd: list[Wire] = []
    try:
        for number in range(CROWD):
            peer = Peer(ground.peer.host, ground.peer.port, source=f"127.0.0.{3 + number // 2500}")
            wire = peer.connect()
            wire.send(begin)
            crowd.append(wire)
        held = sum(wire.is_open() for wire in crowd)
        assert held == CROWD, held
        yield crowd
    finally:
        for wire in crowd:
            wire.socket.close()


def _first_end(crowd: list[Wire]) -> Answer:
    """Wait for what becomes of the first of a crowd."""
    crowd[0].socket.settimeout(20)
    return crowd[0].answer()


def _serves(ground: Ground, account: str = "main") -> None:
    """See that a good push and a good call are answered, and soon."""
    began = time.monotonic()
    number = ground.number()
    body = form(number, "2114364418256720001") if account == "main" else xml(row(number, "930002"))
    assert ground.peer.post(f"/push/{account}/{TOKENS[account]}", body).status == 200
    message = json.dumps({"to": [ground.number()], "text": "a canary sings", "class": "notice"}).encode()
    call = request("POST", "/v1/messages", message, "Content-Type: application/json", f"Authorization: Bearer {KEY}")
    assert ground.peer.ask(call).status == 202
    assert time.monotonic() - began < SOON_S
