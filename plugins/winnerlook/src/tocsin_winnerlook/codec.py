"""The plain methods SendMsg, GetBalance, GetReport2 and GetMo2: values to requests, answers to values. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote, urlencode

import attrs

from tocsin.plugin import (
    Accepted,
    Account,
    AnswerError,
    Balance,
    Batch,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Outcome,
    Refused,
    Report,
    SendResult,
    Submission,
    Unit,
    Unknown,
    VendorId,
)
from tocsin_winnerlook.codec_answer import read_value, refused_uncalled, salvage_value
from tocsin_winnerlook.codec_rows import BATCH, parse_inbound, parse_reports
from tocsin_winnerlook.codec_soap import encode_call, soap_headers
from tocsin_winnerlook.codes import parse_failure
from tocsin_winnerlook.settings import settings_of

Row = TypeVar("Row")

_SERVICE = "/api/MsgSend.asmx"
_POLL_MAX_BYTES = 8 * 1024 * 1024
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")

# What ASP.NET's request validation refuses in a form, before the method runs.
_OFFENDING = re.compile(r"<[A-Za-z!?/]|&#")

# Everything but tabs, line breaks and the characters that both a form and SOAP carry.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unfit(submission: Submission) -> str:
    """Say why SendMsg cannot carry the submission; empty where it can."""
    reasons = (
        (submission.is_mms, "winnerlook carries no attachments"),
        (submission.extension, "SendMsg takes no extension number"),
        (submission.send_at, "winnerlook cannot send later by itself"),
        (submission.personalised, "SendMsg takes one text for all"),
        (not all(to.mainland for to in submission.to), "winnerlook reaches mainland numbers only"),
        (not all(text.strip() for text in submission.texts), "the text is empty"),
        (any(map(_CONTROL.search, submission.texts)), "the text holds a control character"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def encode_send(account: Account, submission: Submission) -> HttpRequest:
    """Encode SendMsg: by form, or by SOAP 1.1 where a form would not reach the method.

    Args:
        account: one of winnerlook's.
        submission: one for which `unfit` is empty.

    Source:
        winnerlook v8.3, section 短信发送.
    """
    settings = settings_of(account)
    text, widen = submission.text, settings.validated_text == "widen"
    if widen and _OFFENDING.search(text):
        text = text.replace("<", "＜").replace("&#", "＆#")
    numbers = ",".join(to.mainland or "" for to in submission.to)
    fields = _credentials(account) | {"DesNo": numbers, "Msg": text, "Channel": settings.channel}
    by_soap = not widen and any(map(_OFFENDING.search, fields.values()))
    request = _soap(account, "SendMsg", fields) if by_soap else _form(account, "SendMsg", fields)
    return attrs.evolve(request, submits=True)


def decode_send(submission: Submission, response: HttpResponse) -> SendResult:
    """Decode the answer to SendMsg, by form or by SOAP.

    Raises:
        AnswerError: the answer is outside the vendor's grammar and proves nothing.
    """
    return SendResult.all(submission.to, _decode_outcome(len(submission.to), response))


def _decode_outcome(recipients: int, response: HttpResponse) -> Outcome:
    if refused := refused_uncalled(response):
        return refused
    value = read_value(response)
    if BATCH.fullmatch(value):
        return Accepted(VendorId(value))
    if failure := parse_failure(value, recipients):
        return failure
    raise AnswerError("winnerlook: SendMsg answered neither a batch number nor a failure code")


def encode_balance(account: Account) -> HttpRequest:
    """Encode GetBalance. Source: winnerlook v8.3, section 余额查询."""
    return _form(account, "GetBalance", _credentials(account))


def decode_balance(now: datetime, response: HttpResponse) -> Balance | Refused:
    """Decode the answer to GetBalance. A minus sign always means a failure: the document has no negative amount.

    Raises:
        AnswerError: the answer is neither an amount nor a refusal.
    """
    if refused := refused_uncalled(response):
        return refused
    value = read_value(response)
    if _AMOUNT.fullmatch(value):
        return Balance(amount=Decimal(value), unit=Unit.CNY, as_of=now)
    if refused := _parse_refusal(value):
        return refused
    raise AnswerError("winnerlook: GetBalance answered neither an amount nor a failure code")


def encode_reports(account: Account) -> HttpRequest:
    """Encode GetReport2. Source: winnerlook v8.3, section 获取状态报告 2."""
    return attrs.evolve(_form(account, "GetReport2", _credentials(account)), max_bytes=_POLL_MAX_BYTES)


def decode_reports(response: HttpResponse) -> Batch[Report] | Refused:
    """Decode the answer to GetReport2; of a cut one, the rows that are whole.

    Raises:
        AnswerError: the answer holds no value at all.
    """
    return _decode_page(parse_reports, response)


def encode_mo(account: Account) -> HttpRequest:
    """Encode GetMo2. Source: winnerlook v8.3, section 获取回复 2."""
    return attrs.evolve(_form(account, "GetMo2", _credentials(account)), max_bytes=_POLL_MAX_BYTES)


def decode_mo(response: HttpResponse) -> Batch[InboundMessage] | Refused:
    """Decode the answer to GetMo2; of a cut one, the records that are whole.

    Raises:
        AnswerError: the answer holds no value at all.
    """
    return _decode_page(parse_inbound, response)


def _decode_page(parse: Callable[..., Batch[Row]], response: HttpResponse) -> Batch[Row] | Refused:
    if refused := refused_uncalled(response):
        return refused
    value = salvage_value(response)
    if value.whole:
        return _parse_refusal(value.text.strip()) or parse(value.text)
    page = parse(value.text, whole=False)
    if not page.rows and not page.unparsed:
        raise AnswerError("winnerlook: the answer was cut before its first row")  # it must not pass for an empty page
    return page


def _parse_refusal(value: str) -> Refused | None:
    """Read a query's value as a refusal; None for a value that is none."""
    failure = parse_failure(value)
    if isinstance(failure, Unknown):
        raise AnswerError("winnerlook: application exception (-1)")
    return failure


def _credentials(account: Account) -> dict[str, str]:
    settings = settings_of(account)
    return {"userCode": settings.user_code, "userPass": settings.password.reveal()}


def _form(account: Account, method: str, fields: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(
        url=f"{account.base_url}{_SERVICE}/{method}",
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        body=urlencode(fields, quote_via=quote, encoding="utf-8").encode("ascii"),
    )


def _soap(account: Account, method: str, fields: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(url=account.base_url + _SERVICE, headers=soap_headers(method), body=encode_call(method, fields))
