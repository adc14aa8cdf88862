"""What each fault does to an exchange. What must come of it stands in `expected.toml`, under the same names."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping

import attrs

from .proxy import Fault, HttpMessage, Line

DELAY_S = 0.05
DRIP_S = 0.001
DRIP_BYTES = 8
RUN_BYTES = 8

Strike = Callable[[Line], None]
Change = Callable[[bytes], bytes]
Reframe = Callable[[HttpMessage], HttpMessage]

_TOO_LONG = 300 * 1024
"""Bytes; an answer to a submit is read up to 256 KiB."""

_PAGE = b"<!DOCTYPE html>\r\n<html><head><title>Gateway</title></head><body><p>Sign in first.</p></body></html>\r\n"
_LENGTH_FIELD = re.compile(rb"(?i)content-length: *[0-9]+\r\n")


# How an exchange breaks off.


def _reset(line: Line) -> None:
    line.reset()


def _hang_up(line: Line) -> None:
    line.hang_up()


def _stall(line: Line) -> None:
    line.stall()


def _stall_then_reset(line: Line) -> None:
    line.pause(DELAY_S)
    line.reset()


# How it goes on, only otherwise.


def _delay(line: Line) -> None:
    line.pause(DELAY_S)
    _go_on(line)


def _drip(line: Line) -> None:
    def dripped(data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), DRIP_BYTES):
            line.pause(DRIP_S)
            yield data[start : start + DRIP_BYTES]

    _go_on(line, dripped)


def _fragment(line: Line) -> None:
    _go_on(line, lambda data: (data[place : place + 1] for place in range(len(data))))


def _go_on(line: Line, pieces: Callable[[bytes], Iterator[bytes]] = lambda data: iter((data,))) -> None:
    if left := line.request_left:
        line.ask(pieces(left))
    line.say(*pieces(line.answer.whole[line.answered :]))
    line.hang_up()


# What comes in place of the rest: from the phase on, the vendor is out of it.


def _says(canned: bytes) -> Strike:
    def strike(line: Line) -> None:
        line.say(canned)
        line.hang_up()

    return strike


def _answers(status: str, body: bytes = b"", content_type: str = "text/html", *fields: str) -> Strike:
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields, "", "")
    return _says("\r\n".join(lines).encode("ascii") + body)


# What happens to the very next bytes: of the request, or, once the vendor has it, of the answer.


def _corrupts(change: Change) -> Strike:
    def strike(line: Line) -> None:
        if left := line.request_left:
            line.ask((change(left),))
            line.say(line.answer.whole)
        else:
            line.say(change(line.answer.whole[line.answered :]))
        line.hang_up()

    return strike


def _flip(mask: int) -> Change:
    return lambda data: bytes((data[0] ^ mask,)) + data[1:]


# How the answer is framed. In its body the headers have gone already: what is left of the body is framed that way.


def _reframes(reframe: Reframe) -> Strike:
    def strike(line: Line) -> None:
        if left := line.request_left:
            line.ask((left,))
        answer, answered = line.answer, line.answered
        if answered < len(answer.head):
            line.say(reframe(answer).whole[answered:])
        else:
            line.say(reframe(HttpMessage(answer.head, answer.whole[answered:])).body)
        line.hang_up()

    return strike


def _with_fields(answer: HttpMessage, *fields: str) -> HttpMessage:
    """Put these in the place of Content-Length."""
    lines = "".join(f"{field}\r\n" for field in fields).encode("ascii")
    return attrs.evolve(answer, head=_LENGTH_FIELD.sub(lines, answer.head, count=1))


def _with_body(answer: HttpMessage, body: bytes, *fields: str) -> HttpMessage:
    return _with_fields(HttpMessage(answer.head, body), f"Content-Length: {len(body)}", *fields)


def _chunked(answer: HttpMessage) -> HttpMessage:
    pieces = (answer.body[start : start + 7] for start in range(0, len(answer.body), 7))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return attrs.evolve(_with_fields(answer, "Transfer-Encoding: chunked"), body=chunks + b"0\r\n\r\n")


def _chunked_cut(answer: HttpMessage) -> HttpMessage:
    whole = _chunked(answer)
    return attrs.evolve(whole, body=whole.body.removesuffix(b"0\r\n\r\n"))


def _gzip(answer: HttpMessage) -> HttpMessage:
    return _with_body(answer, gzip.compress(answer.body, mtime=0), "Content-Encoding: gzip")


def _gzip_cut(answer: HttpMessage) -> HttpMessage:
    return _with_body(answer, gzip.compress(answer.body, mtime=0)[:-4], "Content-Encoding: gzip")


def _length_too_long(answer: HttpMessage) -> HttpMessage:
    return _with_fields(answer, f"Content-Length: {len(answer.body) + 1}")


def _length_too_short(answer: HttpMessage) -> HttpMessage:
    return _with_fields(answer, f"Content-Length: {len(answer.body) - 1}")


def _length_twice(answer: HttpMessage) -> HttpMessage:
    length = len(answer.body)
    return _with_fields(answer, f"Content-Length: {length}", f"Content-Length: {length - 1}")


def _close_delimited(answer: HttpMessage) -> HttpMessage:
    bare = _with_fields(answer, "Connection: close")
    return attrs.evolve(bare, head=bare.head.replace(b"HTTP/1.1", b"HTTP/1.0", 1))


def _interim_first(answer: HttpMessage) -> HttpMessage:
    return attrs.evolve(answer, head=b"HTTP/1.1 100 Continue\r\n\r\n" + answer.head)


def _bytes_behind(answer: HttpMessage) -> HttpMessage:
    return attrs.evolve(answer, body=answer.body + _PAGE)


def _bom(answer: HttpMessage) -> HttpMessage:
    return _with_body(answer, b"\xef\xbb\xbf" + answer.body)


def _extra_headers(answer: HttpMessage) -> HttpMessage:
    more = (f"X-Trace-{number}: {'y' * 40}" for number in range(40))
    return _with_fields(answer, f"content-LENGTH:{len(answer.body)}", "Set-Cookie: a=b", "Set-Cookie: c=d", *more)


def _bare_headers(answer: HttpMessage) -> HttpMessage:
    return attrs.evolve(answer, head=b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer.body))


def _wrong_charset(answer: HttpMessage) -> HttpMessage:
    return attrs.evolve(answer, head=answer.head.replace(b"charset=utf-8", b"charset=gb2312", 1))


FAULTS: Mapping[str, Fault] = {
    "rst": Fault(_reset),
    "fin": Fault(_hang_up),
    "stall": Fault(_stall, stalls=True),
    "stall-rst": Fault(_stall_then_reset),
    "refuse": Fault(_hang_up, closes_port=True),
    "delay": Fault(_delay),
    "drip": Fault(_drip),
    "fragment": Fault(_fragment),
    "html-200": Fault(_answers("200 OK", _PAGE)),
    "empty-200": Fault(_answers("200 OK")),
    "empty-204": Fault(_says(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "redirect-302": Fault(_answers("302 Found", b"", "text/html", "Location: /error.htm")),
    "html-404": Fault(_answers("404 Not Found", _PAGE)),
    "html-408": Fault(_answers("408 Request Timeout", _PAGE)),
    "html-429": Fault(_answers("429 Too Many Requests", _PAGE, "text/html", "Retry-After: 1")),
    "html-500": Fault(_answers("500 Internal Server Error", _PAGE)),
    "text-500": Fault(
        _answers("500 Internal Server Error", b"Server was unable to process request.\r\n", "text/plain")
    ),
    "html-502": Fault(_answers("502 Bad Gateway", _PAGE)),
    "html-503": Fault(_answers("503 Service Unavailable", _PAGE, "text/html", "Retry-After: 1")),
    "garbage": Fault(_says(bytes(range(255, -1, -1)))),
    "status-line-cut": Fault(_says(b"HTTP/1.1 20")),
    "oversized-head": Fault(_says(b"HTTP/1.1 200 OK\r\nX-Pad: " + b"y" * _TOO_LONG + b"\r\n\r\n")),
    "oversized-body": Fault(_answers("200 OK", b" " * _TOO_LONG, "text/xml; charset=utf-8")),
    "flip-low-bit": Fault(_corrupts(_flip(0x01))),
    "flip-high-bit": Fault(_corrupts(_flip(0x80))),
    "drop-byte": Fault(_corrupts(lambda data: data[1:])),
    "insert-byte": Fault(_corrupts(lambda data: b"x" + data)),
    "repeat-run": Fault(_corrupts(lambda data: data[:RUN_BYTES] + data)),
    "chunked": Fault(_reframes(_chunked)),
    "chunked-cut": Fault(_reframes(_chunked_cut)),
    "gzip": Fault(_reframes(_gzip)),
    "gzip-cut": Fault(_reframes(_gzip_cut)),
    "length-too-long": Fault(_reframes(_length_too_long)),
    "length-too-short": Fault(_reframes(_length_too_short)),
    "length-twice": Fault(_reframes(_length_twice)),
    "close-delimited": Fault(_reframes(_close_delimited)),
    "interim-first": Fault(_reframes(_interim_first)),
    "bytes-behind": Fault(_reframes(_bytes_behind)),
    "bom": Fault(_reframes(_bom)),
    "extra-headers": Fault(_reframes(_extra_headers)),
    "bare-headers": Fault(_reframes(_bare_headers)),
    "wrong-charset": Fault(_reframes(_wrong_charset)),
}
