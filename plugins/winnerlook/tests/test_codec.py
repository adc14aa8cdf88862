"""Laws of the codec, over golden vectors and over everything that may happen to an answer on its way."""

from __future__ import annotations

import itertools
import string
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import attrs
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
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
    InboundMessage,
    Outcome,
    PushRefused,
    Reason,
    Refused,
    Report,
    ReportState,
    Secret,
    SendResult,
    Submission,
    Unit,
    Unknown,
    VendorId,
    VerifiedPush,
    parse_vendor_number,
)
from tocsin_winnerlook import codec
from tocsin_winnerlook.codec_push import decode_push
from tocsin_winnerlook.settings import Settings

VECTORS = Path(__file__).parent / "vectors"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = Submission(to=(E164("+8613900000000"),), texts=("test【签名】",))
TWO = attrs.evolve(ONE, to=(E164("+8613900000000"), E164("+8613900000001")))
GOLDEN = "2114355899380234221"


def make_account(**changes) -> Account:
    own = {"user_code": "demo", "password": Secret("123"), "channel": "37"} | changes
    return Account(
        id=AccountId("main"), vendor="winnerlook", base_url="http://127.0.0.1:8470", settings=Settings(**own)
    )


def account_of(vector: dict) -> Account:
    return make_account(**vector.get("settings", {}))


def make_submission(vector: dict) -> Submission:
    wanted = vector["submission"]
    texts = tuple(wanted.get("texts", ())) or (wanted["text"],)
    return Submission(to=tuple(map(E164, wanted["to"])), texts=texts, extension=wanted.get("extension", ""))


def expected_outcome(result: dict) -> Outcome:
    if "accepted" in result:
        return Accepted(VendorId(result["accepted"]))
    if "refused" in result:
        return Refused(Reason.labelled(result["refused"]), result["code"], result.get("text", ""))
    return Unknown(result["unknown"])


def expected_report(row: dict) -> Report:
    return Report(
        vendor_id=VendorId(row["vendor_id"]),
        to=parse_vendor_number(row["to"]),
        state=ReportState[row["state"]],
        code=row["code"],
        at=row.get("at"),
    )


def expected_inbound(row: dict) -> InboundMessage:
    sender = parse_vendor_number(row["sender"])
    return InboundMessage(sender=sender, text=row["text"], at=row["at"], extension=row.get("extension", ""))


def answering(value: str) -> HttpResponse:
    return HttpResponse(status=200, body=f'<string xmlns="http://tempuri.org/">{value}</string>'.encode())


# Golden vectors


def check_request(vector: dict, request) -> None:
    """Compare a request with a vector's; a vector that is about the answer alone has none."""
    wanted = vector.get("request")
    if wanted is None:
        return
    assert request.method == wanted.get("method", "POST")
    assert request.url == f"http://127.0.0.1:8470{wanted['path']}{'?' if 'query' in wanted else ''}" + wanted.get(
        "query", ""
    )
    names = {"Content-Type": "content_type", "SOAPAction": "soap_action"}
    assert dict(request.headers) == {name: wanted[key] for name, key in names.items() if key in wanted}
    assert request.body.decode("utf-8") == wanted.get("body", "")


def test_send_request_and_answer(send_vector):
    """A submit leaves as the vector's bytes, as the one submit of its exchange, and its answer means what it says."""
    submission = make_submission(send_vector)

    request = codec.encode_send(account_of(send_vector), submission)

    assert request.submits
    check_request(send_vector, request)
    if send_vector["result"].get("unreadable"):
        with pytest.raises(AnswerError):
            codec.decode_send(submission, send_vector["response"])
    else:
        outcome = expected_outcome(send_vector["result"])
        assert codec.decode_send(submission, send_vector["response"]) == SendResult.all(submission.to, outcome)


def test_balance_request_and_answer(balance_vector):
    """A balance query leaves as the vector's bytes; its answer is an exact amount in yuan, or a refusal."""
    request = codec.encode_balance(account_of(balance_vector))
    balance = codec.decode_balance(NOW, balance_vector["response"])

    assert not request.submits
    check_request(balance_vector, request)
    if "amount" in balance_vector["result"]:
        assert balance == Balance(amount=Decimal(balance_vector["result"]["amount"]), unit=Unit.CNY, as_of=NOW)
    else:
        assert balance == expected_outcome(balance_vector["result"])


def test_reports_request_and_answer(reports_vector):
    """A report poll leaves as the vector's bytes; each row is read or kept."""
    request = codec.encode_reports(account_of(reports_vector))

    assert request.max_bytes == 8 * 1024 * 1024
    check_request(reports_vector, request)
    assert codec.decode_reports(reports_vector["response"]) == Batch(
        rows=tuple(map(expected_report, reports_vector["result"]["rows"])),
        unparsed=tuple(reports_vector["result"].get("unparsed", ())),
    )


