"""The manners of the web server that both vendors run on: forms, request validation, `.asmx` methods, error answers.

None of it is in the vendors' documents; it is how ASP.NET behaves. Names of parameters are compared exactly, which is
stricter than ASP.NET, because the documents spell them out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

import attrs

from tocsin.sandbox.codepage import decode
from tocsin.sandbox.http import Answer, Request

NAMESPACE = "http://tempuri.org/"
"""What a web service has that was never given a namespace of its own."""

_MAX_QUERY = 2048  # bytes behind the question mark
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


def read_form(request: Request, charset: str = "utf-8") -> dict[str, str]:
    """Read a posted form; empty where the body is none.

    Args:
        charset: the page's own; one in Content-Type goes before it.
    """
    if request.headers.get_content_type() != "application/x-www-form-urlencoded":
        return {}
    return _pairs(request.body, request.headers.get_content_charset(charset))


def read_query(request: Request) -> dict[str, str]:
    """Read the fields of the URL, always in UTF-8."""
    return _pairs(request.query.encode("latin-1"), "utf-8")


def _pairs(encoded: bytes, charset: str) -> dict[str, str]:
    fields = (field.partition(b"=") for field in encoded.replace(b"+", b" ").split(b"&") if field)
    return {_unquote(name, charset): _unquote(value, charset) for name, _, value in fields}


def _unquote(encoded: bytes, charset: str) -> str:
    return decode(unquote_to_bytes(encoded), charset)


def bind_form(request: Request, method: str, methods: Mapping[str, tuple[str, ...]]) -> Invocation | Answer:
    """Bind a GET or POST of `/Service.asmx/Method`, or return what the web server answers in its place.

    Args:
        methods: parameter names by method, compared exactly.
    """
    if method not in methods:
        return server_error(f"System.InvalidOperationException: {method} Web Service method name is not valid.")
    is_get = request.method == "GET"
    fields = read_query(request) if is_get else read_form(request)
    refused = validate(fields, "QueryString" if is_get else "Form")
    if refused is not None:
        return refused
    missing = next((name for name in methods[method] if name not in fields), None)
    if missing is not None:
        return server_error(f"System.InvalidOperationException: Missing parameter: {missing}.")
    arguments = {name: fields[name] for name in methods[method]}
    return Invocation(method=method, arguments=arguments, render=_string, binding="get" if is_get else "post")


def filter_request(request: Request) -> Answer | None:
    """Refuse a query string that request filtering, before everything else, finds too long; None where it is not."""
    if len(request.query) <= _MAX_QUERY:
        return None
    return not_found(
        "HTTP Error 404.15 - Not Found",
        "The request filtering module is configured to deny a request where the query string is too long.",
    )


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


def not_found(title: str = "HTTP Error 404.0 - Not Found", why: str = "") -> Answer:
    """Return the web server's HTML page for what is not there."""
    why = why or "The resource you are looking for has been removed or is temporarily unavailable."
    page = (
        f"<!DOCTYPE html>\r\n<html><head><title>IIS Detailed Error - {title}</title></head>\r\n"
        f"<body><h2>{title}</h2><h3>{why}</h3></body></html>\r\n"
    )
    return Answer(status=404, body=page.encode(), content_type="text/html; charset=utf-8")
