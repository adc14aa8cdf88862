"""The codec: golden vectors, and laws that hold for every request and every answer."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

import attrs
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    AnswerError,
    Balance,
    Batch,
    HttpResponse,
    Refused,
    Report,
    Secret,
    Submission,
    VendorId,
)
from tocsin_ipyy import codec, codec_evidence
from tocsin_ipyy.settings import Settings

NOW = datetime(2010, 10, 1, tzinfo=UTC)
VECTORS = {
    path.stem: vector
    for path in sorted((Path(__file__).parent / "vectors").glob("*.toml"))
    if "answer" in (vector := tomllib.loads(path.read_text("utf-8")))
}
SENDS = [name for name, vector in VECTORS.items() if vector["kind"] == "send"]
POLLS = [name for name, vector in VECTORS.items() if vector["kind"] in ("reports", "mo")]
ONE_OF_EACH = ("send-md5", "balance-prepaid", "reports-cut", "mo-document")
# A success that counts nobody is one byte from one that counts somebody; an internal error from an unlisted failure.
APART = [name for name in SENDS if name not in ("send-counts-nobody", "send-internal-error")]
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


def answer(body, *, status=200, content_type="text/xml; charset=utf-8", charset="utf-8", fault=None):
    raw = body if isinstance(body, bytes) else body.encode(charset)
    return HttpResponse(status=status, headers=(("content-type", content_type),), body=raw, fault=fault)


def decoder(vector):
    """Return the pure function that decodes the vector's answer."""
    if vector["kind"] == "send":
        return partial(codec.decode_send, submission(**vector["submission"]), NOW)
    if vector["kind"] == "balance":
        return partial(codec.decode_balance, NOW)
    return codec_evidence.decode_reports if vector["kind"] == "reports" else codec_evidence.decode_mo


def show(decode, response):
    """Decode, and write the result as the vectors do."""
    try:
        result = decode(response)
    except AnswerError:
        return UNKNOWN
    if isinstance(result, Balance):
        return {"amount": str(result.amount), "postpaid": result.postpaid}
    if isinstance(result, Batch):
        return {"rows": [show_row(row) for row in result.rows]} | only_set(unparsed=list(result.unparsed))
    if isinstance(result, Refused):
        return show_outcome(result)
    (outcome,) = set(result.outcomes.values())
    return show_outcome(outcome) | only_set(balance=str(result.balance.amount) if result.balance else None)


def show_outcome(outcome):
    if isinstance(outcome, Accepted):
        return {"accepted": outcome.vendor_id or ""} | only_set(partial=outcome.partial)
    return {"refused": outcome.reason.label, "code": outcome.code}


def show_row(row):
    shown = {"to": row.to.full, "state": row.state.name} if isinstance(row, Report) else {"sender": row.sender.full}
    others = ("vendor_id", "code", "text", "at", "extension")
    return shown | only_set(**{name: getattr(row, name, None) for name in others})


def only_set(**fields):
    return {name: value for name, value in fields.items() if value}


def kind_of(shown):
    return next(kind for kind in ("accepted", "refused", "unknown") if kind in shown)


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if "request" in vector])
def test_requests_are_golden(name):
    """What is asked of the vendor is, byte for byte, what the vector says: POST, and a submit where it is one."""
    vector, asking = VECTORS[name], account(**VECTORS[name].get("settings", {}))
    encode = {
        "send": lambda: codec.encode_send(asking, submission(**vector["submission"]), NOW),
        "balance": lambda: codec.encode_balance(asking),
        "reports": lambda: codec_evidence.encode_reports(asking),
        "mo": lambda: codec_evidence.encode_mo(asking),
    }
    request, golden = encode[vector["kind"]](), vector["request"]

    assert (request.method, request.submits) == ("POST", vector["kind"] == "send")
    assert request.url == f"https://ipyy.example{golden['path']}"
    assert request.body.decode("utf-8") == golden["body"]
    headers = {"Content-Type": golden["content_type"]} | only_set(SOAPAction=golden.get("soap_action"))
    assert dict(request.headers) == headers


