"""The `[accounts.NAME]` tables: the core's own keys, and around them the vendor's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import attrs

from tocsin.config import units
from tocsin.config.findings import Unfit
from tocsin.config.hours import read_hours
from tocsin.config.secrets import SecretResolver
from tocsin.config.settings import read_settings
from tocsin.config.table import Table, present
from tocsin.model.account import Account, Drill, Limits, Polling, PushAccess, Vendor
from tocsin.model.ids import AccountId

_NAME = re.compile(r"\w[\w.-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{12,}")
_URL = re.compile(r"https?://[^\s@?#]+")
_LEAST_DRILL_PACE = timedelta(minutes=1)
_PLAIN_HTTP = 'expected "acknowledged": over plain http, password, numbers and texts travel unencrypted'


def read_accounts(
    table: Table, vendors: Mapping[str, Vendor], unavailable: Collection[str], secrets: SecretResolver
) -> dict[AccountId, Account]:
    """Return the accounts that can be read, in the order written.

    Args:
        table: `[accounts]`.
        vendors: usable vendors by name.
        unavailable: vendors whose plugin is installed and broken. Their accounts stay, without settings, so that the
            others can still be used: who asks for such an account's plugin is told why it is not there.
        secrets: resolves passwords and tokens.
    """
    accounts = {}
    for name in table.content:
        if not _NAME.fullmatch(name):
            table.note(name, "expected a name of letters, digits, '_', '-' and '.'")
        given = table.table(name)
        account = _without_plugin(AccountId(name), given, unavailable)
        if account is None:
            account = _read_account(AccountId(name), given, vendors, secrets)
        if account is not None:
            accounts[account.id] = account
    return accounts


def _without_plugin(name: AccountId, table: Table, unavailable: Collection[str]) -> Account | None:
    vendor = table.content.get("vendor")
    if not isinstance(vendor, str) or vendor not in unavailable:
        return None
    return Account(id=name, vendor=vendor, base_url="", settings=None)


def _read_account(
    name: AccountId, table: Table, vendors: Mapping[str, Vendor], secrets: SecretResolver
) -> Account | None:
    vendor = table.need("vendor", units.named("vendor", vendors), "the name of a vendor")
    base_url = _read_base_url(table, vendor)
    build = partial(
        Account,
        id=name,
        signature=table.read("signature", _signature) or "",
        price=table.read("price", units.price),
        balance_floor=table.read("balance_floor", units.amount),
        shared=table.read("shared", units.flag) or False,
        hours=read_hours(table),
        drill=_read_drill(table),
        limits=_read_limits(table.table("limits"), vendor.limits if vendor else Limits()),
        poll=_read_poll(table.table("poll")),
        push=_read_push(table.table("push"), secrets),
    )
    if vendor is None:
        return None  # which other keys it may have is the vendor's to say
    settings = read_settings(table, vendor, secrets)
    table.refuse_unasked()
    if settings is None or base_url is None:
        return None
    return build(vendor=vendor.name, base_url=base_url, settings=settings)


def _signature(value: object) -> str:
    signature = units.any_text(value)
    field = attrs.fields(Account).signature
    try:
        if field.validator is not None:
            field.validator(None, field, signature)
    except ValueError as reason:
        raise Unfit(str(reason)) from None
    return signature


def _read_base_url(table: Table, vendor: Vendor | None) -> str | None:
    url = table.read("base_url", base_url)
    if vendor is not None and "base_url" not in table.content:
        url = vendor.base_url
        if url is None:
            table.note("base_url", f"missing; the vendor {vendor.name} has no address of its own")
    table.read("insecure_http", _acknowledgement)
    if url is not None and url.startswith("http:") and "insecure_http" not in table.content:
        table.note("insecure_http", _PLAIN_HTTP)
    return url


def _acknowledgement(value: object) -> bool:
    if value != "acknowledged":
        raise Unfit(_PLAIN_HTTP)
    return True


def base_url(value: object) -> str:
    """Read the address of a vendor's service; a trailing slash is dropped."""
    url = units.text(value)
    try:
        parts = urlsplit(url)
        usable = _URL.fullmatch(url) and url.isascii() and url.isprintable() and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Unfit("expected an address such as https://sms.example.com, without user, query or fragment")
    return url.rstrip("/")


def _read_limits(table: Table, defaults: Limits) -> Limits:
    given = {
        "max_recipients": table.read("max_recipients", units.whole_number(1, 10_000)),
        "submits": table.read_list("submits", units.rate),
        "per_recipient": table.read_list("per_recipient", units.rate),
        "limit_scope": table.read("limit_scope", units.choice({"number": "number", "account": "account"})),
        "spend_per_day": table.read("spend_per_day", units.budget),
    }
    table.refuse_unasked()
    return attrs.evolve(defaults, **present(given))


def _read_poll(table: Table) -> Polling:
    given = {f"{key}_s": table.read(key, _seconds) for key in ("reports", "inbound", "balance")}
    table.refuse_unasked()
    return Polling(**present(given))


def _read_drill(table: Table) -> Drill | None:
    if table.take("drill") is None:
        return None
    given = table.table("drill")
    to = given.need("to", units.number, "a number of your own")
    pace = {"every": given.read("every", _drill_pace), "text": given.read("text", units.text)}
    given.refuse_unasked()
    return None if to is None else Drill(to=to, **present(pace))


def _drill_pace(value: object) -> timedelta:
    every = units.interval(value)
    if every < _LEAST_DRILL_PACE:
        raise Unfit("expected a duration of at least 1m: each drill is a real message")
    return every


def _read_push(table: Table, secrets: SecretResolver) -> PushAccess:
    token = table.read("token", secrets.resolve)
    if token is not None and not _TOKEN.fullmatch(token.reveal()):
        table.note("token", "expected at least 12 letters, digits and - . _ ~ alone: it is a part of an address")
    allow = table.read_list("allow", units.network) or ()
    table.refuse_unasked()
    return PushAccess(token=token, allow=allow)


def _seconds(value: object) -> float:
    return units.duration(value).total_seconds()
