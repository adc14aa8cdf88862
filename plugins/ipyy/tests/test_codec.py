"""Submits and balances: laws of every request and every answer. The golden vectors are the conformance kit's to try."""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

import tocsin_ipyy as plugin
from tocsin.plugin import E164, Accepted, Account, AccountId, AnswerError, HttpResponse, Secret, Submission, VendorId
from tocsin_ipyy.settings import Settings

NOW = datetime(2010, 10, 1, tzinfo=UTC)
VECTORS = Path(__file__).parent / "vectors"
SMS = ("mobile", "content", "sendTime", "extno")
UNKNOWN = {"unknown": True}

characters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
sendable = st.text(characters | st.sampled_from(" <&#!a+"), min_size=1)
lined = st.lists(sendable | st.sampled_from(["\n", "\r", "\r\n", "\t"]), min_size=1).map("".join)
mainland = st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True)
task_ids = st.from_regex(r"[0-9A-Za-z]{1,20}", fullmatch=True)


def account(**changes):
    fields = {"user_id": "12", "account": "demo", "password": "abc123", **changes}
    fields["password"] = Secret(fields["password"])
    return Account(id=AccountId("test"), vendor="ipyy", base_url="https://ipyy.example", settings=Settings(**fields))


def submission(to=("+8613900000000",), text="text【签名】", **more):
    return Submission(to=tuple(map(E164, to)), texts=(text,), **more)


def request(sent, **changes):
    asking = account(**changes)
    assert plugin.fits(asking, sent) == ""
    return plugin.send(asking, sent, NOW).request


def answer(body, *, status=200, content_type="text/xml; charset=utf-8", charset="utf-8", fault=None):
    raw = body if isinstance(body, bytes) else body.encode(charset)
    return HttpResponse(status=status, headers=(("content-type", content_type),), body=raw, fault=fault)


def golden(name):
    return tomllib.loads((VECTORS / f"{name}.toml").read_text("utf-8"))["answer"]["body"]


def show(response, **changes):
    """Decode the answer to a submit of one text, and write its outcome as the vectors do."""
    try:
        (outcome,) = plugin.send(account(**changes), submission(), NOW).decode(response).outcomes.values()
    except AnswerError:
        return UNKNOWN
    if isinstance(outcome, Accepted):
        return {"accepted": outcome.vendor_id or ""}
    return {"refused": outcome.reason.label, "code": outcome.code}


def form_of(sent, charset="utf-8"):
    pairs = parse_qsl(sent.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding=charset)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def opened(text64, password):
    """Open a Text64 by another way than the codec seals it."""
    key = password.encode()[:8].ljust(8, b"\0")
    decryptor = Cipher(TripleDES(key * 3), modes.CBC(key)).decryptor()
    padded = decryptor.update(base64.b64decode(text64, validate=True)) + decryptor.finalize()
    return json.loads(padded[: -padded[-1]])


# Requests


@given(
    text=lined,
    to=st.lists(mainland, min_size=1, max_size=3, unique=True),
    extension=st.from_regex("[0-9]{0,5}", fullmatch=True),
    ahead=st.integers(-3, 3),
    interface=st.sampled_from(["xml", "json", "encrypted", "soap"]),
)
def test_requests_give_back_what_was_put_in(text, to, extension, ahead, interface):
    """By every interface a request holds exactly the numbers, the text, the time in Beijing and the extension."""
    sent = submission(to, f"{text}!", extension=extension, send_at=NOW + timedelta(hours=ahead))
    made = request(sent, interface=interface)
    if made.url.endswith("/WebService.asmx"):
        given_back = [element.text or "" for element in fromstring(made.body).iter() if not len(element)][2:]
    elif interface == "encrypted":
        plain = opened(form_of(made)["Text64"], "abc123")
        given_back = [plain[name] for name in ("Moblie", "Text", "SendTime", "Ext")]
    else:
        given_back = [form_of(made)[name] for name in SMS]
    planned = f"2010-10-01 {8 + ahead:02}:00:00" if ahead > 0 else ""

    assert given_back == [",".join(number.removeprefix("+86") for number in to), f"{text}!", planned, extension]


@given(text=lined)
def test_gbk_carries_what_it_can_or_says_so(text):
    """A text goes by smsGBK.aspx to the letter, or does not fit; never with a question mark for a character."""
    sent = submission(text=f"{text}!")
    if plugin.fits(account(interface="gbk"), sent):
        assert text.encode("gbk", "ignore").decode("gbk") != text
    else:
        made = request(sent, interface="gbk")
        soap = made.url.endswith("/WebService.asmx")
        assert soap or form_of(made, "gbk")["content"] == f"{text}!"


