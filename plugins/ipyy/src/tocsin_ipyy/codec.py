"""Submits, balances and passwords: what fits, requests from values, outcomes from answers. Pure; the hooks call it."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial

import attrs

import tocsin.plugin as t
from tocsin_ipyy import codec_json, codec_xml, codes
from tocsin_ipyy.codec_answer import Members, read_answer, read_task_id, require
from tocsin_ipyy.codec_request import BEIJING, encode_form, encode_soap, encode_tms, log_in, passes, seal, widen
from tocsin_ipyy.settings import settings_of


@attrs.frozen
class Page:
    """One of the vendor's addresses: how it answers, and the charset of its forms."""

    path: str
    read: Callable[[str], Members]
    charset: str = "utf-8"


PAGES = {
    "xml": Page("/sms.aspx", codec_xml.read_page),  # source: ipyy, 1.1
    "gbk": Page("/smsGBK.aspx", codec_xml.read_page, "gbk"),  # source: ipyy, 1.1
    "json": Page("/smsJson.aspx", codec_json.read_page),  # source: ipyy, 1.1
    "encrypted": Page("/ensms.ashx", codec_json.read_result),  # source: ipyy, 1.1
    "mms": Page("/mms.aspx", codec_xml.read_page),  # source: ipyy, 2.1
    "password": Page("/pwd.aspx", codec_xml.read_page),  # source: ipyy, 7.1
    "soap 1.1": Page("/WebService.asmx", partial(codec_xml.read_result, "1.1")),  # source: ipyy, 8.1
    "soap 1.2": Page("/WebService.asmx", partial(codec_xml.read_result, "1.2")),  # source: ipyy, 8.1
}
_PLAIN = ("xml", "gbk", "json", "mms")  # their fields lie open, so that request validation looks at them
_POSTPAID = {"后付费": True, "后付": True, "预付费": False, "预付": False}  # source: ipyy, 3.3 and 3.4
_TEXT_ELEMENT = "text.txt"
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_COUNT = re.compile(r"[0-9]{0,9}")


def fits(account: t.Account, submission: t.Submission) -> str:
    """Say why an account cannot carry a submission; an empty text where it can."""
    settings, way, mms = settings_of(account), _way(account, submission), submission.is_mms
    texts, names = "".join(submission.texts), [one.name for one in submission.attachments]
    charset, written = PAGES[way].charset, "".join((*log_in(account).values(), widen(texts)))
    obstacles = {
        "ipyy reaches mainland numbers only": any(number.mainland is None for number in submission.to),
        "one submit carries one text for all recipients": submission.personalised,
        "an extension number has at most 5 digits": not re.fullmatch("[0-9]{0,5}", submission.extension),
        "the text holds control characters": _UNSENDABLE.search(texts + submission.subject),
        "the text is empty": not mms and not all(text.strip() for text in submission.texts),
        "a subject belongs to a multimedia message": submission.subject and not mms,
        "a multimedia message needs a subject": mms and not submission.subject.strip(),  # source: ipyy, 9: 3001
        "an attachment's name is not plain ASCII": not all(n.isascii() and n.isprintable() and n for n in names),
        "an attachment has the name of the text's own element": texts and _TEXT_ELEMENT in names,
        "the vendor's server refuses the subject": settings.validated_text == "soap" and not passes(submission.subject),
        "the vendor's server refuses the login in a form": way in _PLAIN and not passes(settings.account),
        "the text or the login is outside code page 936": written.encode(charset, "ignore").decode(charset) != written,
    }
    return next((why for why, applies in obstacles.items() if applies), "")


def encode_send(account: t.Account, submission: t.Submission, now: datetime) -> t.HttpRequest:
    """Encode one submit that `fits`. Source: ipyy, chapters 1.2, 1.5, 2.2 and 8.2."""
    fields, way = _fields(account, submission, now), _way(account, submission)
    page = PAGES[way]
    if way == "encrypted":
        request = encode_form(account, page.path, seal(account, fields, now))
    elif way in _PLAIN:
        form = log_in(account) | {name: widen(text) for name, text in fields.items()}
        request = encode_form(account, page.path, form, page.charset)
    else:
        request = encode_soap(account, page.path, fields)
    return attrs.evolve(request, submits=True)


def decode_send(account: t.Account, submission: t.Submission, now: datetime, answer: t.HttpResponse) -> t.SendResult:
    """Decode the answer to a submit; `now` is the time of the balance that it may carry."""
    said = _read(_way(account, submission), answer, len(submission.to))
    if isinstance(said, t.Refused):
        return t.SendResult.all(submission.to, said)
    return t.SendResult.all(submission.to, _acceptance(said, len(submission.to)), _balance(said["remainpoint"], now))


def query_balance(account: t.Account, now: datetime) -> t.Exchange[t.Balance | t.Refused]:
    """Ask what is left for texts: by the account's interface, or by XML where that cannot. Source: ipyy, 3."""
    interface = settings_of(account).interface
    page = interface if interface in _PLAIN else "xml"
    return t.Exchange(_ask_balance(account, page), partial(_decode_balance, page, now))


def query_mms_balance(account: t.Account, _: Mapping[str, str], now: datetime) -> t.Exchange[object]:
    """Ask what is left for multimedia messages, as an operation. Source: ipyy, 3.1."""

    def decode(answer: t.HttpResponse) -> object:
        found = _decode_balance("mms", now, answer)
        if isinstance(found, t.Refused):
            return found
        return {"amount": str(found.amount), "unit": found.unit.value, "postpaid": found.postpaid}

    return t.Exchange(_ask_balance(account, "mms"), decode)


