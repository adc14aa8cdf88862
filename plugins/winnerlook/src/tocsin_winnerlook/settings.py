"""The account fields of winnerlook, validated where they are made. The configuration makes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

import tocsin.plugin as t

INTERFACES = ("post", "get", "soap11", "soap12")  # the default first


def _expect(what: str, holds: Callable[[Any], object]) -> Callable[[object, object, Any], None]:
    def check(_: object, __: object, value: Any) -> None:
        if not holds(value):
            raise ValueError(f"expected {what}")

    return check


def _one_of(*words: str) -> Callable[[object, object, Any], None]:
    return _expect(" or ".join(f'"{word}"' for word in words), words.__contains__)


def _version(settings: Settings, _: object, version: int) -> None:
    if version not in (1, 2) or (settings.encrypt and version == 1):
        raise ValueError("expected 2, or 1 where encrypt is false: GetReport and GetMo cannot be encrypted")


@attrs.frozen(kw_only=True)
class Settings:
    """What a winnerlook account needs beside the fields that every account has.

    Args:
        user_code: login name (`userCode`).
        password: login password (`userPass`).
        channel: number of the channel to send by (`Channel`).
        interface: how the vendor is called.
        encrypt: whether the `*ByEncrypt` methods are used, wherever there is one.
        validated_text: what becomes of a text that ASP.NET's request validation would refuse in a form: `soap` sends
            it unchanged by SOAP 1.1, `widen` writes what offends in full width.
        min_recipients: fewest numbers that the channel takes in one submit.
        individual_separators: what stands between number and text, and between items, of IndividualSm.
        poll_version: 2 for GetReport2 and GetMo2 (with time, with channel), 1 for GetReport and GetMo.
    """

    user_code: str = attrs.field(validator=_expect("a login name", bool))
    password: t.Secret = attrs.field(validator=_expect("a password", bool))
    channel: str = attrs.field(validator=_expect('a channel number such as "37"', re.compile("[0-9]{1,9}").fullmatch))
    interface: str = attrs.field(default="post", validator=_one_of(*INTERFACES))
    encrypt: bool = False
    validated_text: str = attrs.field(default="soap", validator=_one_of("soap", "widen"))
    min_recipients: int = attrs.field(default=1, validator=_expect("a number from 1", (0).__lt__))
    # source: 个性化短信发送. Its example; the table above that has ! and ^ alone.
    individual_separators: tuple[str, str] = attrs.field(default=("|!|", "|^|"), validator=_expect("two texts", all))
    poll_version: int = attrs.field(default=2, validator=_version)

    @property
    def personalises(self) -> bool:
        """Whether IndividualSm can be used: it is there by form alone, and never encrypted."""
        return self.interface == "post" and not self.encrypt


def settings_of(account: t.Account) -> Settings:
    """Return the account's settings as this plugin's own type."""
    assert isinstance(account.settings, Settings), "the registry gives a plugin its own accounts alone"
    return account.settings