@pytest.mark.parametrize("interface", ["xml", "gbk", "json"])
@pytest.mark.parametrize(
    ("text", "soap"),
    [(text, True) for text in ("<b", "</", "<!", "<?", "&#")] + [(text, False) for text in ("1 < 2", "<1", "&amp;")],
)
def test_what_aspnet_refuses_goes_by_soap(interface, text, soap):
    """A text goes by SOAP where request validation would refuse it as a form, and only there."""
    made = request(submission(text=text), interface=interface)

    assert made.url.endswith("/WebService.asmx") is soap


@pytest.mark.parametrize("interface", ["encrypted", "soap"])
def test_what_nobody_validates_goes_as_it_is(interface):
    """Text64 and SOAP bodies are not looked at: such a text goes the usual way, and is never widened."""
    made = request(submission(text="<b"), interface=interface, validated_text="widen")

    assert made.url.endswith({"encrypted": "/ensms.ashx", "soap": "/WebService.asmx"}[interface])


def test_a_login_that_aspnet_refuses_goes_by_soap():
    """An account's name that no form can carry goes by SOAP; where that is switched off, and by MMS, nothing fits."""
    assert request(submission(), account="<a").url.endswith("/WebService.asmx")
    assert "login" in plugin.fits(account(account="<a", validated_text="widen"), submission())


def test_a_password_that_aspnet_refuses_goes_as_md5():
    """Forms carry the MD5 of a password that no form can carry; SOAP carries the password itself."""
    digest = hashlib.md5(b"a<b&#").hexdigest().upper()

    assert form_of(request(submission(), password="a<b&#"))["password"] == digest
    assert form_of(plugin.fetch_reports(account(password="a<b&#")).request)["password"] == digest
    assert b"<password>a&lt;b&amp;#</password>" in request(submission(), password="a<b&#", interface="soap").body


@given(
    password=st.text(characters, min_size=1), now=st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 2))
)
def test_the_stamp_is_beijings(password, now):
    """Every submit is stamped with the time in Beijing, and Secret is the MD5 of password and stamp."""
    stamp = (now + timedelta(hours=8)).strftime("%m%d%H%M%S") if now.year < 9999 else None
    sealed = form_of(plugin.send(account(password=password, interface="encrypted"), submission(), now).request)
    plain = opened(sealed["Text64"], password)

    assert sealed["UserId"] == "12"
    assert stamp in (None, plain["Stamp"])
    assert plain["Secret"] == hashlib.md5((password + plain["Stamp"]).encode()).hexdigest().upper()


# Answers


def test_a_cut_answer_to_a_submit_is_nothing():
    """What is known to be cut is not believed, even if it looks whole."""
    assert show(answer(golden("send-md5"))) == {"accepted": "1504080852350206"}
    assert show(answer(golden("send-md5"), fault="reset-in-body")) == UNKNOWN


@pytest.mark.parametrize(("asked", "given"), [("xml", "json-send"), ("json", "send-md5"), ("encrypted", "json-send")])
def test_another_pages_answer_is_nothing(asked, given):
    """What was asked of one page is not answered in the words of another."""
    assert show(answer(golden(given)), interface=asked) == UNKNOWN


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_another_envelope_is_nothing(version):
    """What was asked in one version of SOAP is not answered in the other."""
    other = {"1.1": "soap12-send", "1.2": "soap-one"}[version]

    assert show(answer(golden(other)), interface="soap", soap_version=version) == UNKNOWN


@pytest.mark.parametrize("code", [*"023456789", "-1", "11", "Okay", ""])
def test_a_strange_status_beside_an_id_is_nothing(code):
    """A StatusCode on no list is a failure by itself; with an id that only a success has, it is garbage."""
    body = golden("soap-one").replace("<StatusCode>1<", f"<StatusCode>{code}<")
    body = body.replace("<SuccessCounts>1<", "<SuccessCounts><").replace("操作成功", "")

    assert show(answer(body), interface="soap") == UNKNOWN


