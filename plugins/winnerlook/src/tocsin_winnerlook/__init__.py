"""tocsin's plugin for winnerlook (yes.itissm.com), interface document v8.3 of 2015-08-06."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from tocsin.plugin import (
    Account,
    Balance,
    Batch,
    Capabilities,
    Exchange,
    InboundMessage,
    Refused,
    Report,
    SendResult,
    Submission,
    Vendor,
    hookimpl,
)
from tocsin_winnerlook import codec
from tocsin_winnerlook.settings import INTERFACES, Settings

# source: winnerlook v8.3, 短信发送: "每次提交不多于 500 个号码" (its codes speak of 1000), "最后一个字符必须是】"
_CAPABILITIES = Capabilities(max_recipients=500, interfaces=INTERFACES, signature_required=True)


@hookimpl
def describe_vendor() -> Vendor:
    """Describe winnerlook."""
    return Vendor(
        name="winnerlook",
        title="Winnerlook (yes.itissm.com)",
        settings=Settings,
        base_url="http://yes.itissm.com",
        capabilities=_CAPABILITIES,
        documentation="http://yes.itissm.com/api/MsgSend.asmx",
    )


@hookimpl
def capabilities() -> Capabilities:
    """Say what an account can carry: every account the same."""
    return _CAPABILITIES


@hookimpl
def fits(submission: Submission) -> str:
    """Say why SendMsg cannot carry the submission; an empty text where it can."""
    return codec.unfit(submission)


@hookimpl
def send(account: Account, submission: Submission) -> Exchange[SendResult]:
    """Submit once."""
    return Exchange(codec.encode_send(account, submission), partial(codec.decode_send, submission))


@hookimpl
def query_balance(account: Account, now: datetime) -> Exchange[Balance | Refused]:
    """Ask what is left on the account."""
    return Exchange(codec.encode_balance(account), partial(codec.decode_balance, now))


@hookimpl
def fetch_reports(account: Account) -> Exchange[Batch[Report] | Refused]:
    """Fetch delivery reports."""
    return Exchange(codec.encode_reports(account), codec.decode_reports)


@hookimpl
def fetch_mo(account: Account) -> Exchange[Batch[InboundMessage] | Refused]:
    """Fetch inbound messages (MO)."""
    return Exchange(codec.encode_mo(account), codec.decode_mo)
