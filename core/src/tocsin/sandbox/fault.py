"""Faults: what shall go wrong with the next matching requests, and on which side of the acceptance.

*Before*: the vendor never acts on the request; nothing reaches a phone, and a poll consumes nothing.
*After*: the vendor has acted (ledger written, reports handed out), and only the answer suffers.

| kind | when (default first) | value (default) | the client sees |
| --- | --- | --- | --- |
| `reset` | before, after | | RST in place of an answer |
| `close` | before, after | | FIN in place of an answer |
| `silence` | after, before | | nothing at all, until it hangs up |
| `status` | before, after | HTTP status (500) | that status, plain text; Location in 3xx, Retry-After in 429, 503 |
| `status-html` | before, after | HTTP status (500) | that status with an HTML page |
| `html` | before, after | | 200 with somebody else's HTML page |
| `empty` | after, before | | 200 with an empty body |
| `garbage` | before, after | | 200 with 256 bytes of no charset |
| `cut-headers` | after, before | | half a header line, then FIN |
| `truncated` | after | | the right Content-Length, half the body, then FIN |
| `truncated-close` | after | | no Content-Length, half the body, then FIN: whole to HTTP, not to a parser |
| `drip` | after | seconds between bytes (0.05) | the right answer, byte by byte |
| `delay` | after | seconds (1) | the right answer, late |
| `oversized` | after | bytes (9437184) | the right answer with so many blanks behind it |
| `charset` | after | | the answer in GBK bytes, though it still says utf-8; or the other way round |
| `gb2312` | after | | the answer in GBK bytes, declared as gb2312 |
| `gzip` | after | | the answer compressed, though nobody asked |
| `code` | before | the vendor's own code | a refusal as the vendor writes it |
| `shape` | after | a name of the site's `shapes` | a right answer in an odd form that the documents show |
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping

import attrs


class Operation(enum.StrEnum):
    """What a request asks of a vendor. `ANY` stands in faults alone."""

    SUBMIT = "submit"
    BALANCE = "balance"
    REPORTS = "reports"
    INBOUND = "inbound"
    OTHER = "other"
    ANY = "any"


class When(enum.StrEnum):
    """On which side of the vendor's acceptance a fault strikes."""

    BEFORE = "before"
    AFTER = "after"


class FaultKind(enum.StrEnum):
    """See the table of this module."""

    RESET = "reset"
    CLOSE = "close"
    SILENCE = "silence"
    STATUS = "status"
    STATUS_HTML = "status-html"
    HTML = "html"
    EMPTY = "empty"
    GARBAGE = "garbage"
    CUT_HEADERS = "cut-headers"
    TRUNCATED = "truncated"
    TRUNCATED_CLOSE = "truncated-close"
    DRIP = "drip"
    DELAY = "delay"
    OVERSIZED = "oversized"
    CHARSET = "charset"
    GB2312 = "gb2312"
    GZIP = "gzip"
    CODE = "code"
    SHAPE = "shape"


@attrs.frozen
class _Rule:
    """One row of the table: the allowed positions, the default first; the value's default and its check."""

    positions: tuple[When, ...]
    value: str = ""
    wanted: str = "no value"
    holds: Callable[[str], bool] = lambda value: not value


def _is_status(value: str) -> bool:
    return value.isdecimal() and 300 <= int(value) <= 599


def _is_seconds(value: str) -> bool:
    try:
        return math.isfinite(float(value)) and float(value) > 0
    except ValueError:
        return False


_BEFORE_FIRST = (When.BEFORE, When.AFTER)
_AFTER_FIRST = (When.AFTER, When.BEFORE)
_AFTER = (When.AFTER,)