def test_mo_request_and_answer(mo_vector):
    """A poll for inbound messages leaves as the vector's bytes; each record is read to the letter, or kept."""
    request = codec.encode_mo(account_of(mo_vector))

    assert request.max_bytes == 8 * 1024 * 1024
    check_request(mo_vector, request)
    assert codec.decode_mo(mo_vector["response"]) == Batch(
        rows=tuple(map(expected_inbound, mo_vector["result"]["rows"])),
        unparsed=tuple(mo_vector["result"].get("unparsed", ())),
    )


def test_keywords_request_and_answer(keywords_vector):
    """GetKeyWords leaves as the vector's bytes, though its password be encrypted elsewhere; its words come in order."""
    request = codec.encode_keywords(account_of(keywords_vector))

    check_request(keywords_vector, request)
    assert codec.decode_keywords(keywords_vector["response"]) == tuple(keywords_vector["result"]["value"])


def test_push(push_vector):
    """A push is read to the letter, raw or encoded, or it is refused; the vendor is answered 200 or 503."""
    read = decode_push("demo", push_vector["pushed"])

    if push_vector["result"].get("refused"):
        assert isinstance(read, PushRefused)
        return
    assert read == VerifiedPush(
        reports=Batch(rows=tuple(map(expected_report, push_vector["result"].get("reports", ())))),
        inbound=Batch(rows=tuple(map(expected_inbound, push_vector["result"].get("inbound", ())))),
    )
    assert (read.when_stored.status, read.when_not_stored.status) == (200, 503)


def test_every_vector_is_listed():
    """SOURCES.md names each vector, and each vector says where it comes from and how it was checked."""
    listed = (VECTORS / "SOURCES.md").read_text("utf-8")
    for path in VECTORS.glob("*.toml"):
        vector = tomllib.loads(path.read_text("utf-8"))
        assert f"`{path.name}`" in listed
        assert vector["source"]
        assert vector["checked"]


# Requests

# What `fits` lets through: no control characters but blanks, no lone surrogates.
TEXTS = st.text(st.one_of(st.characters(exclude_categories=("Cs", "Cc", "Cn")), st.sampled_from("\r\n\t<&#!?/")))


NARROW = str.maketrans("＜＆", "<&")


def offends(value: str) -> bool:
    """Say whether ASP.NET's request validation refuses a form value; written from its description."""
    pairs = list(itertools.pairwise(value))
    return ("&", "#") in pairs or any(a == "<" and b in f"{string.ascii_letters}!?/" for a, b in pairs)


@given(TEXTS.filter(str.strip), st.sampled_from(["soap", "widen"]))
def test_text_arrives_as_written(text, mode):
    """A text reaches the method unchanged by form or SOAP, or widened in place; no form carries what is refused."""
    submission = attrs.evolve(ONE, texts=(text,))
    account = make_account(validated_text=mode)
    assert codec.unfit(account, submission) == ""

    request = codec.encode_send(account, submission)

    if request.url.endswith(".asmx"):
        assert mode == "soap"
        assert offends(text)
        (call,) = fromstring(request.body)[0]
        fields = [(element.tag.removeprefix("{http://tempuri.org/}"), element.text) for element in call]
    else:
        fields = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        assert not any(offends(value) for _, value in fields)
    arrived = dict(fields)["Msg"]
    assert [name for name, _ in fields] == ["userCode", "userPass", "DesNo", "Msg", "Channel"]
    if arrived != text:
        assert mode == "widen"
        assert offends(text)
        assert arrived.translate(NARROW) == text.translate(NARROW)


def test_password_that_offends_goes_by_soap():
    """Request validation reads every value, so a password that it refuses takes the submit to SOAP as well."""
    request = codec.encode_send(make_account(password=Secret("a<b")), ONE)

    assert request.url == "http://127.0.0.1:8470/api/MsgSend.asmx"
    assert b"<userPass>a&lt;b</userPass>" in request.body


def test_nothing_secret_is_shown():
    """No repr of account, request or result shows password, number or text."""
    account = make_account(password=Secret("hunter2"))
    request = codec.encode_send(account, ONE)
    result = codec.decode_send(ONE, answering("-6:keyword"))

    shown = repr([account, request, result, ONE, codec.decode_mo(answering("13900000000|,|secret|,|x"))])
    assert not any(word in shown for word in ("hunter2", "13900000000", "test", "keyword", "secret"))