@pytest.mark.parametrize("name", VECTORS)
def test_answers_are_golden(name):
    """What the vendor answers means what the vector says."""
    vector = VECTORS[name]

    assert show(decoder(vector), answer(**vector["answer"])) == vector["result"]


@settings(deadline=None)
@given(
    text=lined,
    to=st.lists(mainland, min_size=1, max_size=3, unique=True),
    extension=st.from_regex("[0-9]{0,5}", fullmatch=True),
    ahead=st.integers(-3, 3),
)
def test_requests_give_back_what_was_put_in(text, to, extension, ahead):
    """Read as a form or as SOAP, a request holds exactly the numbers, the text, the time in Beijing, the extension."""
    sent = submission(to, text, extension=extension, send_at=NOW + timedelta(hours=ahead))
    request = codec.encode_send(account(), sent, NOW)
    if request.url.endswith("/WebService.asmx"):
        given_back = [element.text or "" for element in fromstring(request.body).iter() if not len(element)][2:]
    else:
        fields = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        given_back = [fields[name] for name in ("mobile", "content", "sendTime", "extno")]
    planned = f"2010-10-01 {8 + ahead:02}:00:00" if ahead > 0 else ""

    assert given_back == [",".join(number.removeprefix("+86") for number in to), text, planned, extension]


@pytest.mark.parametrize(
    ("text", "soap"),
    [(text, True) for text in ("<b", "</", "<!", "<?", "&#")] + [(text, False) for text in ("1 < 2", "<1", "&amp;")],
)
def test_what_aspnet_refuses_goes_by_soap(text, soap):
    """A text goes by SOAP where request validation would refuse it as a form, and only there."""
    assert codec.encode_send(account(), submission(text=text), NOW).url.endswith("/WebService.asmx") is soap


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if "rows" not in vector["result"]])
def test_a_prefix_never_means_anything_else(name):
    """An answer that is cut anywhere means what the whole one does, or nothing."""
    vector, whole = VECTORS[name], answer(**VECTORS[name]["answer"])
    for length in range(len(whole.body)):
        meaning = show(decoder(vector), attrs.evolve(whole, body=whole.body[:length]))
        assert meaning in (vector["result"], UNKNOWN)


@pytest.mark.parametrize("name", APART)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_one_wrong_byte_never_turns_an_outcome(name, data):
    """One byte changed, lost or added makes neither acceptance of a refusal or garbage, nor refusal of acceptance."""
    vector, whole = VECTORS[name], answer(**VECTORS[name]["answer"])
    at, byte = data.draw(st.integers(0, len(whole.body) - 1)), data.draw(st.binary(max_size=1))
    rest = whole.body[at + data.draw(st.integers(0, 1)) :]
    mutant = attrs.evolve(whole, body=whole.body[:at] + byte + rest)

    assert kind_of(show(decoder(vector), mutant)) in (kind_of(vector["result"]), "unknown")


@pytest.mark.parametrize("status", [200, 500])
@settings(deadline=None)
@given(body=st.binary())
def test_random_bytes_mean_nothing(status, body):
    """No decoder makes anything of random bytes."""
    for name in ONE_OF_EACH:
        assert show(decoder(VECTORS[name]), answer(body, status=status)) == UNKNOWN


WORDS = ("returnsms", "returnstatus", "message", "taskID", "successCounts", "statusbox", "callbox", "mobile", "status")
TOKENS = [f"<{slash}{word}>" for word in (*WORDS, "errorstatus", "error") for slash in ("", "/")]
TOKENS += ["Success", "Faild", "10", "13900000000", " ", "&#x1;", "&lt;", "&x;", "]]>", "<![CDATA[", "<!--", "\x01"]


@settings(deadline=None)
@given(tokens=st.lists(st.sampled_from(TOKENS), max_size=30), fault=st.sampled_from([None, "oversized"]))
def test_only_answer_errors_escape(tokens, fault):
    """Shuffled words of the vendor's are decoded or are an AnswerError; a cut answer to a submit is always one."""
    response = answer("<returnsms>" + "".join(tokens), fault=fault)
    for name in ONE_OF_EACH:
        shown = show(decoder(VECTORS[name]), response)
        assert shown == UNKNOWN or not fault or name in POLLS


