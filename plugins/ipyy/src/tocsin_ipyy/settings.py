"""An ipyy account's own fields, validated where they are made. The configuration loader structures TOML into them."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from tocsin.plugin import Account, Secret


def _expect(pattern: str, what: str) -> Callable[[object, object, str], None]:
    def check(_: object, __: object, value: str) -> None:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {what}")

    return check


def _given(_: object, __: object, value: Secret) -> None:
    if not value:
        raise ValueError("expected a password that is not empty")


@attrs.frozen(kw_only=True)
class Settings:
    """What ipyy wants to know of an account.

    Args:
        user_id: number of the company; sent with every form, though the vendor does not check it.
        account, password: the login.
        password_md5: forms carry the password's upper-case MD5. SOAP carries the password itself all the same:
            chapter 8 of the document knows nothing else.
        interface: how messages are submitted.
        reports: where reports and replies are fetched.
        validated_text: a text that ASP.NET's request validation refuses goes by `soap`, or has `<` and `&#` widened.
        soap_namespace: of WebService.asmx; the document does not state it.
    """

    user_id: str = attrs.field(default="", validator=_expect("[0-9]*", "digits, or nothing"))
    account: str = attrs.field(validator=_expect(r"\S(.*\S)?", "a login name without blanks around it"))
    password: Secret = attrs.field(validator=_given)
    password_md5: bool = False
    interface: str = attrs.field(default="xml", validator=_expect("xml", '"xml", the only interface there is so far'))
    reports: str = attrs.field(default="xml", validator=_expect("xml", '"xml", the only form of reports so far'))
    validated_text: str = attrs.field(default="soap", validator=_expect("soap|widen", '"soap" or "widen"'))
    soap_namespace: str = attrs.field(
        default="http://tempuri.org/", validator=_expect(r"https?://[^\s\"'<>&]+", "an absolute http(s) name")
    )


def settings_of(account: Account) -> Settings:
    """Return the settings of an ipyy account. Raises TypeError for an account of another vendor."""
    if not isinstance(account.settings, Settings):
        raise TypeError(f"account {account.id} has no ipyy settings")
    return account.settings
