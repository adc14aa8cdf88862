"""Calls: a method with its arguments, put on GET, POST, SOAP 1.1 or SOAP 1.2. Knows no method's meaning.

Every way but SOAP passes ASP.NET's request validation, which refuses what looks like markup before the method runs; so
a value that it would refuse makes the call go by SOAP 1.1.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import tocsin.plugin as t
from tocsin_winnerlook.crypto import encrypt
from tocsin_winnerlook.settings import settings_of

NAMESPACE = "http://tempuri.org/"

# source: 余额查询, 短信加密发送, 获取状态报告 2, 获取回复 2; no other method has an encrypted twin
_ENCRYPTED: Mapping[str, str] = {
    "GetBalance": "GetBalanceByEncrypt",
    "SendMsg": "sendMsgByEncrypt",
    "GetReport2": "GetReport2ByEncrypt",
    "GetMo2": "GetMo2ByEncrypt",
}

# Namespace and media type of each version, by interface.
_SOAP: Mapping[str, tuple[str, str]] = {
    "soap11": ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml"),
    "soap12": ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"),
}

_LONGEST_QUERY = 2048  # bytes; IIS answers 404.15 to a longer one
_OFFENDING = re.compile(r"<[A-Za-z!?/]|&#")

Fields = Mapping[str, str]


class Unfit(ValueError):
    """The account cannot carry what it was given. The text says why and quotes none of it."""


def encode_call(account: t.Account, method: str, **arguments: str) -> t.HttpRequest:
    """Encode a call of a method, by the account's interface and, where it asks for that, encrypted.

    Args:
        account: one of winnerlook's.
        method: name of the plain method.
        arguments: in the document's order, without login name and password.

    Raises:
        Unfit: the values cannot be told apart when encrypted, or are too long for a GET.
    """
    settings = settings_of(account)
    service, interface = account.base_url + "/api/MsgSend.asmx", settings.interface
    fields = {"userPass": settings.password.reveal(), **arguments}
    if settings.encrypt and method in _ENCRYPTED:
        method, fields = _ENCRYPTED[method], {"submitInfo": _seal(fields)}
    fields = {"userCode": settings.user_code, **fields}
    if interface in ("get", "post"):
        fields = {name: widen(account, value) if name == "Msg" else value for name, value in fields.items()}
        interface = "soap11" if offends(fields) else interface
    if interface == "post":
        return encode_form(f"{service}/{method}", fields)
    if interface == "get":
        return _encode_query(f"{service}/{method}", fields)
    return _encode_soap(service, interface, method, fields)


def offends(fields: Fields) -> bool:
    """Say whether request validation would refuse a form or query with those values."""
    return any(map(_OFFENDING.search, fields.values()))


def widen(account: t.Account, text: str) -> str:
    """Write what offends in a text in full width, where the account asks for that."""
    if settings_of(account).validated_text != "widen" or not _OFFENDING.search(text):
        return text
    return text.replace("<", "＜").replace("&#", "＆#")


def encode_form(url: str, fields: Fields) -> t.HttpRequest:
    """Encode a form in UTF-8."""
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    return t.HttpRequest(url=url, headers=headers, body=urlencode(fields, quote_via=quote).encode("ascii"))


def answers_to(*methods: str) -> frozenset[tuple[str, ...]]:
    """Return the elements, from the root inwards, that lead to the value in an answer to one of the methods."""
    services = [(f"{{{NAMESPACE}}}{method}Response", f"{{{NAMESPACE}}}{method}Result") for method in methods]
    envelopes = [(f"{{{soap}}}Envelope", f"{{{soap}}}Body") for soap, _ in _SOAP.values()]
    return frozenset({(f"{{{NAMESPACE}}}string",), *(outer + inner for outer in envelopes for inner in services)})


def _seal(fields: Fields) -> str:
    """Make the `submitInfo`. It is not URL-encoded, so an ampersand would end its field."""
    if any("&" in value for value in fields.values()):
        raise Unfit('an "&" in text or password cannot be told from the end of a field when encrypted')
    try:
        return encrypt("&".join(f"{name}={value}" for name, value in fields.items()), fields["userPass"])
    except ValueError as error:
        raise Unfit(f"it cannot be encrypted: {error}") from None


def _encode_query(url: str, fields: Fields) -> t.HttpRequest:
    query = urlencode(fields, quote_via=quote)
    if len(query) > _LONGEST_QUERY:
        raise Unfit(f"a GET takes at most {_LONGEST_QUERY} bytes")
    return t.HttpRequest(url=f"{url}?{query}", method="GET")


def _encode_soap(service: str, interface: str, method: str, fields: Fields) -> t.HttpRequest:
    """Write a call: document/literal, wrapped. An element outside the service's namespace would become null."""
    namespace, media_type = _SOAP[interface]
    action = (("SOAPAction", f'"{NAMESPACE}{method}"'),) if interface == "soap11" else ()
    # A bare CR would reach the vendor as LF.
    escaped = {name: html.escape(value, quote=False).replace("\r", "&#13;") for name, value in fields.items()}
    parameters = "".join(f"<{name}>{value}</{name}>" for name, value in escaped.items())
    envelope = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{namespace}"><soap:Body>'
        f'<{method} xmlns="{NAMESPACE}">{parameters}</{method}></soap:Body></soap:Envelope>'
    )
    headers = (("Content-Type", f"{media_type}; charset=utf-8"), *action)
    return t.HttpRequest(url=service, headers=headers, body=envelope.encode())
