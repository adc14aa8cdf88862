"""By what a submit is judged. Each function returns a code of chapter 9, empty where nothing is wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from tocsin.sandbox import Terms
from tocsin.sandbox.site import Desk, Draft
from tocsin_ipyy.sandbox.codes import OVER_LIMIT

USER_ID, ACCOUNT = "12", "demo"
TERMS = Terms(password="demo-password", balance=Decimal(10000), price=Decimal(1))  # noqa: S106 - invented
"""At the start."""

_SIGNED = re.compile(r".+【[^【】]+】", re.DOTALL)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_EXTENSION = re.compile(r"[0-9]{0,5}")
_SEND_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})?")


def judge_presence(fields: Mapping[str, str], names: Iterable[str]) -> str:
    """Want every parameter that the document lists, even empty."""
    return "" if set(names) <= set(fields) else "1001"


def judge_action(fields: Mapping[str, str], wanted: str) -> str:
    """设置为固定的."""
    return "" if fields["action"] == wanted else "1001"


def judge_login(account: str, password: str, terms: Terms) -> str:
    """可以使用明文，也可以全用md5加密方式，md5采用32位大写."""
    digest = hashlib.md5(terms.password.encode(), usedforsecurity=False).hexdigest().upper()
    return judge_plain_login(account, terms.password if password == digest else password, terms)


def judge_plain_login(account: str, password: str, terms: Terms) -> str:
    """Where the document does not offer MD5: 7.2."""
    if not account or not password:
        return "1002" if not account else "1003"
    if account != ACCOUNT:
        return "1004"
    return "" if password == terms.password else "1005"


def judge_sms(draft: Draft, desk: Desk) -> str:
    """Judge a text message; without a code it has been charged."""
    code = _judge_recipients(draft, desk) or ("" if draft.text else "2001")
    code = code or ("" if _SIGNED.fullmatch(draft.text) else "2113")
    if not code and any(word in draft.text for word in desk.terms.keywords):
        return "2107"
    return code or _judge_limits(draft, desk) or ("" if desk.charge(draft) else "1111")


def judge_mms(draft: Draft, desk: Desk) -> str:
    """Judge an MMS, which needs a subject, at least one file, and no signature; without a code it has been charged."""
    code = _judge_recipients(draft, desk) or ("" if draft.subject else "3001")
    code = code or ("" if draft.attachments else "2001")
    return code or _judge_limits(draft, desk) or ("" if desk.charge_mms(draft) else "1111")


def _judge_recipients(draft: Draft, desk: Desk) -> str:
    if not _SEND_TIME.fullmatch(draft.planned):
        return "1001"
    if not draft.numbers:
        return "1103"
    if not all(_MOBILE.fullmatch(number) for number in draft.numbers):
        return "1108"
    if not _EXTENSION.fullmatch(draft.extension) or (draft.extension and not desk.terms.extensions):
        return "1104"
    return "" if desk.terms.blocked.isdisjoint(draft.numbers) else "1109"


def _judge_limits(draft: Draft, desk: Desk) -> str:
    """同一个号码一天限制接收10条信息; 3分钟之内只能提交3条."""
    return OVER_LIMIT if desk.terms.limited and any(_is_full(number, desk) for number in draft.numbers) else ""


def _is_full(number: str, desk: Desk) -> bool:
    received_by = desk.received_by
    return received_by(number, timedelta(minutes=3)) >= 3 or received_by(number, timedelta(days=1)) >= 10