_RULES: Mapping[FaultKind, _Rule] = {
    FaultKind.RESET: _Rule(_BEFORE_FIRST),
    FaultKind.CLOSE: _Rule(_BEFORE_FIRST),
    FaultKind.SILENCE: _Rule(_AFTER_FIRST),
    FaultKind.STATUS: _Rule(_BEFORE_FIRST, "500", "an HTTP status from 300 to 599", _is_status),
    FaultKind.STATUS_HTML: _Rule(_BEFORE_FIRST, "500", "an HTTP status from 300 to 599", _is_status),
    FaultKind.HTML: _Rule(_BEFORE_FIRST),
    FaultKind.EMPTY: _Rule(_AFTER_FIRST),
    FaultKind.GARBAGE: _Rule(_BEFORE_FIRST),
    FaultKind.CUT_HEADERS: _Rule(_AFTER_FIRST),
    FaultKind.TRUNCATED: _Rule(_AFTER),
    FaultKind.TRUNCATED_CLOSE: _Rule(_AFTER),
    FaultKind.DRIP: _Rule(_AFTER, "0.05", "seconds", _is_seconds),
    FaultKind.DELAY: _Rule(_AFTER, "1", "seconds", _is_seconds),
    FaultKind.OVERSIZED: _Rule(_AFTER, "9437184", "a number of bytes", str.isdecimal),
    FaultKind.CHARSET: _Rule(_AFTER),
    FaultKind.GB2312: _Rule(_AFTER),
    FaultKind.GZIP: _Rule(_AFTER),
    FaultKind.CODE: _Rule((When.BEFORE,), "", "one of the vendor's codes", bool),
    FaultKind.SHAPE: _Rule(_AFTER, "", "the name of a shape", bool),
}


def _kind(text: str) -> FaultKind:
    return FaultKind(text)


def _operation(text: str) -> Operation:
    return Operation(text)


def _when(text: str | None) -> When | None:
    return None if text is None else When(text)


@attrs.frozen
class Fault:
    """One fault for the next matching requests.

    Args:
        kind: a name of the table above.
        operation: which requests match; `any` for all.
        times: how many of them suffer; None for all until the faults are cleared.
        after: how many matching requests are spared first.
        value: see the table; empty for its default.
        when: see the table; None for its default.

    Raises:
        ValueError: a name, value or position that the table does not have.
    """

    kind: FaultKind = attrs.field(converter=_kind)
    operation: Operation = attrs.field(default=Operation.SUBMIT, converter=_operation)
    times: int | None = 1
    after: int = 0
    value: str = attrs.field(default="", converter=str)
    when: When | None = attrs.field(default=None, converter=_when)

    def __attrs_post_init__(self) -> None:
        rule = _RULES[self.kind]
        if not rule.holds(self.setting):
            raise ValueError(f"fault {self.kind}: expected {rule.wanted} as its value")
        if self.when not in (None, *rule.positions):
            raise ValueError(f"fault {self.kind}: can only strike {rule.positions[0]} acceptance")
        if self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError(f"fault {self.kind}: expected times from 1 and after from 0")

    @property
    def setting(self) -> str:
        """The value, or the kind's default."""
        return self.value or _RULES[self.kind].value

    @property
    def position(self) -> When:
        """On which side of the acceptance it strikes."""
        return self.when or _RULES[self.kind].positions[0]

    def matches(self, operation: Operation) -> bool:
        """Say whether requests of that operation suffer."""
        return self.operation in (operation, Operation.ANY)


class FaultPlan:
    """The faults still to come, in the order they were injected. Not thread-safe: its owner holds a lock.

    A request suffers one fault at most, the first that is due; the faults behind it do not count that request.
    """

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault behind all others."""
        self._pending.append(fault)

    def clear(self) -> None:
        """Forget every fault."""
        self._pending.clear()

    def take(self, operation: Operation) -> Fault | None:
        """Return the fault that this request suffers, and count it; None where none is due."""
        for place, fault in enumerate(self._pending):
            if not fault.matches(operation):
                continue
            if fault.after == 0:
                self._spend(place, fault)
                return fault
            self._pending[place] = attrs.evolve(fault, after=fault.after - 1)
        return None

    def _spend(self, place: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._pending[place]
        else:
            self._pending[place] = attrs.evolve(fault, times=fault.times - 1)
