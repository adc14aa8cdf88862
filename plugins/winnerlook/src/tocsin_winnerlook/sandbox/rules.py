"""By what a submit is judged. Each function returns a code of the document, empty where nothing is wrong.

The order, which the document leaves open: count (-9, -10, -11), numbers (-16, -17), signature (-5), keywords (-6),
channel (-8), blacklist (-14), extension (-18), balance (-7).
"""

from __future__ import annotations

import re

from tocsin.sandbox import Terms
from tocsin.sandbox.site import Desk, Draft

CHANNEL = "37"

# source: 短信发送, 返回值; 余额查询 (-23); 短信加密发送 (-22)
BAD_LOGIN = "-3"
_BAD_SIGNATURE = "-5"
_KEYWORD = "-6:{}"
_NO_BALANCE = "-7"
_NO_CHANNEL = "-8"
_TOO_MANY = "-9"
_ABOVE_MAXIMUM = "-10"
_BELOW_MINIMUM = "-11"
_BLOCKED = "-14"
_BAD_NUMBER = "-16"
_NO_REAL_NUMBER = "-17"
_NO_EXTENSION = "-18"
TEMPLATES_ALONE = "-19"
BAD_SEAL = "-22"
TOO_OFTEN = "-23"

_SIGNED = re.compile(r".+【[^【】]+】", re.DOTALL)
_ELEVEN_DIGITS = re.compile(r"1[0-9]{10}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def judge_submit(draft: Draft, channel: str, desk: Desk) -> str:
    """Judge all but the login; without a code it has been charged."""
    code = _judge_count(len(draft.numbers), desk.terms) or _judge_numbers(draft.numbers)
    code = code or next(filter(None, (_judge_text(text, desk.terms) for text in draft.text_of_each)), "")
    code = code or judge_channel(channel) or _judge_rights(draft, desk.terms)
    return code or ("" if desk.charge(draft) else _NO_BALANCE)


def judge_channel(channel: str) -> str:
    """没有可用通道."""
    return "" if channel == CHANNEL else _NO_CHANNEL


def _judge_count(count: int, terms: Terms) -> str:
    if count > 1000:
        return _TOO_MANY
    if count > terms.max_recipients:
        return _ABOVE_MAXIMUM
    return _BELOW_MINIMUM if 0 < count < terms.min_recipients else ""


def _judge_numbers(numbers: tuple[str, ...]) -> str:
    if not numbers or not all(_ELEVEN_DIGITS.fullmatch(number) for number in numbers):
        return _BAD_NUMBER
    return "" if all(_MOBILE.fullmatch(number) for number in numbers) else _NO_REAL_NUMBER


def _judge_text(text: str, terms: Terms) -> str:
    """短信内容最后一个字符必须是】."""
    if not _SIGNED.fullmatch(text):
        return _BAD_SIGNATURE
    found = next((word for word in sorted(terms.keywords) if word in text), None)
    return "" if found is None else _KEYWORD.format(found)


def _judge_rights(draft: Draft, terms: Terms) -> str:
    if not terms.blocked.isdisjoint(draft.numbers):
        return _BLOCKED
    return _NO_EXTENSION if draft.extension and not terms.extensions else ""
