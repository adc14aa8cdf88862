"""The manners of the web server that both vendors run on: forms, request validation, `.asmx` methods, error answers.

None of it is in the vendors' documents; it is how ASP.NET behaves. Names of parameters are compared exactly, which is
stricter than ASP.NET, because the documents spell them out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import attrs

from tocsin.sandbox.http import Answer, Request

NAMESPACE = "http://tempuri.org/"
"""What a web service has that was never given a namespace of its own."""

_MAX_QUERY = 2048
_DANGER = re.compile(r"<[A-Za-z!/?]|&#")
_WRITTEN_AS_REFERENCE = re.compile("[\x00-\x08\x0b-\x1f]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@attrs.frozen(kw_only=True)
class Invocation:
    """A web service method that is to run.

    Args:
        arguments: by the document's names; `outer/inner` for fields of an object.
        render: makes the answer from the result's inner XML.
        binding: `get`, `post`, `soap11` or `soap12`.
    """

    method: str
    arguments: Mapping[str, str] = attrs.field(repr=False)
    render: Callable[[str], Answer] = attrs.field(repr=False)
    binding: str


def read_form(request: Request) -> dict[str, str]:
    """Read a posted form; empty where the body is none. A charset in Content-Type is honoured."""
    if request.headers.get_content_type() != "application/x-www-form-urlencoded":
        return {}
    return _pairs(request.body, request.headers.get_content_charset("utf-8"))


def read_query(request: Request) -> dict[str, str]:
    """Read the fields of the URL, always in UTF-8."""
    return _pairs(request.query.encode("latin-1"), "utf-8")


def _pairs(encoded: bytes, charset: str) -> dict[str, str]:
    try:
        text = encoded.decode(charset, "replace")
    except LookupError:
        charset, text = "utf-8", encoded.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace"))


def bind_form(request: Request, method: str, methods: Mapping[str, tuple[str, ...]]) -> Invocation | Answer:
    """Bind a GET or POST of `/Service.asmx/Method`, or return what the web server answers in its place.

    Args:
        methods: parameter names by method, compared exactly.
    """
    if method not in methods:
        return server_error(f"System.InvalidOperationException: {method} Web Service method name is not valid.")
    is_get = request.method == "GET"
    if is_get and len(request.query) > _MAX_QUERY:
        return not_found("404.15 - The query string is too long")
    fields = read_query(request) if is_get else read_form(request)
    refused = validate(fields, "QueryString" if is_get else "Form")
    if refused is not None:
        return refused
    missing = next((name for name in methods[method] if name not in fields), None)
    if missing is not None:
        return server_error(f"System.InvalidOperationException: Missing parameter: {missing}.")
    arguments = {name: fields[name] for name in methods[method]}
    return Invocation(method=method, arguments=arguments, render=_string, binding="get" if is_get else "post")


def validate(fields: Mapping[str, str], collection: str) -> Answer | None:
    """Refuse what looks like markup in a field, as request validation does; None where all is well.

    Args:
        collection: `Form` or `QueryString`, as the refusal names it.
    """
    name = next((name for name, value in fields.items() if _DANGER.search(value)), None)
    if name is None:
        return None
    return server_error(
        f"System.Web.HttpRequestValidationException: A potentially dangerous Request.{collection} value "
        f'was detected from the client ({name}="...").'
    )


def escape(text: str) -> str:
    """Write text as XML content; CR and control characters become references, which XML 1.0 forbids for most."""
    return _WRITTEN_AS_REFERENCE.sub(lambda match: f"&#x{ord(match[0]):X};", text.translate(_ENTITIES))


def _string(inner: str) -> Answer:
    element = f'<string xmlns="{NAMESPACE}">{inner}</string>' if inner else f'<string xmlns="{NAMESPACE}" />'
    return Answer(body=f'<?xml version="1.0" encoding="utf-8"?>\r\n{element}'.encode())


def server_error(sentence: str) -> Answer:
    """Return HTTP 500 with one line of plain text."""
    return Answer(status=500, body=f"{sentence}\r\n".encode(), content_type="text/plain; charset=utf-8")


def not_found(reason: str = "404.0 - Not Found") -> Answer:
    """Return the web server's HTML page for what is not there."""
    page = f"<!DOCTYPE html>\r\n<html><head><title>{reason}</title></head><body><h2>{reason}</h2></body></html>\r\n"
    return Answer(status=404, body=page.encode(), content_type="text/html; charset=utf-8")
