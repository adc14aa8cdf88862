"""Attacks on where a request ends: lengths, chunks, headers."""

from __future__ import annotations

from .attack import Result, attack
from .bodies import report
from .ground import Ground
from .wire import Answer, Wire, chunked, head, request

GOOD = report("13900000000", "910001")
"""For what is never read."""


def frame(ground: Ground, *headers: str, body: bytes = GOOD, account: str = "bare") -> Answer:
    """Push with a frame of one's own."""
    return ground.peer.ask(head("POST", ground.path(account), *headers) + body)


def fresh(ground: Ground) -> bytes:
    """Return a push that was not pushed before."""
    return report(ground.number(), "910001")


@attack
def length_twice_different(ground: Ground) -> Result:
    lengths = [len(GOOD), len(GOOD) - 1]
    orders = [lengths, lengths[::-1]]
    return Result([frame(ground, *(f"Content-Length: {one}" for one in order)) for order in orders])


@attack
def length_twice_equal(ground: Ground) -> Result:
    body = fresh(ground)
    return Result([frame(ground, *[f"Content-Length: {len(body)}"] * 2, body=body)])


@attack
def length_odd(ground: Ground) -> Result:
    lines = (
        "Content-Length: +3",
        "Content-Length: -1",
        "Content-Length: 0x3",
        "Content-Length: 3,4",
        "Content-Length: 3 4",
        "Content-Length: three",
        "Content-Length : 3",
        "Content-Length\t: 3",
    )
    return Result([frame(ground, line) for line in lines])


@attack
def length_and_chunked(ground: Ground) -> Result:
    smuggled = request("POST", ground.path("backup"), fresh(ground))
    both = head("POST", ground.path("bare"), "Content-Length: 5", "Transfer-Encoding: chunked")
    with ground.peer.wire() as wire:
        wire.send(both + chunked(fresh(ground)) + smuggled)
        answer = wire.answer()
        assert wire.answer().status == "closed"
    return Result([answer])


@attack
def transfer_encoding_odd(ground: Ground) -> Result:
    lines = (
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: identity",
    )
    return Result([frame(ground, line, body=chunked(GOOD)) for line in lines])


@attack
def transfer_encoding_coded(ground: Ground) -> Result:
    return Result([frame(ground, f"Transfer-Encoding: {one}, chunked", body=chunked(GOOD)) for one in ("gzip", "x")])


@attack
def chunk_broken(ground: Ground) -> Result:
    torn = report(ground.number(), "910002", ground.number())[:-60]
    with ground.peer.wire() as wire:
        wire.send(head("POST", ground.path("bare"), "Transfer-Encoding: chunked"), chunked(torn, end=b"zz\r\nxxx\r\n"))
        answer = wire.answer()
        assert wire.answer().status == "closed"
    return Result([answer])


@attack
def header_line_folded(ground: Ground) -> Result:
    return Result([frame(ground, f"Content-Length: {len(GOOD)}", "X-Folded: a\r\n b")])


@attack
def header_underscores(ground: Ground) -> Result:
    named = ("Content_Length: 1", "Transfer_Encoding: chunked", "Content_Encoding: gzip")
    return Result([ground.peer.ask(request("POST", "/push/bare/wrong", GOOD, *named))])


@attack
def headers_many(ground: Ground) -> Result:
    return Result([frame(ground, *(f"X-{number}: x" for number in range(2000)))])


@attack
def headers_large(ground: Ground) -> Result:
    return Result([frame(ground, "X-Large: " + "x" * 500_000), frame(ground, "X" * 500_000 + ": x")])


@attack
def pipelined_garbage(ground: Ground) -> Result:
    with ground.peer.wire() as wire:
        wire.send(request("POST", ground.path("bare"), fresh(ground)) + b"and something behind it\r\n\r\n")
        answer = wire.answer()
        assert _ends(wire)
    return Result([answer])


def _ends(wire: Wire) -> bool:
    """Say whether what comes next is 400 at most, and then the end."""
    following = wire.answer()
    return following.status == "closed" or (following.status == 400 and wire.answer().status == "closed")


@attack
def http2_preface(ground: Ground) -> Result:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    upgraded = ground.peer.ask(request("GET", "/healthz", b"", *upgrade))
    assert upgraded.status == 200
    return Result([ground.peer.ask(preface)])


@attack
def body_shorter_than_said(ground: Ground) -> Result:
    answers = []
    for account in ("bare", "main"):
        with ground.peer.wire() as wire:
            wire.send(head("POST", ground.path(account), f"Content-Length: {len(GOOD) + 10}") + GOOD)
            wire.end()
            answers.append(wire.answer())
    return Result(answers)


@attack
def body_empty(ground: Ground) -> Result:
    return Result([ground.peer.ask(head("POST", ground.path("bare"), "Content-Length: 0"))])
