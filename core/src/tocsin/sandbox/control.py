"""Steer running sandboxes over HTTP, on a port of its own: it answers while a vendor is dark.

Bodies and answers are JSON. What cannot be done is 400 with `{"error": "one sentence"}`; an unknown path is 404.
`VENDOR` is a sandbox's name, such as `winnerlook`.

| request | body | does |
| --- | --- | --- |
| `GET /` | | lists the sandboxes: vendor, base_url, dark, account_settings, push_forms, terms |
| `GET /VENDOR/ledger` | | `{"submits": […], "received": […]}`, in full |
| `POST /VENDOR/faults` | `{"kind", "operation", "times", "after", "value", "when"}`, rest optional | adds a fault |
| `POST /VENDOR/clear` | | forgets the faults that still wait |
| `POST /VENDOR/dark` | | refuses connects on the vendor's port |
| `POST /VENDOR/light` | | listens there again |
| `POST /VENDOR/reports` | `{"mode", "number", "polls"}`, all but `mode` optional | a `ReportMode` |
| `POST /VENDOR/replies` | `{"number", "text", "extension"}`, the last optional | a message from a phone |
| `POST /VENDOR/push-reports` | `{"url", "form"}`, the last optional | posts the reports that wait; `{"posts": […]}` |
| `POST /VENDOR/push-replies` | the same | posts the replies that wait |
| `POST /VENDOR/terms` | fields of `Terms`, such as `{"balance": "0"}`, `{"password": "new"}` | changes the terms |
| `POST /VENDOR/clock` | `{"advance_s"}` | sets the vendor's clock forward, or back where negative |
| `POST /VENDOR/reset` | | ledger, faults, reports, replies, clock and terms as at the start |

Faults and their values: the table of `tocsin.sandbox.fault`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import attrs

from tocsin.sandbox.connection import Connection
from tocsin.sandbox.fault import Fault
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.push import Post
from tocsin.sandbox.running import RunningSandbox
from tocsin.sandbox.server import HOST, Server

Fields = Mapping[str, Any]

_MAX_ADVANCE_S = 366 * 24 * 3600


class BadInput(ValueError):
    """The client asked for what cannot be done; the text is the answer."""


def start_control(sandboxes: Iterable[RunningSandbox], port: int = 0) -> RunningControl:
    """Start the control API of these sandboxes on 127.0.0.1. It does not close them.

    Raises:
        ValueError: two sandboxes of one name.
        OSError: the port is taken.
    """
    return RunningControl(sandboxes, port)


class RunningControl:
    """The control API at work; see the module's table."""

    def __init__(self, sandboxes: Iterable[RunningSandbox], port: int = 0) -> None:
        given = tuple(sandboxes)
        self._sandboxes = {sandbox.vendor: sandbox for sandbox in given}
        if len(self._sandboxes) < len(given):
            raise ValueError("expected sandboxes of different vendors")
        self._server = Server(self._serve, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self._server.port}"

    def close(self) -> None:
        """Close every socket and join every thread; the sandboxes go on. Safe to call twice."""
        self._server.close()

    def _serve(self, connection: Connection) -> bool:
        request = connection.read()
        if request is None:
            return False
        connection.send(self._answer(request).render())
        return request.keep_alive

    def _answer(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/"):
            return _json([_describe(sandbox) for sandbox in self._sandboxes.values()])
        vendor, _, command = request.path.removeprefix("/").partition("/")
        sandbox, act = self._sandboxes.get(vendor), _COMMANDS.get((request.method, command))
        if sandbox is None or act is None:
            return _json({"error": f"nothing is at {request.method} {request.path}"}, status=404)
        try:
            return _json(act(sandbox, _fields(request.body)))
        except ValueError as error:
            return _json({"error": str(error)}, status=400)


def _json(value: object, status: int = 200) -> Answer:
    body = json.dumps(value, ensure_ascii=False, default=_plain).encode()
    return Answer(body=body, status=status, content_type="application/json; charset=utf-8")


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case frozenset():
            return sorted(value)
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")


def _fields(body: bytes) -> Fields:
    """Read a JSON object; an empty body is an empty one."""
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        raise BadInput("expected a JSON object as the body") from None
    if not isinstance(fields, dict):
        raise BadInput("expected a JSON object as the body")
    return fields


def _take(fields: Fields, **kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """Check names and types of the fields; none is required here."""
    for name, value in fields.items():
        if name not in kinds:
            raise BadInput(f"no such field: {name}; expected {', '.join(kinds) or 'none'}")
        if isinstance(value, bool) or not isinstance(value, kinds[name]):
            raise BadInput(f"field {name} has the wrong type")
    return dict(fields)


def _require(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"expected a text as {name}")
    return value


def _describe(sandbox: RunningSandbox) -> Fields:
    return {
        "vendor": sandbox.vendor,
        "base_url": sandbox.base_url,
        "dark": sandbox.is_dark,
        "account_settings": dict(sandbox.account_settings),
        "push_forms": dict(sandbox.push_forms),
        "terms": attrs.asdict(sandbox.terms),
    }


def _show_ledger(sandbox: RunningSandbox, _: Fields) -> Fields:
    return attrs.asdict(sandbox.ledger.page)


def _inject(sandbox: RunningSandbox, fields: Fields) -> Fields:
    optional: type = type(None)
    given = _take(
        fields, kind=str, operation=str, times=(int, optional), after=int, value=(str, int, float), when=(str, optional)
    )
    _require(given, "kind")
    sandbox.inject(Fault(**given))
    return {}


def _clear(sandbox: RunningSandbox, _: Fields) -> Fields:
    sandbox.clear_faults()
    return {}


def _darken(sandbox: RunningSandbox, _: Fields) -> Fields:
    sandbox.go_dark()
    return {}


def _light(sandbox: RunningSandbox, _: Fields) -> Fields:
    sandbox.light_up()
    return {}


def _set_reports(sandbox: RunningSandbox, fields: Fields) -> Fields:
    given = _take(fields, mode=str, number=(str, type(None)), polls=int)
    _require(given, "mode")
    sandbox.reports(**given)
    return {}


def _reply(sandbox: RunningSandbox, fields: Fields) -> Fields:
    given = _take(fields, number=str, text=str, extension=str)
    _require(given, "number")
    _require(given, "text")
    sandbox.reply(**given)
    return {}


def _push_reports(sandbox: RunningSandbox, fields: Fields) -> Fields:
    return _posts(sandbox.push_reports(**_push_target(fields)))


def _push_replies(sandbox: RunningSandbox, fields: Fields) -> Fields:
    return _posts(sandbox.push_replies(**_push_target(fields)))


def _push_target(fields: Fields) -> dict[str, Any]:
    given = _take(fields, url=str, form=str)
    _require(given, "url")
    return given


def _posts(posts: Iterable[Post]) -> Fields:
    shown = [{"status": post.status, "answer": post.answer.decode("utf-8", "replace")} for post in posts]
    return {"posts": shown}


def _advance(sandbox: RunningSandbox, fields: Fields) -> Fields:
    given = _take(fields, advance_s=(int, float))
    sandbox.advance(_seconds(given.get("advance_s")))
    return {}


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not abs(value) <= _MAX_ADVANCE_S:
        raise BadInput("expected seconds as advance_s")
    return float(value)


def _set_terms(sandbox: RunningSandbox, fields: Fields) -> Fields:
    sandbox.set_terms(**fields)
    return attrs.asdict(sandbox.terms)


def _reset(sandbox: RunningSandbox, _: Fields) -> Fields:
    sandbox.reset()
    return {}


_COMMANDS: Mapping[tuple[str, str], Callable[[RunningSandbox, Fields], Fields]] = {
    ("GET", "ledger"): _show_ledger,
    ("POST", "faults"): _inject,
    ("POST", "clear"): _clear,
    ("POST", "dark"): _darken,
    ("POST", "light"): _light,
    ("POST", "reports"): _set_reports,
    ("POST", "replies"): _reply,
    ("POST", "push-reports"): _push_reports,
    ("POST", "push-replies"): _push_replies,
    ("POST", "terms"): _set_terms,
    ("POST", "clock"): _advance,
    ("POST", "reset"): _reset,
}
