"""Operations beyond sending: a change of password, settled where its answer was lost; the balance for MMS."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

import tocsin_ipyy as plugin
from tocsin.plugin import Account, AccountId, AnswerError, HttpResponse, Reason, Refused, Secret
from tocsin.testing.transport import ScriptedTransport
from tocsin.wire.perform import perform
from tocsin_ipyy.settings import Settings

NOW = datetime(2010, 10, 1, tzinfo=UTC)
OPERATIONS = plugin.describe_vendor().operations
CHANGE = OPERATIONS["change-password"]
GOOD = "<returnstatus>Sucess</returnstatus><overage>7</overage>"
WRONG = "<returnstatus>Faild</returnstatus><message>用户名或密码错误</message>"


def account(**changes):
    own = {"user_id": "12", "account": "demo", "password": "old", **changes}
    own["password"] = Secret(own["password"])
    return Account(id=AccountId("test"), vendor="ipyy", base_url="https://ipyy.example", settings=Settings(**own))


def answer(inner):
    return HttpResponse(status=200, body=f"<returnsms>{inner}</returnsms>".encode())


def settled(*answers):
    """Settle a change whose answer was lost; return what was found, and the passwords that were tried."""
    line = ScriptedTransport([answer(inner) for inner in answers])
    found = perform(CHANGE.settle(account(), {"new": "new"}, NOW), line)
    return found, [parse_qs(request.body.decode())["password"][0] for request in line.requests]


@pytest.mark.parametrize("new", ["", " neu", "neu ", "n" * 21, "a\tb", "a\ud800b", "a<b", "&#1;"])
def test_a_new_password_that_cannot_be_is_refused_here(new):
    """A password that the page cannot take is told to the user in words that do not repeat it, and nothing is sent."""
    with pytest.raises(ValueError, match="password") as caught:
        CHANGE.exchange(account(), {"new": new}, NOW)

    assert not new or new not in str(caught.value)


@pytest.mark.parametrize("new", ["n", "n" * 20, "a b&c=<1", "新密码"])
def test_every_other_password_is_asked_for(new):
    """Old and new password go as they are, MD5 or not."""
    request = CHANGE.exchange(account(password_md5=True), {"new": new}, NOW).request
    form = parse_qs(request.body.decode())

    assert request.url == "https://ipyy.example/pwd.aspx"
    assert (form["password"], form["newpassword"]) == (["old"], [new])


def test_a_present_password_that_no_form_can_carry_is_told():
    """The page knows no MD5, so a present password that ASP.NET refuses cannot be changed by it."""
    with pytest.raises(ValueError, match="refuses"):
        CHANGE.exchange(account(password="a<b"), {"new": "new"}, NOW)


def test_only_a_whole_answer_says_that_it_was_changed():
    """Success is a change, a failure is none, and anything else is neither."""
    decode = CHANGE.exchange(account(), {"new": "new"}, NOW).decode

    assert decode(answer(GOOD)) == {"changed": True}
    assert decode(answer(WRONG)) == Refused(Reason.AUTHENTICATION, "Faild", "用户名或密码错误")
    for body in ("", "<returnstatus>Faild</returnstatus><message>系统内部错误</message>"):
        with pytest.raises(AnswerError):
            decode(answer(body))


def test_a_lost_change_is_settled_by_the_password_that_opens():
    """The new password is tried, and then, only where it is refused, the old one."""
    assert settled(GOOD) == ({"changed": True}, ["new"])
    assert settled(WRONG, GOOD) == ({"changed": False}, ["new", "old"])


def test_a_lost_change_may_stay_open():
    """Where neither password opens, or the account is refused for another reason, that is what is told."""
    stopped = "<returnstatus>Faild</returnstatus><message>帐户已停用</message>"

    assert settled(WRONG, WRONG)[0].reason is Reason.AUTHENTICATION
    found, tried = settled(stopped)
    assert (found.reason, tried) == (Reason.ACCOUNT_STOPPED, ["new"])


def test_the_balance_for_mms_is_plain_values():
    """What is left for multimedia messages is told as texts and booleans, or is refused."""
    decode = OPERATIONS["mms-balance"].exchange(account(), {}, NOW).decode

    paid = f"{GOOD}<payinfo>后付费</payinfo>".replace("7", "-7")
    assert decode(answer(paid)) == {"amount": "-7", "unit": "messages", "postpaid": True}
    assert decode(answer(WRONG)).reason is Reason.AUTHENTICATION


def test_a_new_password_is_a_secret():
    """The command line asks for it without echo, and no repr shows it."""
    assert [(argument.name, argument.secret) for argument in CHANGE.arguments] == [("new", True)]
    assert "hidden-one" not in repr(CHANGE.exchange(account(), {"new": "hidden-one"}, NOW))
    assert "hidden-one" not in repr(CHANGE.settle(account(), {"new": "hidden-one"}, NOW))
