"""The plugin as the core sees it: its hooks, called by name, and the settings of its accounts."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pluggy
import pytest

import tocsin_ipyy
from tocsin import hookspecs
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    HttpResponse,
    Secret,
    Submission,
    VendorId,
)
from tocsin_ipyy.settings import Settings, settings_of

NOW = datetime(2010, 10, 1, tzinfo=UTC)


def account(**changes):
    fields = {"user_id": "12", "account": "demo", "password": "abc123", **changes}
    fields["password"] = Secret(fields["password"])
    return Account(id=AccountId("test"), vendor="ipyy", base_url="https://ipyy.example", settings=Settings(**fields))


def submission(to=("+8613900000000",), text="text【签名】", **more):
    return Submission(to=tuple(map(E164, to)), texts=(text,), **more)


def answer(inner):
    return HttpResponse(status=200, body=f"<returnsms>{inner}</returnsms>".encode())


@pytest.fixture
def hook():
    manager = pluggy.PluginManager("tocsin")
    manager.add_hookspecs(hookspecs.VendorHooks)
    manager.register(tocsin_ipyy)
    manager.check_pending()
    return manager.hook


def test_the_vendor_is_described(hook):
    """The plugin describes ipyy, its address and the limits of the document's preface."""
    vendor = hook.describe_vendor()

    assert (vendor.name, vendor.base_url, vendor.settings) == ("ipyy", "https://sh2.ipyy.com", Settings)
    assert [(rate.count, rate.window_s) for rate in vendor.limits.per_recipient] == [(3, 180), (10, 86400)]
    assert sorted(vendor.operations) == ["change-password", "mms-balance"]


def test_an_account_is_encrypted_by_one_interface(hook):
    """An account can what the vendor can; encrypted is what goes by the encrypted interface."""
    best = hook.describe_vendor().capabilities
    for interface in best.interfaces:
        encrypted = interface == "encrypted"
        assert hook.capabilities(account=account(interface=interface)) == attrs.evolve(best, encrypted=encrypted)


def test_every_exchange_asks_and_reads(hook):
    """Each hook that talks to the vendor pairs its request with the decoder of its answer; one of them submits."""
    asking, sent = account(), submission()
    balance = hook.query_balance(account=asking, now=NOW)
    reports, replies = hook.fetch_reports(account=asking, now=NOW), hook.fetch_mo(account=asking, now=NOW)
    sending = hook.send(account=asking, submission=sent, now=NOW)
    requests = [exchange.request for exchange in (balance, reports, replies, sending)]

    paths = ["/sms.aspx", "/statusApi.aspx", "/callApi.aspx", "/sms.aspx"]
    assert [request.url for request in requests] == [f"https://ipyy.example{path}" for path in paths]
    assert [request.submits for request in requests] == [False, False, False, True]
    assert reports.decode(answer("<statusbox><mobile>13900000000</mobile><status>10</status></statusbox>")).rows
    assert replies.decode(answer("<callbox><mobile>13900000000</mobile><content/></callbox>")).rows
    success = answer("<returnstatus>Success</returnstatus><overage>7</overage><taskID>8</taskID>")
    assert (balance.decode(success).amount, balance.decode(success).as_of) == (7, NOW)
    assert sending.decode(success).outcomes == {sent.to[0]: Accepted(VendorId("8"))}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"text": "a\tb\r\nc", "extension": "12345", "send_at": NOW}, ""),
        ({"to": ("+8613900000000", "+12025550123")}, "mainland"),
        ({"subject": "hello"}, "multimedia"),
        ({"extension": "123456"}, "5 digits"),
        ({"extension": "1a"}, "5 digits"),
        ({"text": " \n"}, "empty"),
        ({"text": "a\x07b"}, "control"),
        ({"text": "a\ud800b"}, "control"),
    ],
)
def test_what_cannot_be_carried_is_said(hook, changes, why):
    """A submission that the vendor cannot carry is turned down with its reason; every other one fits."""
    said = hook.fits(account=account(), submission=submission(**changes))

    assert why in said
    assert bool(said) is bool(why)


def test_personalised_texts_do_not_fit(hook):
    """One submit carries one text."""
    two = Submission(to=(E164("+8613900000000"), E164("+8613900000001")), texts=("a【签名】", "b【签名】"))

    assert "one text" in hook.fits(account=account(), submission=two)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "twelve"),
        ("account", ""),
        ("password", ""),
        ("interface", "xml2"),
        ("soap_version", "1.3"),
        ("reports", "soap"),
        ("tms_byte_order", "middle"),
        ("validated_text", "drop"),
        ("soap_namespace", "tempuri"),
    ],
)
def test_settings_say_what_they_expect(field, value):
    """A field outside its grammar is refused with what was expected, and the value is not repeated."""
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        account(**{field: value})

    assert not value or value not in str(caught.value)


def test_the_encrypted_interface_wants_a_user_id():
    """UserId is no matter of taste there, so an account without one is a finding of its interface."""
    with pytest.raises(ValueError, match="user_id"):
        account(user_id="", interface="encrypted")


@pytest.mark.parametrize(
    ("interface", "page"),
    [
        ("xml", "sms.aspx"),
        ("gbk", "smsGBK.aspx"),
        ("json", "smsJson.aspx"),
        ("encrypted", "sms.aspx"),
        ("soap", "sms.aspx"),
    ],
)
def test_the_balance_is_asked_by_the_interface(hook, interface, page):
    """The balance is asked where texts are sent, and by XML where that page tells none."""
    exchange = hook.query_balance(account=account(interface=interface), now=NOW)

    assert exchange.request.url == f"https://ipyy.example/{page}"


def test_a_text_outside_the_code_page_does_not_fit(hook):
    """What GB2312 cannot write fits every interface but that one; by SOAP it does."""
    sent = submission(text="😀【签名】")

    fitting = [
        one
        for one in ("xml", "gbk", "json", "encrypted", "soap")
        if not hook.fits(account=account(interface=one), submission=sent)
    ]
    assert fitting == ["xml", "json", "encrypted", "soap"]


def test_no_secret_is_shown():
    """Neither the settings nor a request show the password."""
    asking = account()

    assert "abc123" not in f"{asking!r} {tocsin_ipyy.query_balance(asking, NOW)!r}"


def test_another_vendors_account_is_a_fault():
    """Settings of another vendor are a programming error."""
    with pytest.raises(TypeError, match="test"):
        settings_of(attrs.evolve(account(), settings=object()))
