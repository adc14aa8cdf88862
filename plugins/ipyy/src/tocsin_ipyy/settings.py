"""An ipyy account's own fields, validated where they are made. The configuration loader structures TOML into them."""

import re
from collections.abc import Callable
from typing import Literal

import attrs

import tocsin.plugin as t

INTERFACES = ("xml", "gbk", "json", "encrypted", "soap")
_NAME = r"https?://[^\s\"'<>&]+"
ByteOrder = Literal["little", "big"]


def _expect(pattern: str, what: str) -> Callable[[object, object, str], None]:
    def check(_: object, __: object, value: str) -> None:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {what}")

    return check


def _given(_: object, __: object, value: t.Secret) -> None:
    if not value:
        raise ValueError("expected a password that is not empty")


def _interface(settings: "Settings", _: object, value: str) -> None:
    if value not in INTERFACES:
        raise ValueError(f"expected one of {', '.join(INTERFACES)}")
    if value == "encrypted" and not settings.user_id:
        raise ValueError("expected another interface, or a user_id: the encrypted one asks for it")


@attrs.frozen(kw_only=True)
class Settings:
    """What ipyy wants to know of an account.

    Args:
        user_id: the vendor's number of the company; the encrypted interface alone checks it.
        account, password: the login.
        password_md5: forms carry the password's upper-case MD5; so they do where the password itself would not pass.
        interface, soap_version: how texts are submitted. Multimedia messages have a page of their own.
        reports: where reports and replies are fetched; rows of `json` carry no status.
        validated_text: a text that ASP.NET's request validation refuses goes by `soap`, or has `<` and `&#` widened.
        soap_namespace, tms_byte_order: of WebService.asmx, and of sizes in an MMS; the document states neither.
    """

    user_id: str = attrs.field(default="", validator=_expect("[0-9]*", "digits, or nothing"))
    account: str = attrs.field(validator=_expect(r"\S(.*\S)?", "a login name without blanks around it"))
    password: t.Secret = attrs.field(validator=_given)
    password_md5: bool = False
    interface: str = attrs.field(default="xml", validator=_interface)
    soap_version: str = attrs.field(default="1.1", validator=_expect(r"1\.[12]", '"1.1" or "1.2"'))
    reports: str = attrs.field(default="xml", validator=_expect("xml|json", '"xml" or "json"'))
    validated_text: str = attrs.field(default="soap", validator=_expect("soap|widen", '"soap" or "widen"'))
    soap_namespace: str = attrs.field(
        default="http://tempuri.org/", validator=_expect(_NAME, "an absolute http(s) name")
    )
    tms_byte_order: ByteOrder = attrs.field(default="little", validator=_expect("little|big", '"little" or "big"'))


def settings_of(account: t.Account) -> Settings:
    """Return the settings of an ipyy account. Raises TypeError for an account of another vendor."""
    if not isinstance(account.settings, Settings):
        raise TypeError(f"account {account.id} has no ipyy settings")
    return account.settings
