"""Answers that a vendor would never give, and golden ones that were damaged on the way. Pure; nothing is random."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import attrs

from tocsin.plugin import HttpResponse

STATUSES = (100, 101, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408,
            409, 410, 411, 413, 414, 415, 418, 421, 422, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507,
            511, 520, 522, 524, 530, 598, 599)  # fmt: skip
"""A sample of every class of HTTP status, 200 aside."""

_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1>{1}</body></html>"
_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><string>&c;</string>'
)

_GARBAGE = {
    "an empty body": b"",
    "blanks": b" \r\n\t ",
    "a page of HTML": _PAGE.format("Success", "OK 2114355899380234221").encode(),
    "a page of HTML in GBK": _PAGE.format("运行时错误", "操作成功").encode("gbk"),
    "a portal's log-in page": b"<!DOCTYPE html>" + _PAGE.format("Login", "<form action='/login'></form>").encode(),
    "XML of another kind": b'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel /></rss>',
    "an XML entity bomb": _BOMB.encode(),
    "XML in a charset that nobody knows": b'<?xml version="1.0" encoding="x-none"?><string>1</string>',
    "an empty object": b"{}",
    "an empty array": b"[]",
    "a null": b"null",
    "a true": b"true",
    "an object of another kind": b'{"message": "ok", "data": {"id": 1}}',
    "brackets without end": b"[" * 20_000,
    "elements without end": b"<a>" * 5_000,
    "zero bytes": bytes(64),
    "bytes of no charset": b"\xff\xfe\xfd\xfc\x80\x81" * 8,
    "a page of more than a submit's answer may have": _PAGE.format("Success", "<p>OK</p>" * 30_000).encode(),
}


def garbage(golden: HttpResponse) -> Iterator[tuple[str, HttpResponse]]:
    """Yield answers that prove nothing, each with what it is. They wear the golden answer's headers."""
    for what, body in _GARBAGE.items():
        yield what, attrs.evolve(golden, status=200, body=body)
    yield "a gzip stream that nobody declared", attrs.evolve(golden, body=gzip.compress(golden.body, mtime=0))
    yield "a gzip stream cut in two", attrs.evolve(golden, body=gzip.compress(golden.body, mtime=0)[:20])


def trouble(golden: HttpResponse) -> Iterator[HttpResponse]:
    """Yield answers on which a client is tempted to try again."""
    yield attrs.evolve(golden, body=b"")
    for status in (302, 408, 429, 500, 503):
        yield attrs.evolve(golden, status=status, body=_PAGE.format("Error", "").encode())


def with_statuses(golden: HttpResponse) -> Iterator[tuple[str, HttpResponse]]:
    """Yield the golden body, an empty one and a page, each under every status of `STATUSES`."""
    bodies = {"the golden body": golden.body, "no body": b"", "a page": _PAGE.format("Error", "").encode()}
    for status in STATUSES:
        for what, body in bodies.items():
            if body is not golden.body or not 200 <= status < 300:
                yield f"{what} under status {status}", attrs.evolve(golden, status=status, body=body)


def cut(golden: HttpResponse) -> Iterator[tuple[str, HttpResponse]]:
    """Yield every beginning of a golden body that is not empty and lacks more than blanks."""
    for length in range(1, len(golden.body.rstrip())):
        yield f"the first {length} bytes", attrs.evolve(golden, body=golden.body[:length])


def recoded(golden: HttpResponse, charset: str = "utf-8") -> Iterator[tuple[str, HttpResponse]]:
    """Yield a golden answer, which is in `charset`, in charsets that it does not claim."""
    text = golden.body.decode(charset, "replace")
    for other in ("utf-16", "utf-16-le", "utf-32"):
        yield f"the golden body in {other}", attrs.evolve(golden, body=text.encode(other))
    for other in ("utf-16", "ebcdic-cp-us", "x-none"):
        headers = (("content-type", f"text/xml; charset={other}"),)
        yield f"a header that says {other}", attrs.evolve(golden, headers=headers)


_INSERTED = b"-0<1&9 ,:|\x00\xff"
_EVERY_BIT_UP_TO = 200


def damaged(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a body with one byte cut out, one bit turned or one byte put in, at every position.

    Short bodies have every bit turned and every byte of a set put in. In a long one each position has two bits and one
    byte of its own turn: what one position misses, its neighbours and the other vectors have.
    """
    thorough = len(body) <= _EVERY_BIT_UP_TO
    for at, byte in enumerate(body):
        turn = at + len(body)
        yield f"byte {at} cut out", body[:at] + body[at + 1 :]
        for bit in range(8) if thorough else {turn % 8, turn % 5}:
            yield f"bit {bit} of byte {at} turned", body[:at] + bytes([byte ^ 1 << bit]) + body[at + 1 :]
    for at in range(len(body) + 1):
        turn = at + len(body)
        for put in _INSERTED if thorough else {_INSERTED[turn % len(_INSERTED)]}:
            yield f"byte {put} put in at {at}", body[:at] + bytes([put]) + body[at:]
