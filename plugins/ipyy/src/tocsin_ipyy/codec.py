"""Submits and balances: requests from values, outcomes from answers. Pure; the hooks call it.

The vendor answers a submit in two vocabularies: `returnsms` (chapter 1.3) and `SendResult` (chapters 1.5 and 8.3).
The second is translated into the first, so that one function concludes what an answer proves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote, urlencode

import attrs

from tocsin.plugin import (
    Accepted,
    Account,
    AnswerError,
    Balance,
    HttpRequest,
    HttpResponse,
    Reason,
    Refused,
    Scope,
    SendResult,
    Submission,
    Unit,
    VendorId,
)
from tocsin_ipyy import codec_soap, codec_xml, codes, crypto
from tocsin_ipyy.settings import settings_of

BEIJING = timezone(timedelta(hours=8))
"""The zone of every time that the vendor writes or reads."""

# source: ASP.NET request validation: `<` before a letter, `!`, `?` or `/`, and `&#`
_VALIDATED = re.compile(r"<[A-Za-z!?/]|&#")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TASK_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_COUNT = re.compile(r"[0-9]{0,9}")
_STATUS_CODE = re.compile(r"-?[0-9]{1,5}|[A-Za-z][0-9A-Za-z]{4,63}")
_POSTPAID = {"后付费": True, "后付": True, "预付费": False, "预付": False}  # source: ipyy, 3.3 and 3.4


def obstacle(submission: Submission) -> str:
    """Say why ipyy cannot carry a submission; an empty text where it can."""
    obstacles = {
        "ipyy reaches mainland numbers only": any(number.mainland is None for number in submission.to),
        "multimedia messages are not supported yet": submission.is_mms or bool(submission.subject),
        "one submit carries one text for all recipients": submission.personalised,
        "an extension number has at most 5 digits": not re.fullmatch("[0-9]{0,5}", submission.extension),
        "the text is empty": not all(text.strip() for text in submission.texts),
        "the text holds control characters": any(map(_UNSENDABLE.search, submission.texts)),
    }
    return next((why for why, applies in obstacles.items() if applies), "")


def encode_send(account: Account, submission: Submission, now: datetime) -> HttpRequest:
    """Encode one submit: a form, or SOAP where the text would not pass as a form.

    Args:
        account: where from.
        submission: one that has no `obstacle`.
        now: a time to send at that is past by then is left out: at once.

    Source: ipyy, chapter 1.2.
    """
    later = submission.send_at if submission.send_at and submission.send_at > now else None
    fields = {
        "mobile": ",".join(number.mainland or number.full for number in submission.to),
        "content": submission.text,
        "sendTime": later.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if later else "",
        "action": "send",
        "extno": submission.extension,
    }
    if _VALIDATED.search(submission.text):
        if settings_of(account).validated_text == "soap":
            return codec_soap.encode_send(account, fields)
        fields["content"] = submission.text.replace("<", "＜").replace("&#", "＆#")
    return encode_form(account, "/sms.aspx", fields, submits=True)


def decode_send(submission: Submission, now: datetime, response: HttpResponse) -> SendResult:
    """Decode the answer to a submit, in either vocabulary.

    Args:
        submission: what was sent.
        now: when; the time of the balance that the answer may carry.
        response: as it came.

    Raises:
        AnswerError: it proves neither acceptance nor refusal.
    """
    answer = codec_xml.read_answer(response)
    if isinstance(answer, Refused):
        return SendResult.all(submission.to, answer)
    root = codec_xml.parse_xml(answer)
    soap = not codec_xml.is_returnsms(root)
    said = _translated(codec_soap.read_result(root)) if soap else codec_xml.members(root)
    if not _succeeded(said):
        return SendResult.all(submission.to, _refusal(said, len(submission.to)))
    accepted = _acceptance(said, len(submission.to))
    return SendResult.all(submission.to, accepted, _balance(said["remainpoint"], now))


def encode_balance(account: Account) -> HttpRequest:
    """Encode the question what is left. Source: ipyy, chapter 3.2."""
    return encode_form(account, "/sms.aspx", {"action": "overage"})


def decode_balance(now: datetime, response: HttpResponse) -> Balance | Refused:
    """Decode a balance, counted in messages. Source: ipyy, chapter 3.3.

    Raises:
        AnswerError: it is outside the document's grammar.
    """
    answer = codec_xml.read_answer(response)
    if isinstance(answer, Refused):
        return answer
    root = codec_xml.parse_xml(answer)
    if not codec_xml.is_returnsms(root):
        raise AnswerError("the answer is no returnsms")
    said = codec_xml.members(root)
    if not _succeeded(said):
        return codes.read_failure(said["returnstatus"], said["message"])
    balance = _balance(said["overage"], now)
    if balance is None:
        raise AnswerError("the balance is no number")
    return attrs.evolve(balance, postpaid=_POSTPAID.get(said["payinfo"]))


def encode_form(
    account: Account, path: str, fields: Mapping[str, str], *, submits: bool = False, max_bytes: int = 256 * 1024
) -> HttpRequest:
    """Encode a POST form in UTF-8: the login first. A blank is `%20`, since `+` is read in two ways."""
    settings = settings_of(account)
    password = settings.password.reveal()
    login = {
        "userid": settings.user_id,
        "account": settings.account,
        "password": crypto.password_md5(password) if settings.password_md5 else password,
    }
    return HttpRequest(
        url=f"{account.base_url}{path}",
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        body=urlencode({**login, **fields}, quote_via=quote, encoding="utf-8").encode("ascii"),
        submits=submits,
        max_bytes=max_bytes,
    )


def read_task_id(text: str) -> VendorId | None:
    """Return an id, None for an empty text. Raises AnswerError for more than ASCII letters and digits."""
    if text and not _TASK_ID.fullmatch(text):
        raise AnswerError("the task id is not made of letters and digits")
    return VendorId(text) if text else None


def _translated(result: codec_xml.Members) -> codec_xml.Members:
    """Put a SendResult into the words of returnsms.

    A status on no list is a failure ("其它为失败"), unless the same answer gives an id: then it is garbage.
    """
    code, task_id = result["statuscode"], result["msgid"]
    succeeded = code in ("1", "OK")
    if not succeeded and (not _STATUS_CODE.fullmatch(code) or (task_id and not codes.find_code(code))):
        raise AnswerError("the status code is outside the grammar")
    said = {"message": result["description"], "taskid": task_id, "remainpoint": result["amount"]}
    said |= {"returnstatus": "Success" if succeeded else "Faild", "code": code}
    return codec_xml.Members(str, said, successcounts=result["successcounts"])


def _succeeded(said: codec_xml.Members) -> bool:
    """The document spells success in two ways, and failure in one."""
    if said["returnstatus"] not in ("Success", "Sucess", "Faild"):
        raise AnswerError("returnstatus is neither success nor failure")
    return said["returnstatus"] != "Faild"


def _acceptance(said: codec_xml.Members, recipients: int) -> Accepted:
    """Success that counts nobody, or is told in the words of a failure, proves neither.

    More successes than recipients are no contradiction: "提交成功短信数" may count the parts of a long text.
    """
    count, row = _count(said), codes.find_code(said["message"])
    if count == 0 or (row and row.name != "OK"):
        raise AnswerError("the answer is success and failure in one")
    return Accepted(read_task_id(said["taskid"]), partial=count is not None and count < recipients)


def _refusal(said: codec_xml.Members, recipients: int) -> Refused:
    """A bad number among several is not named: the group is to be split until it stands alone."""
    if _count(said):
        raise AnswerError("the answer is a failure that counts successes")
    refused = codes.read_failure(said["code"] or said["returnstatus"], said["message"])
    if refused.reason.scope is Scope.RECIPIENT and recipients > 1:
        return attrs.evolve(refused, reason=Reason.SPLIT)
    return refused


def _count(said: codec_xml.Members) -> int | None:
    if not _COUNT.fullmatch(said["successcounts"]):
        raise AnswerError("the count of successes is no number")
    return int(said["successcounts"]) if said["successcounts"] else None


def _balance(text: str, now: datetime) -> Balance | None:
    """Negative amounts are those of postpaid accounts; what is no number is no sample."""
    return Balance(amount=Decimal(text), unit=Unit.MESSAGES, as_of=now) if _DECIMAL.fullmatch(text) else None