def change_password(account: t.Account, arguments: Mapping[str, str], _: datetime) -> t.Exchange[object]:
    """Change the password; the page wants both as they are. Raises ValueError for a new one that cannot be."""
    old, new = settings_of(account).password.reveal(), arguments["new"]
    if not 1 <= len(new) <= 20 or new != new.strip() or not new.isprintable():  # source: ipyy, 7.2
        raise ValueError("expected a new password of 1 to 20 characters, without blanks around it")
    if not passes(old, new):
        raise ValueError("the vendor's server refuses old or new password: < before a letter, !, ? or /, or &#")

    def decode(answer: t.HttpResponse) -> object:
        said = _read("password", answer)
        return said if isinstance(said, t.Refused) else {"changed": True}

    form = log_in(account) | {"password": old, "newpassword": new}
    return t.Exchange(encode_form(account, PAGES["password"].path, form), decode)


def settle_change(account: t.Account, arguments: Mapping[str, str], now: datetime) -> t.Exchange[object]:
    """Find out whether a change took place: ask the balance with the new password, then with the old."""
    changed = attrs.evolve(settings_of(account), password=t.Secret(arguments["new"]))

    def decode(found: bool, answer: t.HttpResponse) -> object:
        balance = _decode_balance("xml", now, answer)
        if isinstance(balance, t.Balance):
            return {"changed": found}
        return ask_old if found and balance.reason is t.Reason.AUTHENTICATION else balance

    ask_old = t.Exchange(_ask_balance(account, "xml"), partial(decode, False))
    return t.Exchange(_ask_balance(attrs.evolve(account, settings=changed), "xml"), partial(decode, True))


def _way(account: t.Account, submission: t.Submission) -> str:
    """Name the page. What request validation would refuse in a form goes by SOAP, unless it is to be widened."""
    settings = settings_of(account)
    if submission.is_mms:
        return "mms"
    refused = settings.validated_text == "soap" and not passes(settings.account, *submission.texts)
    if settings.interface == "soap" or (settings.interface in _PLAIN and refused):
        return f"soap {settings.soap_version}"
    return settings.interface


def _fields(account: t.Account, submission: t.Submission, now: datetime) -> dict[str, str]:
    """A time that is past is left out: at once."""
    later = submission.send_at if submission.send_at and submission.send_at > now else None
    content, subject = submission.text, dict[str, str]()
    if submission.is_mms:  # the document knows no text beside the container: it is the first element inside
        text = [t.Attachment(_TEXT_ELEMENT, content.encode("utf-8"))] if content else []
        container = encode_tms([*text, *submission.attachments], settings_of(account).tms_byte_order)
        content, subject = b64encode(container).decode("ascii"), {"subject": submission.subject}
    return (
        {"mobile": ",".join(number.mainland or number.full for number in submission.to)}
        | subject
        | {
            "content": content,
            "sendTime": later.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if later else "",
            "action": "send",
            "extno": submission.extension,
        }
    )


def _read(page: str, answer: t.HttpResponse, recipients: int = 1) -> Members | t.Refused:
    """Return what a success says, which the document spells in two ways, or what a failure means."""
    text = read_answer(answer)
    if isinstance(text, t.Refused):
        return text
    said = PAGES[page].read(text)
    require(said["returnstatus"] in ("Success", "Sucess", "Faild"), "the answer is neither success nor failure")
    return _refusal(said, recipients) if said["returnstatus"] == "Faild" else said


def _ask_balance(account: t.Account, page: str) -> t.HttpRequest:
    return encode_form(account, PAGES[page].path, log_in(account) | {"action": "overage"}, PAGES[page].charset)


def _decode_balance(page: str, now: datetime, answer: t.HttpResponse) -> t.Balance | t.Refused:
    said = _read(page, answer)
    if isinstance(said, t.Refused):
        return said
    if (balance := _balance(said["overage"], now)) is None:
        raise t.AnswerError("the balance is no number")
    return attrs.evolve(balance, postpaid=_POSTPAID.get(said["payinfo"]))


def _acceptance(said: Members, recipients: int) -> t.Accepted:
    """More successes than recipients are no contradiction: "提交成功短信数" may count the parts of a long text."""
    count, row = _count(said), codes.BY_WORD.get(said["message"])
    require(count != 0 and (row is None or row.name == "OK"), "the answer is success and failure in one")
    return t.Accepted(read_task_id(said), partial=count is not None and count < recipients)


def _refusal(said: Members, recipients: int) -> t.Refused:
    """A bad number among several is not named: the group is to be split until it stands alone."""
    require(not _count(said), "the answer is a failure that counts successes")
    refused = codes.read_failure(said["code"] or said["returnstatus"], said["message"])
    hidden = refused.reason.scope is t.Scope.RECIPIENT and recipients > 1
    return attrs.evolve(refused, reason=t.Reason.SPLIT) if hidden else refused


def _count(said: Members) -> int | None:
    require(_COUNT.fullmatch(said["successcounts"]), "the count of successes is no number")
    return int(said["successcounts"]) if said["successcounts"] else None


def _balance(text: str, now: datetime) -> t.Balance | None:
    """Negative amounts are those of postpaid accounts; what is no number is no sample."""
    return t.Balance(amount=Decimal(text), unit=t.Unit.MESSAGES, as_of=now) if _AMOUNT.fullmatch(text) else None
