"""The account fields of winnerlook, validated where they are made. The configuration makes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from tocsin.plugin import Account, Secret

INTERFACES = ("post",)
"""Ways to call the vendor, the default first."""


def _expect(what: str, holds: Callable[[Any], object]) -> Callable[[object, object, Any], None]:
    def check(_: object, __: object, value: Any) -> None:
        if not holds(value):
            raise ValueError(f"expected {what}")

    return check


@attrs.frozen(kw_only=True)
class Settings:
    """What a winnerlook account needs beside the fields that every account has.

    Args:
        user_code: login name (`userCode`).
        password: login password (`userPass`).
        channel: number of the channel to send by (`Channel`).
        interface: how the vendor is called.
        encrypt: whether the `*ByEncrypt` methods are used.
        validated_text: what becomes of a text that ASP.NET's request validation would refuse in a form: `soap` sends
            it unchanged by SOAP 1.1, `widen` writes what offends in full width.
    """

    user_code: str = attrs.field(validator=_expect("a login name", bool))
    password: Secret = attrs.field(validator=_expect("a password", bool))
    channel: str = attrs.field(validator=_expect('a channel number such as "37"', re.compile("[0-9]{1,9}").fullmatch))
    interface: str = attrs.field(
        default="post", validator=_expect('"post", the one interface there is so far', INTERFACES.__contains__)
    )
    encrypt: bool = attrs.field(
        default=False, validator=_expect("false: there are the plain methods alone so far", lambda encrypt: not encrypt)
    )
    validated_text: str = attrs.field(
        default="soap", validator=_expect('"soap" or "widen"', ("soap", "widen").__contains__)
    )


def settings_of(account: Account) -> Settings:
    """Return the account's settings as this plugin's own type."""
    assert isinstance(account.settings, Settings), "the registry gives a plugin its own accounts alone"
    return account.settings
