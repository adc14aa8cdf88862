"""What the vendor can do, operation by operation: values to requests, answers to values. Pure.

Every `decode_*` raises AnswerError for an answer outside the vendor's grammar: it proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import attrs

import tocsin.plugin as t
from tocsin_winnerlook.codec_answer import Paths, read_page, read_value, refused_uncalled, salvage_value
from tocsin_winnerlook.codec_call import Unfit, answers_to, encode_call, encode_form, offends, widen
from tocsin_winnerlook.codec_rows import BATCH, parse_inbound, parse_reports
from tocsin_winnerlook.codes import parse_failure
from tocsin_winnerlook.settings import settings_of

Row = TypeVar("Row")
_Parse = Callable[[str, bool], t.Batch[Row]]

MAX_RECIPIENTS = 500  # source: 短信发送, "每次提交不多于 500 个号码"; its codes speak of 1000
EXTENSION_DIGITS = 20  # the document states no length; no sender's number is longer than 21 digits

_SEND = answers_to("SendMsg", "sendMsgByEncrypt", "sendMesExt")
_BALANCE = answers_to("GetBalance", "GetBalanceByEncrypt")
_REPORTS = answers_to("GetReport", "GetReport2", "GetReport2ByEncrypt")
_MO = answers_to("GetMo", "GetMo2", "GetMo2ByEncrypt")
_KEYWORDS = answers_to("GetKeyWords")

_POLL_MAX_BYTES = 8 * 1024 * 1024
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_EXTENSION = re.compile(rf"[0-9]{{1,{EXTENSION_DIGITS}}}")

# A page has no envelope that would show where it was cut: there, a batch number has the length of the document's own.
_PAGE_BATCH = re.compile("[0-9]{19}")

# Everything but tabs, line breaks and the characters that both a form and SOAP carry.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unfit(account: t.Account, submission: t.Submission) -> str:
    """Say why the account cannot carry the submission; empty where it can."""
    try:
        encode_send(account, submission)
    except Unfit as reason:
        return str(reason)
    return ""


def encode_send(account: t.Account, submission: t.Submission) -> t.HttpRequest:
    """Encode SendMsg or its encrypted twin, sendMesExt for an extension number, IndividualSm for texts of their own.

    Raises:
        Unfit: the account cannot carry the submission.
    """
    # source: winnerlook v8.3, sections 短信发送, 短信加密发送, 短信扩展发送, 个性化短信发送
    if reason := _obstacle(account, submission):
        raise Unfit(reason)
    if submission.personalised:
        request = _encode_individual(account, submission)
    else:
        numbers = ",".join(to.mainland or "" for to in submission.to)
        arguments = {"DesNo": numbers, "Msg": submission.text, "Channel": settings_of(account).channel}
        if submission.extension:
            request = encode_call(account, "sendMesExt", **arguments, ExeNo=submission.extension)
        else:
            request = encode_call(account, "SendMsg", **arguments)
    return attrs.evolve(request, submits=True)


def _obstacle(account: t.Account, submission: t.Submission) -> str:
    settings, extension = settings_of(account), submission.extension
    most, least = min(MAX_RECIPIENTS, account.limits.max_recipients), settings.min_recipients
    reasons = (
        (submission.is_mms, "winnerlook carries no attachments"),
        (submission.send_at, "winnerlook cannot send later by itself"),
        (not all(to.mainland for to in submission.to), "winnerlook reaches mainland numbers only"),
        (len(submission.to) > most, f"one submit takes at most {most} numbers"),
        (len(submission.to) < least, f"the channel takes no fewer than {least} numbers in one submit"),
        (not all(text.strip() for text in submission.texts), "a text is empty"),
        (any(map(_CONTROL.search, submission.texts)), "a text holds a control character"),
        (extension and not _EXTENSION.fullmatch(extension), f"an extension number has 1 to {EXTENSION_DIGITS} digits"),
        (extension and settings.encrypt, "no encrypted method takes an extension number"),
        (submission.personalised and not settings.personalises, "one text for all: IndividualSm is by plain POST only"),
        (submission.personalised and extension, "IndividualSm takes no extension number"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _encode_individual(account: t.Account, submission: t.Submission) -> t.HttpRequest:
    settings = settings_of(account)
    to_text, to_next = settings.individual_separators
    items = [[to.mainland or "", widen(account, text)] for to, text in submission.pairs()]
    message = to_next.join(map(to_text.join, items))
    if [item.split(to_text) for item in message.split(to_next)] != items:
        raise Unfit("a text holds what separates the texts of IndividualSm")
    login = {"account": settings.user_code, "pwd": settings.password.reveal()}
    fields = {**login, "Channel": settings.channel, "msg": message}
    if offends(fields):
        raise Unfit("request validation refuses a text or the login, and IndividualSm is not there by SOAP")
    return encode_form(f"{account.base_url}/api/IndividualSm.aspx", fields)


def decode_send(submission: t.Submission, response: t.HttpResponse) -> t.SendResult:
    """Decode the answer to a submit, whichever way it went."""
    return t.SendResult.all(submission.to, _decode_outcome(submission, response))


def _decode_outcome(submission: t.Submission, response: t.HttpResponse) -> t.Outcome:
    if refused := refused_uncalled(response):
        return refused
    read, batch = (read_page, _PAGE_BATCH) if submission.personalised else (read_value, BATCH)
    value = read(response, _SEND)
    if batch.fullmatch(value):
        return t.Accepted(t.VendorId(value))
    if failure := parse_failure(value, recipients=len(submission.to), texts=len(set(submission.texts))):
        return failure
    raise t.AnswerError("winnerlook: a submit was answered by neither a batch number nor a failure code")


def encode_balance(account: t.Account) -> t.HttpRequest:
    """Encode GetBalance. Source: winnerlook v8.3, section 余额查询."""
    return encode_call(account, "GetBalance")


def decode_balance(now: datetime, response: t.HttpResponse) -> t.Balance | t.Refused:
    """Decode the balance. A minus sign always means a failure: the document has no negative amount."""
    value = _read_query(response, _BALANCE)
    if isinstance(value, t.Refused):
        return value
    if not _AMOUNT.fullmatch(value):
        raise t.AnswerError("winnerlook: a balance query was answered by neither an amount nor a failure code")
    return t.Balance(amount=Decimal(value), unit=t.Unit.CNY, as_of=now)


def encode_keywords(account: t.Account) -> t.HttpRequest:
    """Encode GetKeyWords, which has no encrypted twin. Source: winnerlook v8.3, section 获取关键字."""
    return _long(encode_call(account, "GetKeyWords", Channel=settings_of(account).channel))


def decode_keywords(response: t.HttpResponse) -> tuple[str, ...] | t.Refused:
    """Decode `|word|word…`, the words that the channel refuses."""
    value = _read_query(response, _KEYWORDS)
    if isinstance(value, t.Refused):
        return value
    if value and not value.startswith("|"):
        raise t.AnswerError("winnerlook: the list of keywords does not begin with a bar")
    return tuple(word for part in value.split("|") if (word := part.strip()))


def encode_reports(account: t.Account) -> t.HttpRequest:
    """Encode a poll for reports. Source: winnerlook v8.3, sections 获取状态报告 and 获取状态报告 2."""
    if settings_of(account).poll_version == 1:
        return _long(encode_call(account, "GetReport", batchNumber=""))  # "备用参数，留空即可"
    return _long(encode_call(account, "GetReport2"))


def decode_reports(response: t.HttpResponse) -> t.Batch[t.Report] | t.Refused:
    """Decode reports, with or without time; of a cut answer, the rows that are whole."""
    return _decode_poll(parse_reports, response, _REPORTS)


def encode_mo(account: t.Account) -> t.HttpRequest:
    """Encode a poll for inbound messages. Source: winnerlook v8.3, sections 获取回复 and 获取回复 2."""
    return _long(encode_call(account, "GetMo" if settings_of(account).poll_version == 1 else "GetMo2"))


def decode_mo(response: t.HttpResponse) -> t.Batch[t.InboundMessage] | t.Refused:
    """Decode inbound messages, with or without channel; of a cut answer, the records that are whole."""
    return _decode_poll(parse_inbound, response, _MO)


def _long(request: t.HttpRequest) -> t.HttpRequest:
    return attrs.evolve(request, max_bytes=_POLL_MAX_BYTES)


def _read_query(response: t.HttpResponse, paths: Paths) -> str | t.Refused:
    if refused := refused_uncalled(response):
        return refused
    value = read_value(response, paths)
    return _parse_refusal(value) or value


def _decode_poll(parse: _Parse[Row], response: t.HttpResponse, paths: Paths) -> t.Batch[Row] | t.Refused:
    if refused := refused_uncalled(response):
        return refused
    text, whole = salvage_value(response, paths)
    if whole and (refused := _parse_refusal(text.strip())):
        return refused
    page = parse(text, whole)
    if not (whole or page.rows or page.unparsed):
        raise t.AnswerError("winnerlook: the answer was cut before its first row")  # it is no empty page
    return page


def _parse_refusal(value: str) -> t.Refused | None:
    """Read a query's value as a refusal; None for a value that is none."""
    failure = parse_failure(value)
    if isinstance(failure, t.Unknown):
        raise t.AnswerError("winnerlook: application exception (-1)")
    return failure
