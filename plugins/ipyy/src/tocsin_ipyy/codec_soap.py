"""SOAP 1.1 `SendSms` at WebService.asmx (ipyy, chapter 8): carries as written what ASP.NET refuses in a form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from tocsin.plugin import Account, AnswerError, HttpRequest
from tocsin_ipyy import codec_xml
from tocsin_ipyy.settings import settings_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_NAMES = {"mobile": "Msisdns", "content": "SMSContent", "sendTime": "PlanSendTime", "extno": "ExtNumber"}


def encode_send(account: Account, fields: Mapping[str, str]) -> HttpRequest:
    """Encode one submit.

    Args:
        account: its password goes as it is.
        fields: of a submit, as forms name them.
    """
    settings = settings_of(account)
    login = _elements({"userName": settings.account, "password": settings.password.reveal()})
    sms = _elements({name: fields[form_name] for form_name, name in _NAMES.items()})
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_SOAP}"><soap:Body>'
        f'<SendSms xmlns="{settings.soap_namespace}">{login}<sms>{sms}</sms></SendSms></soap:Body></soap:Envelope>'
    )
    return HttpRequest(
        url=f"{account.base_url}/WebService.asmx",
        headers=(
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", f'"{settings.soap_namespace}SendSms"'),
        ),
        body=body.encode("utf-8"),
        submits=True,
    )


def read_result(envelope: Element) -> codec_xml.Members:
    """Return the members of the `SendResult` in an envelope."""
    if envelope.tag != f"{{{_SOAP}}}Envelope":
        raise AnswerError("the answer is neither returnsms nor a SOAP 1.1 envelope")
    element = envelope
    for name in ("body", "sendsmsresponse", "sendsmsresult"):
        if len(element) != 1 or codec_xml.local_name(element[0]) != name:
            raise AnswerError(f"the envelope has no {name} where one belongs")
        element = element[0]
    return codec_xml.members(element)


def _elements(texts: Mapping[str, str]) -> str:
    """A bare CR would be read back as LF, so it goes as a reference."""
    escaped = {name: escape(text, quote=False).replace("\r", "&#13;") for name, text in texts.items()}
    return "".join(f"<{name}>{text}</{name}>" for name, text in escaped.items())
