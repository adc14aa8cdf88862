"""What each fault does: to the answer (pure), or to the connection that should carry it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping

import attrs

from tocsin.sandbox.codepage import decode_936, encode_936
from tocsin.sandbox.connection import Connection
from tocsin.sandbox.fault import Fault, FaultKind
from tocsin.sandbox.http import Answer

_PAGE = b"""<!DOCTYPE html>
<html><head><title>%(title)s</title></head>
<body><h1>%(title)s</h1><p>This page does not come from the vendor's interface.</p></body></html>
"""
_NO_CHARSET = bytes(range(255, -1, -1))


def deliver(connection: Connection, answer: Answer, fault: Fault | None) -> None:
    """Send the answer, or do what the fault asks for in its place.

    Raises:
        OSError: the client went, or the server closes.
    """
    if fault is None:
        connection.send(answer.render())
    elif fault.kind in _ACTS:
        _ACTS[fault.kind](connection, answer, fault)
    else:
        connection.send(spoil(answer, fault).render())


def spoil(answer: Answer, fault: Fault) -> Answer:
    """Return the answer as the fault leaves it; unchanged where the fault is none of the answer's."""
    return _SPOILERS[fault.kind](answer, fault) if fault.kind in _SPOILERS else answer


def _status_text(_: Answer, fault: Fault) -> Answer:
    body = f"HTTP {fault.setting} from the sandbox\r\n".encode()
    return _with_status(Answer(body=body, content_type="text/plain; charset=utf-8"), int(fault.setting))


def _status_page(_: Answer, fault: Fault) -> Answer:
    body = _PAGE % {b"title": f"HTTP {fault.setting}".encode()}
    return _with_status(Answer(body=body, content_type="text/html; charset=utf-8"), int(fault.setting))


def _with_status(answer: Answer, status: int) -> Answer:
    headers: tuple[tuple[str, str], ...] = ()
    if status < 400:
        headers = (("Location", "/error.htm"),)
    elif status in (429, 503):
        headers = (("Retry-After", "1"),)
    return attrs.evolve(answer, status=status, headers=headers)


def _foreign_page(_: Answer, __: Fault) -> Answer:
    return Answer(body=_PAGE % {b"title": b"Please sign in to this network"}, content_type="text/html; charset=utf-8")


def _empty(answer: Answer, _: Fault) -> Answer:
    return attrs.evolve(answer, body=b"")


def _garbage(answer: Answer, _: Fault) -> Answer:
    return attrs.evolve(answer, body=_NO_CHARSET)


def _oversized(answer: Answer, fault: Fault) -> Answer:
    return attrs.evolve(answer, body=answer.body + b" " * int(fault.setting))


def _undeclared(answer: Answer, _: Fault) -> Answer:
    if _is_gbk(answer):
        return attrs.evolve(answer, body=decode_936(answer.body).encode("utf-8"))
    return attrs.evolve(answer, body=encode_936(answer.body.decode("utf-8")))


def _declared_gbk(answer: Answer, fault: Fault) -> Answer:
    if _is_gbk(answer):
        return answer
    body = _undeclared(answer, fault).body.replace(b'encoding="utf-8"', b'encoding="gb2312"', 1)
    return attrs.evolve(answer, body=body, content_type=answer.content_type.replace("utf-8", "gb2312"))


def _is_gbk(answer: Answer) -> bool:
    return "gb2312" in answer.content_type


def _gzip(answer: Answer, _: Fault) -> Answer:
    return attrs.evolve(
        answer, body=gzip.compress(answer.body, mtime=0), headers=(*answer.headers, ("Content-Encoding", "gzip"))
    )


_SPOILERS: Mapping[FaultKind, Callable[[Answer, Fault], Answer]] = {
    FaultKind.STATUS: _status_text,
    FaultKind.STATUS_HTML: _status_page,
    FaultKind.HTML: _foreign_page,
    FaultKind.EMPTY: _empty,
    FaultKind.GARBAGE: _garbage,
    FaultKind.OVERSIZED: _oversized,
    FaultKind.CHARSET: _undeclared,
    FaultKind.GB2312: _declared_gbk,
    FaultKind.GZIP: _gzip,
}


def _reset(connection: Connection, _: Answer, __: Fault) -> None:
    connection.reset()


def _close(connection: Connection, _: Answer, __: Fault) -> None:
    connection.close()


def _say_nothing(connection: Connection, _: Answer, __: Fault) -> None:
    connection.hold()
    connection.close()


def _cut_in_headers(connection: Connection, answer: Answer, _: Fault) -> None:
    connection.send(answer.head(length=len(answer.body))[:25])
    connection.close()


def _cut_in_body(connection: Connection, answer: Answer, _: Fault) -> None:
    connection.send(answer.render()[: -(len(answer.body) // 2) or None])
    connection.close()


def _cut_unnoticed(connection: Connection, answer: Answer, _: Fault) -> None:
    connection.send(answer.head(length=None) + answer.body[: len(answer.body) // 2])
    connection.close()


def _drip(connection: Connection, answer: Answer, fault: Fault) -> None:
    for byte in answer.render():
        connection.send(bytes((byte,)))
        connection.pause(float(fault.setting))


def _come_late(connection: Connection, answer: Answer, fault: Fault) -> None:
    connection.pause(float(fault.setting))
    connection.send(answer.render())


_ACTS: Mapping[FaultKind, Callable[[Connection, Answer, Fault], None]] = {
    FaultKind.RESET: _reset,
    FaultKind.CLOSE: _close,
    FaultKind.SILENCE: _say_nothing,
    FaultKind.CUT_HEADERS: _cut_in_headers,
    FaultKind.TRUNCATED: _cut_in_body,
    FaultKind.TRUNCATED_CLOSE: _cut_unnoticed,
    FaultKind.DRIP: _drip,
    FaultKind.DELAY: _come_late,
}