def test_a_cut_answer_to_a_submit_is_nothing():
    """What is known to be cut is not believed, even if it looks whole."""
    golden = VECTORS["send-md5"]["answer"]

    assert show(decoder(VECTORS["send-md5"]), answer(**golden, fault="reset-in-body")) == UNKNOWN


@pytest.mark.parametrize("code", [*"023456789", "-1", "11", "Okay", ""])
def test_a_strange_status_beside_an_id_is_nothing(code):
    """A StatusCode on no list is a failure by itself; with an id that only a success has, it is garbage."""
    vector = VECTORS["soap-one"]
    body = vector["answer"]["body"].replace("<StatusCode>1<", f"<StatusCode>{code}<")
    body = body.replace("<SuccessCounts>1<", "<SuccessCounts><").replace("操作成功", "")

    assert show(decoder(vector), answer(body)) == UNKNOWN


def test_another_envelope_is_nothing():
    """What was asked in SOAP 1.1 is not answered in SOAP 1.2."""
    body = VECTORS["soap-one"]["answer"]["body"]
    body = body.replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")

    assert show(decoder(VECTORS["soap-one"]), answer(body)) == UNKNOWN


@pytest.mark.parametrize("name", ["SendSmsResponse", "SendSmsResult"])
def test_an_envelope_holds_one_result(name):
    """Two results, of which either might be meant, are outside the grammar."""
    vector = VECTORS["soap-no-id"]
    body = vector["answer"]["body"].replace(f"</{name}>", f"</{name}><{name} />")

    assert show(decoder(vector), answer(body)) == UNKNOWN


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 403, 404, 408, 429, 500, 502, 503])
def test_only_status_200_is_read(status):
    """A golden acceptance under any other status proves nothing."""
    body = VECTORS["send-md5"]["answer"]["body"]

    assert show(decoder(VECTORS["send-md5"]), answer(body, status=status)) == UNKNOWN


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
    assert show(decoder(VECTORS["send-md5"]), answer(body)) == UNKNOWN


def test_names_match_in_any_case():
    """Names match in any case (taskID, taskid), and the utf-16 that .NET declares over UTF-8 is not believed."""
    members = "<RETURNSTATUS>Success</RETURNSTATUS><TaskId>7</TaskId>"
    body = f'\ufeff<?xml version="1.0" encoding="utf-16"?><ReturnSms>{members}</ReturnSms>'

    assert show(decoder(VECTORS["send-md5"]), answer(body)) == {"accepted": "7"}


@settings(deadline=None)
@given(
    status=st.sampled_from(["Success", "Sucess"]),
    task_id=st.none() | task_ids,
    count=st.none() | st.integers(1, 9),
    left=st.none() | st.decimals(-9999, 9999, places=2),
    charset=st.sampled_from(["utf-8", "gb2312"]),
)
def test_every_rendering_of_success_is_accepted(status, task_id, count, left, charset):
    """Whatever members of a success are left out, it is accepted, with the id, count and balance that it has."""
    fields = {"returnstatus": status, "remainpoint": left, "taskID": task_id, "successCounts": count}
    members = "".join(f"<{name}>{value}</{name}>\r\n" for name, value in fields.items() if value is not None)
    body = (
        f'\r\n<?xml version="1.0" encoding="{charset}"?>\r\n<returnsms>{members}<message>操作成功</message></returnsms>'
    )
    sent = submission(("+8613900000000", "+8613900000001", "+8613900000002"))
    result = codec.decode_send(sent, NOW, answer(body, content_type="text/html", charset=charset))

    accepted = Accepted(task_id and VendorId(task_id), partial=count is not None and count < 3)
    assert result.outcomes == dict.fromkeys(sent.to, accepted)
    assert (result.balance and result.balance.amount) == left
