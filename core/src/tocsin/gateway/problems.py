"""Errors as whoever called is told them: problem details (RFC 9457), and which of ours has which status.

A text says what was expected; it never quotes a number, a message's text or a key.
"""

from __future__ import annotations

import json
from typing import Any

import falcon

from tocsin import observe
from tocsin.errors import InvalidInput, KeyConflict, NotFound, PluginError, StoreError, TocsinError

RETRY_AFTER_S = 1
"""How long a caller should wait who met our own trouble."""


class InvalidFields(falcon.HTTPBadRequest):
    """A body whose fields are not as expected: all of them are told at once.

    Args:
        findings: what was expected, by the field's name.
    """

    def __init__(self, findings: dict[str, str]) -> None:
        self.findings = findings
        super().__init__(
            title="Invalid message", description="; ".join(f"{name}: {text}" for name, text in findings.items())
        )


class Busy(falcon.HTTPServiceUnavailable):
    """Our own trouble: the caller should try again soon."""

    def __init__(self, why: str, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(title="Not now", description=why, retry_after=retry_after_s)


def problem_of(error: TocsinError) -> falcon.HTTPError:
    """Return what the caller is told of an error of ours."""
    match error:
        case KeyConflict():
            return falcon.HTTPUnprocessableEntity(title="Key used before", description=str(error))
        case InvalidInput():
            return falcon.HTTPBadRequest(title="Invalid message", description=str(error))
        case NotFound():
            return falcon.HTTPNotFound(title="Not found", description=str(error))
        case StoreError():
            return Busy("the store cannot take it just now; nothing was accepted, or nobody knows: try again")
        case PluginError():
            return Busy("a plugin is at fault; the log names it")
        case _:
            return falcon.HTTPInternalServerError(title="Internal error")


def render_problem(_: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    """Write an error as problem details."""
    status = falcon.code_to_http_status(error.status)
    document: dict[str, Any] = {"type": "about:blank", "title": error.title, "status": int(status.split()[0])}
    if error.description:
        document["detail"] = error.description
    if isinstance(error, InvalidFields):
        document["errors"] = [{"field": name, "expected": text} for name, text in error.findings.items()]
    response.content_type = "application/problem+json"
    response.data = json.dumps(document, ensure_ascii=False).encode()


def handle_ours(_: falcon.Request, __: falcon.Response, error: TocsinError, ___: dict[str, Any]) -> None:
    """Answer an error of ours."""
    if isinstance(error, StoreError | PluginError):
        observe.log.error(observe.ALARM, reason="not-accepted", cause=str(error))
    raise problem_of(error)


def handle_any(request: falcon.Request, _: falcon.Response, error: Exception, __: dict[str, Any]) -> None:
    """Answer what nobody foresaw; its text may hold anything, and is told to nobody."""
    place = request.uri_template or "nowhere"
    observe.log.error(observe.ALARM, reason="gateway-fault", cause=f"{type(error).__name__} at {place}")
    raise falcon.HTTPInternalServerError(title="Internal error")


def install(app: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Let an application answer every error this way."""
    app.set_error_serializer(render_problem)
    app.add_error_handler(Exception, handle_any)
    app.add_error_handler(falcon.HTTPError, _again)
    app.add_error_handler(TocsinError, handle_ours)


def _again(_: falcon.Request, __: falcon.Response, error: falcon.HTTPError, ___: dict[str, Any]) -> None:
    raise error
