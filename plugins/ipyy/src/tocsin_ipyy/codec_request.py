"""Requests: forms, and what ASP.NET lets through in one; SOAP; the sealed text; the container of an MMS. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from html import escape
from urllib.parse import quote, urlencode

import tocsin.plugin as t
from tocsin_ipyy import crypto
from tocsin_ipyy.codec_xml import ENVELOPES
from tocsin_ipyy.settings import ByteOrder, settings_of

BEIJING = timezone(timedelta(hours=8))  # the zone of every time that the vendor writes or reads

# source: ASP.NET request validation: `<` before a letter, `!`, `?` or `/`, and `&#`
_VALIDATED = re.compile(r"<[A-Za-z!?/]|&#")
_LABELS = {"utf-8": "", "gbk": "; charset=gb2312"}  # ASP.NET heeds it over the page's own, so it is right or absent
_SIZE_BYTES = 4  # the document calls the size "整形" and no more; the byte order is the account's setting


def passes(*values: str) -> bool:
    """Say whether request validation takes the values in a form."""
    return not any(map(_VALIDATED.search, values))


def widen(text: str) -> str:
    """Return a text that passes: `<` and the `&` of `&#` at their full width."""
    return text if passes(text) else text.replace("<", "＜").replace("&#", "＆#")


def log_in(account: t.Account) -> dict[str, str]:
    """Return the login that every page wants: of the password its MD5, where that is set or alone passes."""
    settings = settings_of(account)
    password = settings.password.reveal()
    if settings.password_md5 or not passes(password):
        password = crypto.md5(password)
    return {"userid": settings.user_id, "account": settings.account, "password": password}


def encode_form(account: t.Account, path: str, fields: Mapping[str, str], charset: str = "utf-8") -> t.HttpRequest:
    """Encode a POST form. A blank is `%20`, since `+` is read in two ways."""
    return t.HttpRequest(
        url=f"{account.base_url}{path}",
        headers=(("Content-Type", f"application/x-www-form-urlencoded{_LABELS[charset]}"),),
        body=urlencode(fields, quote_via=quote, encoding=charset, errors="strict").encode("ascii"),
    )


def encode_soap(account: t.Account, path: str, fields: Mapping[str, str]) -> t.HttpRequest:
    """Encode `SendSms`, document/literal with qualified elements. The password goes as it is. Source: ipyy, 8.2."""
    settings = settings_of(account)
    login = _elements({"userName": settings.account, "password": settings.password.reveal()})
    names = {"Msisdns": "mobile", "SMSContent": "content", "PlanSendTime": "sendTime", "ExtNumber": "extno"}
    sms = _elements({name: fields[field] for name, field in names.items()})
    call = f'<SendSms xmlns="{settings.soap_namespace}">{login}<sms>{sms}</sms></SendSms>'
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{ENVELOPES[settings.soap_version]}"><soap:Body>{call}</soap:Body></soap:Envelope>'
    )
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    if settings.soap_version == "1.1":
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{settings.soap_namespace}SendSms"'}
    return t.HttpRequest(url=f"{account.base_url}{path}", headers=tuple(headers.items()), body=body.encode("utf-8"))


def seal(account: t.Account, fields: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return the form of an encrypted submit. The stamp, without year or zone, is Beijing's. Source: ipyy, 1.5."""
    settings, stamp = settings_of(account), now.astimezone(BEIJING).strftime("%m%d%H%M%S")
    password = settings.password.reveal()
    login = {"UserName": settings.account, "Secret": crypto.md5(password + stamp), "Stamp": stamp}
    names = {"Moblie": "mobile", "Text": "content", "Ext": "extno", "SendTime": "sendTime"}
    plain = login | {name: fields[field] for name, field in names.items()}
    text64 = crypto.encrypt_text64(password, json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    return {"UserId": settings.user_id, "Text64": text64}


def encode_tms(elements: Iterable[t.Attachment], order: ByteOrder) -> bytes:
    """Encode a container: of each element its name (ASCII), NUL, size and content. Source: ipyy, 2.2."""
    sized = ((one, len(one.content).to_bytes(_SIZE_BYTES, order, signed=True)) for one in elements)
    return b"".join(one.name.encode("ascii") + b"\0" + size + one.content for one, size in sized)


def decode_tms(container: bytes, order: ByteOrder) -> tuple[t.Attachment, ...]:
    """Decode a container. Raises ValueError where it ends within an element, or a name is not ASCII."""
    elements, at = list[t.Attachment](), 0
    while at < len(container):
        end_of_name = container.index(b"\0", at)
        start = end_of_name + 1 + _SIZE_BYTES
        end = start + int.from_bytes(container[end_of_name + 1 : start], order, signed=True)
        if not start <= end <= len(container):
            raise ValueError("the container ends within an element")
        elements.append(t.Attachment(container[at:end_of_name].decode("ascii"), container[start:end]))
        at = end
    return tuple(elements)


def _elements(texts: Mapping[str, str]) -> str:
    """A bare CR would be read back as LF, so it goes as a reference."""
    escaped = {name: escape(text, quote=False).replace("\r", "&#13;") for name, text in texts.items()}
    return "".join(f"<{name}>{text}</{name}>" for name, text in escaped.items())
