"""SOAP 1.1 and 1.2 as an `.asmx` service binds them: document/literal, wrapped, qualified elements.

An element without the service's namespace is not seen: its parameter silently becomes null, here an empty text.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

import attrs

from tocsin.sandbox.aspnet import NAMESPACE, Invocation
from tocsin.sandbox.http import Answer, Request

_QUALIFIED = f"{{{NAMESPACE}}}"


@attrs.frozen
class _Version:
    """How one version of SOAP looks on the wire."""

    binding: str
    media_type: str
    namespace: str
    prefix: str


_SOAP11 = _Version("soap11", "text/xml", "http://schemas.xmlsoap.org/soap/envelope/", "soap")
_SOAP12 = _Version("soap12", "application/soap+xml", "http://www.w3.org/2003/05/soap-envelope", "soap12")


class _NoDoctype(TreeBuilder):
    """Builds a tree, but refuses a document type, as .NET does: with it go entities and their bombs."""

    def doctype(self, *_: str | None) -> None:
        raise ParseError("DTD is prohibited in this document")


def bind(request: Request, methods: Container[str]) -> Invocation | Answer:
    """Bind a SOAP request to a method, or return the fault that the web server answers in its place."""
    version = next((v for v in (_SOAP11, _SOAP12) if v.media_type == request.headers.get_content_type()), None)
    if version is None or request.method != "POST":
        return Answer(status=415, content_type="text/plain")
    try:
        body = _soap_body(request.body, version)
    except (ParseError, ValueError, LookupError):  # the latter two: an encoding that the parser does not know
        return _fault(version, "Server was unable to read request. There is an error in XML document.")
    method = _action(request) if version is _SOAP11 else _first_child(body)
    if method is None or method not in methods:
        return _fault(version, "Server did not recognize the value of HTTP Header SOAPAction or the action.")
    element = body.find(_QUALIFIED + method)
    arguments = {} if element is None else dict(_arguments(element))
    render = partial(_result, version, method)
    return Invocation(method=method, arguments=arguments, render=render, binding=version.binding)


def _soap_body(document: bytes, version: _Version) -> Element:
    parser = XMLParser(target=_NoDoctype())  # noqa: S314 - a document type is refused before any entity is read
    parser.feed(document)
    envelope = parser.close()
    body = envelope.find(f"{{{version.namespace}}}Body")
    if body is None or envelope.tag != f"{{{version.namespace}}}Envelope":
        raise ParseError("no envelope of this version")
    return body


def _action(request: Request) -> str | None:
    """Read the method's name from SOAPAction, which SOAP 1.1 wants in quotes."""
    action = request.headers.get("SOAPAction", "")
    quoted = f'"{NAMESPACE}'
    return action[len(quoted) : -1] if action.startswith(quoted) and action.endswith('"') else None


def _first_child(body: Element) -> str | None:
    return next((child.tag.removeprefix(_QUALIFIED) for child in body if child.tag.startswith(_QUALIFIED)), None)


def _arguments(element: Element, path: str = "") -> Iterator[tuple[str, str]]:
    for child in element:
        if not child.tag.startswith(_QUALIFIED):
            continue
        name = path + child.tag.removeprefix(_QUALIFIED)
        yield name, child.text or ""
        yield from _arguments(child, f"{name}/")


def _result(version: _Version, method: str, inner: str) -> Answer:
    result = f"<{method}Result>{inner}</{method}Result>" if inner else f"<{method}Result />"
    return _envelope(version, f'<{method}Response xmlns="{NAMESPACE}">{result}</{method}Response>')


def _fault(version: _Version, reason: str) -> Answer:
    if version is _SOAP11:
        detail = f"<faultcode>soap:Client</faultcode><faultstring>{reason}</faultstring><detail />"
    else:
        detail = (
            "<soap12:Code><soap12:Value>soap12:Sender</soap12:Value></soap12:Code>"
            f'<soap12:Reason><soap12:Text xml:lang="en">{reason}</soap12:Text></soap12:Reason><soap12:Detail />'
        )
    return attrs.evolve(_envelope(version, f"<{version.prefix}:Fault>{detail}</{version.prefix}:Fault>"), status=500)


def _envelope(version: _Version, inner: str) -> Answer:
    prefix = version.prefix
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<{prefix}:Envelope xmlns:{prefix}="{version.namespace}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<{prefix}:Body>{inner}</{prefix}:Body></{prefix}:Envelope>"
    )
    return Answer(body=body.encode(), content_type=f"{version.media_type}; charset=utf-8")
