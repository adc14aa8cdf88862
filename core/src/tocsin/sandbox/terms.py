"""What a vendor has agreed with an account: its password and purse, and the rules that its messages must keep."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from decimal import Decimal

import attrs


def _size(value: Sized) -> str:
    return f"<{len(value)}>"


def _texts(values: Iterable[str]) -> frozenset[str]:
    texts = frozenset(values)
    if isinstance(values, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError("expected a list of texts")
    return texts


def _separators(values: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(values)
    if isinstance(values, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError("expected a list of texts")
    if len(texts) != 2 or texts[0] == texts[1] or not all(texts):
        raise ValueError("expected two separators, such as |!| and |^|")
    return texts


def _amount(value: Decimal | str | float) -> Decimal:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise ValueError("expected an amount such as 99.90") from None
    if not amount.is_finite():
        raise ValueError("expected an amount such as 99.90")
    return amount


def _count(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("expected a count")
    if value < 1:
        raise ValueError("expected a count from 1")
    return value


def _byte_order(value: str) -> str:
    if value not in ("little", "big"):
        raise ValueError("expected little or big as the byte order")
    return value


def _flag(default: bool) -> bool:
    flag: bool = attrs.field(default=default, validator=attrs.validators.instance_of(bool))
    return flag


@attrs.frozen(kw_only=True)
class Terms:
    """One account's terms. Replaced as a whole, never changed in place.

    Args:
        password: of the account, in plain.
        balance: what is left, in the vendor's unit.
        mms_balance: what is left for MMS, in messages, where the vendor keeps a purse of its own for them.
        price: of one segment to one number, in the unit of `balance`.
        postpaid: the balance may fall below zero.
        keywords: words that no text may hold.
        blocked: numbers on the vendor's blacklist.
        extensions: whether the account may give an extension number.
        limited: whether the vendor's limits for one number are enforced.
        min_recipients: fewest numbers in a submit.
        max_recipients: most numbers in a submit.
        template_channel: whether the channel takes texts of agreed templates alone.
        separators: of personalised texts, between number and text, and between items.
        byte_order: of integers in an MMS container, `little` or `big`.
    """

    password: str = attrs.field(default="", validator=attrs.validators.instance_of(str), repr=False)
    balance: Decimal = attrs.field(default=Decimal(1000), converter=_amount)
    mms_balance: Decimal = attrs.field(default=Decimal(500), converter=_amount)
    price: Decimal = attrs.field(default=Decimal("0.10"), converter=_amount)
    postpaid: bool = _flag(default=False)
    keywords: frozenset[str] = attrs.field(default=frozenset(), converter=_texts)
    blocked: frozenset[str] = attrs.field(default=frozenset(), converter=_texts, repr=_size)
    extensions: bool = _flag(default=True)
    limited: bool = _flag(default=False)
    min_recipients: int = attrs.field(default=1, converter=_count)
    max_recipients: int = attrs.field(default=1000, converter=_count)
    template_channel: bool = _flag(default=False)
    separators: tuple[str, ...] = attrs.field(default=("|!|", "|^|"), converter=_separators)
    byte_order: str = attrs.field(default="little", converter=_byte_order)
