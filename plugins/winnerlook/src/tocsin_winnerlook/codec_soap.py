"""SOAP 1.1 as ASP.NET services speak it: document/literal, wrapped, every element in the service's namespace."""

from __future__ import annotations

import html
from collections.abc import Mapping

NAMESPACE = "http://tempuri.org/"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

ANSWER = (
    f"{{{_SOAP}}}Envelope",
    f"{{{_SOAP}}}Body",
    f"{{{NAMESPACE}}}SendMsgResponse",
    f"{{{NAMESPACE}}}SendMsgResult",
)
"""The elements of an answer, each inside the one before."""


def soap_headers(method: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call."""
    return ("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", f'"{NAMESPACE}{method}"')


def encode_call(method: str, fields: Mapping[str, str]) -> bytes:
    """Encode a call of `method`, its parameters in the order given."""
    # A bare CR would reach the vendor as LF.
    escaped = {name: html.escape(value, quote=False).replace("\r", "&#13;") for name, value in fields.items()}
    parameters = "".join(f"<{name}>{value}</{name}>" for name, value in escaped.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_SOAP}"><soap:Body>'
        f'<{method} xmlns="{NAMESPACE}">{parameters}</{method}></soap:Body></soap:Envelope>'
    ).encode()
