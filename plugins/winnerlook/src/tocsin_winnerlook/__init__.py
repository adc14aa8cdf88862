"""tocsin's plugin for winnerlook (yes.itissm.com), interface document v8.3 of 2015-08-06."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import attrs

import tocsin.plugin as t
from tocsin_winnerlook import codec
from tocsin_winnerlook.codec_push import decode_push
from tocsin_winnerlook.settings import INTERFACES, Settings, settings_of

_BALANCE_EVERY_S = 11.0  # source: GetBalanceByEncrypt, -23 "至少间隔 10 秒", which the vendor counts by arrival
_CAPABILITIES = t.Capabilities(
    max_recipients=codec.MAX_RECIPIENTS,
    interfaces=INTERFACES,
    personalised=True,
    extension_digits=codec.EXTENSION_DIGITS,
    encrypted=True,
    signature_required=True,  # source: 短信发送, "短信内容最后一个字符必须是】"
    segments=t.ALIKE,  # source: 短信发送, Channel, "计费方式：70字符/条，超", broken off; 67 as in the trade
)

_KEYWORDS = t.Operation(
    title="list the words that the account's channel refuses",
    exchange=lambda account, _, __: t.Exchange(codec.encode_keywords(account), codec.decode_keywords),
)


@t.hookimpl
def describe_vendor() -> t.Vendor:
    """Describe winnerlook."""
    return t.Vendor(
        name="winnerlook",
        title="Winnerlook (yes.itissm.com)",
        settings=Settings,
        base_url="http://yes.itissm.com",
        capabilities=_CAPABILITIES,
        operations={"keywords": _KEYWORDS},
        documentation="http://yes.itissm.com/api/MsgSend.asmx",
    )


@t.hookimpl
def capabilities(account: t.Account) -> t.Capabilities:
    """Say what an account can carry: encrypted, there are neither extension numbers nor texts of their own."""
    settings = settings_of(account)
    return attrs.evolve(
        _CAPABILITIES,
        personalised=settings.personalises,
        extension_digits=0 if settings.encrypt else codec.EXTENSION_DIGITS,
        encrypted=settings.encrypt,
        min_recipients=settings.min_recipients,
        balance_every_s=_BALANCE_EVERY_S if settings.encrypt else 0.0,
    )


fits = t.hookimpl(codec.unfit)


@t.hookimpl
def send(account: t.Account, submission: t.Submission) -> t.Exchange[t.SendResult]:
    """Submit once."""
    return t.Exchange(codec.encode_send(account, submission), partial(codec.decode_send, submission))


@t.hookimpl
def query_balance(account: t.Account, now: datetime) -> t.Exchange[t.Balance | t.Refused]:
    """Ask what is left on the account."""
    return t.Exchange(codec.encode_balance(account), partial(codec.decode_balance, now))


@t.hookimpl
def fetch_reports(account: t.Account) -> t.Exchange[t.Batch[t.Report] | t.Refused]:
    """Fetch delivery reports."""
    return t.Exchange(codec.encode_reports(account), codec.decode_reports)


@t.hookimpl
def fetch_mo(account: t.Account) -> t.Exchange[t.Batch[t.InboundMessage] | t.Refused]:
    """Fetch inbound messages (MO)."""
    return t.Exchange(codec.encode_mo(account), codec.decode_mo)


@t.hookimpl
def verify_push(account: t.Account, push: t.PushRequest) -> t.VerifiedPush | t.PushRefused:
    """Read reports or inbound messages that the vendor posted."""
    return decode_push(settings_of(account).user_code, push.body)
