"""The package as a plugin: its hooks through pluggy, its settings, what its accounts say that they can carry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pluggy
import pytest

import tocsin_winnerlook
from tocsin import hookspecs
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    Batch,
    HttpResponse,
    PushRefused,
    PushRequest,
    Reason,
    Refused,
    Secret,
    SendResult,
    Submission,
    VendorId,
    VerifiedPush,
)
from tocsin_winnerlook.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TO = (E164("+8613900000000"), E164("+8613900000001"))
GOLDEN = "2114355899380234221"


@pytest.fixture
def hook() -> pluggy.HookRelay:
    manager = pluggy.PluginManager("tocsin")
    manager.add_hookspecs(hookspecs.VendorHooks)
    manager.register(tocsin_winnerlook)
    manager.check_pending()
    return manager.hook


def make_account(**changes: Any) -> Account:
    own = {"user_code": "demo", "password": Secret("123"), "channel": "37"} | changes
    return Account(
        id=AccountId("main"), vendor="winnerlook", base_url="http://127.0.0.1:8470", settings=Settings(**own)
    )


def answering(value: str) -> HttpResponse:
    return HttpResponse(status=200, body=f'<string xmlns="http://tempuri.org/">{value}</string>'.encode())


def test_hooks_answer_through_pluggy(hook):
    """Each hook, called by the whole contract's arguments, gives the contract's values."""
    account, submission = make_account(), Submission(to=TO, texts=("test【签名】",))

    vendor = hook.describe_vendor()
    assert (vendor.name, vendor.base_url, vendor.settings) == ("winnerlook", "http://yes.itissm.com", Settings)
    assert hook.fits(account=account, submission=submission) == ""
    exchange = hook.send(account=account, submission=submission, now=NOW)
    assert exchange.decode(answering(GOLDEN)) == SendResult.all(TO, Accepted(VendorId(GOLDEN)))
    assert hook.query_balance(account=account, now=NOW).decode(answering("1")).as_of == NOW
    assert hook.fetch_reports(account=account, now=NOW).decode(answering("")) == Batch()
    assert hook.fetch_mo(account=account, now=NOW).decode(answering("")) == Batch()


def test_keywords_are_an_operation(hook):
    """The operation `keywords` takes no argument and gives a tuple of words, or the refusal."""
    operation = hook.describe_vendor().operations["keywords"]

    exchange = operation.exchange(make_account(), {}, NOW)

    assert operation.arguments == ()
    assert not exchange.request.submits
    assert exchange.decode(answering("| 促销||中奖|")) == ("促销", "中奖")
    assert exchange.decode(answering("")) == ()
    assert exchange.decode(answering("-8")) == Refused(Reason.NO_CHANNEL, "-8")


def test_pushes_are_verified_for_their_account(hook):
    """A push that names another account is refused; the refusal quotes nothing."""

    def push(body: bytes) -> VerifiedPush | PushRefused:
        request = PushRequest(method="POST", path="", headers=(), query=(), body=body, peer="192.0.2.1")
        return hook.verify_push(account=make_account(), push=request, now=NOW)

    rows = f"{GOLDEN},13900000000,DELIVRD|"
    assert isinstance(push(f"account=demo&GetReport={rows}".encode()), VerifiedPush)
    refused = push(f"account=hunter2&GetReport={rows}".encode())
    assert isinstance(refused, PushRefused)
    assert not any(word in refused.why for word in ("hunter2", "13900000000", GOLDEN))


CARRIES = {
    "post": ({}, (True, 20, False, 0.0)),
    "get": ({"interface": "get"}, (False, 20, False, 0.0)),
    "soap": ({"interface": "soap12"}, (False, 20, False, 0.0)),
    "encrypted": ({"encrypt": True}, (False, 0, True, 11.0)),
}


@pytest.mark.parametrize(("changes", "expected"), CARRIES.values(), ids=list(CARRIES))
def test_capabilities_follow_the_settings(hook, changes, expected):
    """Texts of their own go by plain POST alone, extensions never encrypted; encrypted balances are over 10 s apart."""
    can, best = hook.capabilities(account=make_account(**changes)), hook.describe_vendor().capabilities

    assert (can.personalised, can.extension_digits, can.encrypted, can.balance_every_s) == expected
    assert (can.max_recipients, can.signature_required, can.mms, can.scheduling) == (500, True, False, False)
    assert (best.personalised, best.extension_digits, best.encrypted) == (True, 20, True)
    assert best.interfaces == ("post", "get", "soap11", "soap12")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_code": ""}, "expected a login name"),
        ({"password": Secret("")}, "expected a password"),
        ({"channel": "通知"}, "expected a channel number"),
        ({"interface": "soap"}, 'expected "post" or "get" or "soap11" or "soap12"'),
        ({"validated_text": "drop"}, 'expected "soap" or "widen"'),
        ({"min_recipients": 0}, "expected a number from 1"),
        ({"individual_separators": ("", "^")}, "expected two texts"),
        ({"poll_version": 3}, "expected 2, or 1"),
        ({"poll_version": 1, "encrypt": True}, "GetReport and GetMo cannot be encrypted"),
    ],
)
def test_settings_say_what_they_expect(changes, expected):
    """A field that cannot be honoured is refused with what it expects."""
    with pytest.raises(ValueError, match=expected):
        make_account(**changes)