@pytest.mark.parametrize("name", ["SendSmsResponse", "SendSmsResult"])
def test_an_envelope_holds_one_result(name):
    """Two results, of which either might be meant, are outside the grammar."""
    body = golden("soap-no-id").replace(f"</{name}>", f"</{name}><{name} />")

    assert show(answer(body), interface="soap") == UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<returnsms/>",
        "<returnsms><returnstatus>Failed</returnstatus></returnsms>",
        "<returnsms><returnstatus>success</returnstatus></returnsms>",
        "<returnsms><returnstatus>Success</returnstatus><ReturnStatus>Success</ReturnStatus></returnsms>",
        "<returnsms><returnstatus><b>Success</b></returnstatus></returnsms>",
        "<returnsms><returnstatus>Success</returnstatus>Faild</returnsms>",
        "<returnsms><returnstatus>Success</returnstatus><message>密码错误</message></returnsms>",
        "<returnsms><returnstatus>Success</returnstatus><taskID>操作</taskID></returnsms>",
        "<returnsms><returnstatus>Success</returnstatus><successCounts>one</successCounts></returnsms>",
        "<returnsms><returnstatus>Faild</returnstatus><successCounts>1</successCounts></returnsms>",
        "<returnsms><returnstatus>Faild</returnstatus><message>操作成功</message></returnsms>",
        "<returnsms><returnstatus>Success</returnstatus></returnsms><returnsms/>",
        "<a><returnsms><returnstatus>Success</returnstatus></returnsms></a>",
        "<!DOCTYPE returnsms><returnsms><returnstatus>Success</returnstatus></returnsms>",
        '<!DOCTYPE r [<!ENTITY s "Success">]><returnsms><returnstatus>&s;</returnstatus></returnsms>',
        '<returnsms xmlns="http://tempuri.org/"><returnstatus>Success</returnstatus></returnsms>',
    ],
)
def test_outside_the_grammar_is_nothing(body):
    """An answer that is not the document's, or contradicts itself, is neither acceptance nor refusal."""
    assert show(answer(body)) == UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        '["returnstatus", "Success"]',
        '{"returnstatus":"Success"',
        '{"returnstatus":"Success",}',
        '{"returnstatus":"Success","RETURNSTATUS":"Success"}',
        '{"returnstatus":"Success","successCounts":1}',
        '{"returnstatus":"Success","message":["操作成功"]}',
        '{"returnstatus":"Success","remainpoint":NaN}',
        '{"returnstatus":"Success","remainpoint":-Infinity}',
        '{"returnstatus":true}',
        '{"returnstatus":"Success"} {"returnstatus":"Success"}',
        '{"returnstatus":"Success","taskID":1e999999999999999999999}',
    ],
)
def test_json_is_read_strictly(body):
    """JSON with another type, a name that stands twice, or what is no JSON at all proves nothing."""
    assert show(answer(body), interface="json") == UNKNOWN


def test_names_match_in_any_case():
    """Names match in any case (taskID, taskid), and the utf-16 that .NET declares over UTF-8 is not believed."""
    members = "<RETURNSTATUS>Success</RETURNSTATUS><TaskId>7</TaskId>"
    body = f'\ufeff<?xml version="1.0" encoding="utf-16"?><ReturnSms>{members}</ReturnSms>'

    assert show(answer(body)) == {"accepted": "7"}
    assert show(answer('\ufeff{"ReturnStatus":"Success","TASKID":"7"}'), interface="json") == {"accepted": "7"}


@given(
    status=st.sampled_from(["Success", "Sucess"]),
    task_id=st.none() | task_ids,
    count=st.none() | st.integers(1, 9),
    left=st.none() | st.decimals(-9999, 9999, places=2),
    charset=st.sampled_from(["utf-8", "gb2312"]),
)
def test_every_rendering_of_success_is_accepted(status, task_id, count, left, charset):
    """Whatever members of a success are left out, it is accepted, with the id, count and balance that it has."""
    fields = {"returnstatus": status, "message": "操作成功", "remainpoint": left, "taskID": task_id}
    fields = {name: str(value) for name, value in {**fields, "successCounts": count}.items() if value is not None}
    members = "".join(f"<{name}>{value}</{name}>\r\n" for name, value in fields.items())
    body = f'\r\n<?xml version="1.0" encoding="{charset}"?>\r\n<returnsms>{members}</returnsms>'
    sent = submission(("+8613900000000", "+8613900000001", "+8613900000002"))
    results = (
        plugin.send(account(), sent, NOW).decode(answer(body, content_type="text/html", charset=charset)),
        plugin.send(account(interface="json"), sent, NOW).decode(answer(json.dumps(fields))),
    )

    accepted = Accepted(task_id and VendorId(task_id), partial=count is not None and count < 3)
    for result in results:
        assert result.outcomes == dict.fromkeys(sent.to, accepted)
        assert (result.balance and result.balance.amount) == left
