"""The ipyy plugin of tocsin: what it answers when the core calls its hooks. Everything else stands in the codec."""

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
    Limits,
    Rate,
    Refused,
    Report,
    SendResult,
    Submission,
    Vendor,
    hookimpl,
)
from tocsin_ipyy import codec, codec_evidence
from tocsin_ipyy.settings import Settings

_CAPABILITIES = Capabilities(
    max_recipients=500,  # the document states none: a size that its neighbours in the trade take
    interfaces=("xml",),
    scheduling=True,
    extension_digits=5,
    signature_required=True,
)

# source: ipyy, preface: 10 a day to a number, 3 in 3 minutes
_LIMITS = Limits(max_recipients=500, per_recipient=(Rate(3, 3 * 60), Rate(10, 24 * 3600)))


@hookimpl
def describe_vendor() -> Vendor:
    """Describe ipyy."""
    return Vendor(
        name="ipyy",
        title="ipyy (sh2.ipyy.com)",
        settings=Settings,
        base_url="https://sh2.ipyy.com",
        capabilities=_CAPABILITIES,
        limits=_LIMITS,
    )


@hookimpl
def capabilities() -> Capabilities:
    """Say what an account can carry: by the XML interface, all that the vendor can."""
    return _CAPABILITIES


@hookimpl
def fits(submission: Submission) -> str:
    """Say why ipyy cannot carry the submission; an empty text where it can."""
    return codec.obstacle(submission)


@hookimpl
def send(account: Account, submission: Submission, now: datetime) -> Exchange[SendResult]:
    """Submit once."""
    return Exchange(codec.encode_send(account, submission, now), partial(codec.decode_send, submission, now))


@hookimpl
def query_balance(account: Account, now: datetime) -> Exchange[Balance | Refused]:
    """Ask what is left on the account."""
    return Exchange(codec.encode_balance(account), partial(codec.decode_balance, now))


@hookimpl
def fetch_reports(account: Account) -> Exchange[Batch[Report] | Refused]:
    """Fetch delivery reports."""
    return Exchange(codec_evidence.encode_reports(account), codec_evidence.decode_reports)


@hookimpl
def fetch_mo(account: Account) -> Exchange[Batch[InboundMessage] | Refused]:
    """Fetch replies."""
    return Exchange(codec_evidence.encode_mo(account), codec_evidence.decode_mo)
