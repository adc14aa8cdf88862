"""The ipyy plugin of tocsin: what it answers when the core calls its hooks. Everything else stands in the codec."""

from datetime import datetime
from functools import partial

import attrs

import tocsin.plugin as t
from tocsin_ipyy import codec, codec_evidence
from tocsin_ipyy.settings import INTERFACES, Settings, settings_of

_CAPABILITIES = t.Capabilities(
    max_recipients=500,  # the document states none: a size that its neighbours in the trade take
    interfaces=INTERFACES,
    scheduling=True,
    extension_digits=5,
    mms=True,
    encrypted=True,
    signature_required=True,
    segments=t.ALIKE,  # the document bills "消费的条数" (8.3) and does not say how it counts: as its neighbours do
)
_OPERATIONS = {
    "mms-balance": t.Operation(title="What is left for multimedia messages", exchange=codec.query_mms_balance),
    "change-password": t.Operation(
        title="Change the password of the account",
        arguments=(t.Argument(name="new", title="New password, of at most 20 characters", secret=True),),
        exchange=codec.change_password,
        settle=codec.settle_change,
    ),
}


@t.hookimpl
def describe_vendor() -> t.Vendor:
    """Describe ipyy. Its limits are those of the document's first page."""
    return t.Vendor(
        name="ipyy",
        title="ipyy (sh2.ipyy.com)",
        settings=Settings,
        base_url="https://sh2.ipyy.com",
        capabilities=_CAPABILITIES,
        limits=t.Limits(max_recipients=500, per_recipient=(t.Rate(3, 3 * 60), t.Rate(10, 24 * 3600))),
        operations=_OPERATIONS,
    )


@t.hookimpl
def capabilities(account: t.Account) -> t.Capabilities:
    """Say what an account can carry: all that the vendor can, encrypted by one interface alone."""
    return attrs.evolve(_CAPABILITIES, encrypted=settings_of(account).interface == "encrypted")


@t.hookimpl
def send(account: t.Account, submission: t.Submission, now: datetime) -> t.Exchange[t.SendResult]:
    """Submit once."""
    request = codec.encode_send(account, submission, now)
    return t.Exchange(request, partial(codec.decode_send, account, submission, now))


# Where a hook needs no more than a function of the codec, it is that function.
fits = t.hookimpl(codec.fits)
query_balance = t.hookimpl(codec.query_balance)
fetch_reports = t.hookimpl(codec_evidence.fetch_reports)
fetch_mo = t.hookimpl(codec_evidence.fetch_mo)
verify_push = t.hookimpl(codec_evidence.verify_push)
