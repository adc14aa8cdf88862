"""Phone numbers (MSISDN). Their text form is masked; the full number is asked for by name.

Core itself reads mainland numbers (11 digits, 1[3-9]...) and E.164.
"""

from __future__ import annotations

import re

import attrs

from tocsin.errors import InvalidNumber

_SEPARATORS = re.compile(r"[ \t\u00a0().\-]")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_CHINA = "+86"


def _mask(number: str) -> str:
    """Keep what tells carriers and countries apart, and the last two digits."""
    return "*" * len(number) if len(number) < 8 else f"{number[:5]}{'*' * (len(number) - 7)}{number[-2:]}"


@attrs.frozen(order=True, repr=False)
class E164:
    """A valid international number. `str()` and `repr()` are masked; `full` is the number itself."""

    full: str = attrs.field()

    @full.validator
    def _check(self, _: object, value: str) -> None:
        if not _E164.fullmatch(value) or (value.startswith(_CHINA) and not _MAINLAND.fullmatch(value[3:])):
            raise InvalidNumber("not a phone number: expected +, country code and number, or 11 mainland digits")

    @property
    def mainland(self) -> str | None:
        """The 11 digits of a mainland number, as both Chinese vendors want them; None for any other country."""
        return self.full.removeprefix(_CHINA) if self.full.startswith(_CHINA) else None

    def __str__(self) -> str:
        return _mask(self.full)

    def __repr__(self) -> str:
        return f"E164({_mask(self.full)!r})"


@attrs.frozen(order=True, repr=False)
class ShortCode:
    """A sender or recipient that is no E.164 number (10086, 106…, a name): kept as the vendor wrote it."""

    full: str

    def __str__(self) -> str:
        return _mask(self.full)

    def __repr__(self) -> str:
        return f"ShortCode({_mask(self.full)!r})"


Msisdn = E164 | ShortCode


def parse_number(text: str) -> E164:
    """Read a number that a person or a program typed. Bare mainland numbers are read as +86.

    Args:
        text: `+8613900000000`, `13900000000`, `0086 139-0000-0000`; blanks, dots, hyphens and brackets are dropped.

    Raises:
        InvalidNumber: it is neither; the text does not repeat it.
    """
    digits = _SEPARATORS.sub("", text.strip())
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if _MAINLAND.fullmatch(digits):
        digits = _CHINA + digits
    elif digits.startswith("86") and _MAINLAND.fullmatch(digits[2:]):
        digits = f"+{digits}"
    return E164(digits)


def parse_vendor_number(text: str) -> Msisdn:
    """Read a number that a vendor reported. What is no E.164 number is kept as it is, never dropped."""
    try:
        return parse_number(text)
    except InvalidNumber:
        return ShortCode(text.strip())
