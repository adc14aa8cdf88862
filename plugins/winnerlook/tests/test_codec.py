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
import pluggy
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

import tocsin_winnerlook
from tocsin import hookspecs
from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    AnswerError,
    Attachment,
    Balance,
    Batch,
    HttpResponse,
    InboundMessage,
    Outcome,
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
    parse_vendor_number,
)
from tocsin_winnerlook import codec
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


def make_submission(vector: dict) -> Submission:
    wanted = vector["submission"]
    return Submission(to=tuple(map(E164, wanted["to"])), texts=(wanted["text"],))


def expected_outcome(result: dict) -> Outcome:
    if "accepted" in result:
        return Accepted(VendorId(result["accepted"]))
    if "refused" in result:
        return Refused(Reason.labelled(result["refused"]), result["code"], result.get("text", ""))
    return Unknown(result["unknown"])


def answering(value: str) -> HttpResponse:
    return HttpResponse(status=200, body=f'<string xmlns="http://tempuri.org/">{value}</string>'.encode())


# Golden vectors


def check_request(vector: dict, request) -> None:
    """Compare a request with a vector's; a vector that is about the answer alone has none."""
    wanted = vector.get("request")
    if wanted is None:
        return
    assert request.method == "POST"
    assert request.url == "http://127.0.0.1:8470" + wanted["path"]
    assert dict(request.headers) == {"Content-Type": wanted["content_type"]} | (
        {"SOAPAction": wanted["soap_action"]} if "soap_action" in wanted else {}
    )
    assert request.body.decode("utf-8") == wanted["body"]


def test_send_request_and_answer(send_vector):
    """A submit leaves as the vector's bytes, as the one submit of its exchange, and its answer means what it says."""
    submission = make_submission(send_vector)
    account = make_account(**send_vector.get("settings", {}))

    request = codec.encode_send(account, submission)

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
    request = codec.encode_balance(make_account())
    balance = codec.decode_balance(NOW, balance_vector["response"])

    assert not request.submits
    check_request(balance_vector, request)
    if "amount" in balance_vector["result"]:
        assert balance == Balance(amount=Decimal(balance_vector["result"]["amount"]), unit=Unit.CNY, as_of=NOW)
    else:
        assert balance == expected_outcome(balance_vector["result"])


def test_reports_request_and_answer(reports_vector):
    """A report poll leaves as the vector's bytes; each row is read or kept."""
    request = codec.encode_reports(make_account())

    assert request.max_bytes == 8 * 1024 * 1024
    check_request(reports_vector, request)
    assert codec.decode_reports(reports_vector["response"]) == Batch(
        rows=tuple(
            Report(
                vendor_id=VendorId(row["vendor_id"]),
                to=parse_vendor_number(row["to"]),
                state=ReportState[row["state"]],
                code=row["code"],
                at=row.get("at"),
            )
            for row in reports_vector["result"]["rows"]
        ),
        unparsed=tuple(reports_vector["result"].get("unparsed", ())),
    )


def test_mo_request_and_answer(mo_vector):
    """A poll for inbound messages leaves as the vector's bytes; each record is read to the letter, or kept."""
    request = codec.encode_mo(make_account())

    assert request.max_bytes == 8 * 1024 * 1024
    check_request(mo_vector, request)
    assert codec.decode_mo(mo_vector["response"]) == Batch(
        rows=tuple(
            InboundMessage(
                sender=parse_vendor_number(row["sender"]), text=row["text"], at=row["at"], extension=row["extension"]
            )
            for row in mo_vector["result"]["rows"]
        ),
        unparsed=tuple(mo_vector["result"].get("unparsed", ())),
    )


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


@settings(deadline=None)
@given(TEXTS.filter(str.strip), st.sampled_from(["soap", "widen"]))
def test_text_arrives_as_written(text, mode):
    """A text reaches the method unchanged by form or SOAP, or widened in place; no form carries what is refused."""
    submission = attrs.evolve(ONE, texts=(text,))
    assert codec.unfit(submission) == ""

    request = codec.encode_send(make_account(validated_text=mode), submission)

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


NOT_FOR_WINNERLOOK = {
    "attachments": {"attachments": (Attachment("a.jpg", b"x"),)},
    "extension": {"extension": "12"},
    "later": {"send_at": NOW},
    "one text": {"to": TWO.to, "texts": ("a【签名】", "b【签名】")},
    "mainland": {"to": (E164("+4915112345678"),)},
    "empty": {"texts": (" \n",)},
    "control character": {"texts": ("a\x00b【签名】",)},
}


@pytest.mark.parametrize(("word", "changes"), NOT_FOR_WINNERLOOK.items(), ids=list(NOT_FOR_WINNERLOOK))
def test_what_cannot_be_carried_is_said(word, changes):
    """`fits` gives one reason for what SendMsg has no field for, and none for a plain submission."""
    assert codec.unfit(ONE) == codec.unfit(TWO) == ""
    assert word in codec.unfit(attrs.evolve(ONE, **changes))


@pytest.mark.parametrize("char", ["\x01", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe"])
def test_control_characters_do_not_fit(char):
    """A character that a form or an envelope cannot carry is refused before a request is made of it."""
    assert "control character" in codec.unfit(attrs.evolve(ONE, texts=(f"a{char}【签名】",)))


# The hooks and the settings


def test_hooks_answer_through_pluggy():
    """The package is a plugin: each hook, called by the whole contract's arguments, gives the contract's values."""
    manager = pluggy.PluginManager("tocsin")
    manager.add_hookspecs(hookspecs.VendorHooks)
    manager.register(tocsin_winnerlook)
    manager.check_pending()
    hook, account = manager.hook, make_account()

    vendor = hook.describe_vendor()
    assert (vendor.name, vendor.base_url, vendor.settings) == ("winnerlook", "http://yes.itissm.com", Settings)
    assert hook.capabilities(account=account) == vendor.capabilities
    assert (vendor.capabilities.max_recipients, vendor.capabilities.signature_required) == (500, True)
    assert hook.fits(account=account, submission=ONE) == ""
    exchange = hook.send(account=account, submission=TWO, now=NOW)
    assert exchange.decode(answering(GOLDEN)) == SendResult.all(TWO.to, Accepted(VendorId(GOLDEN)))
    assert hook.query_balance(account=account, now=NOW).decode(answering("1")).as_of == NOW
    assert hook.fetch_reports(account=account, now=NOW).decode(answering("")) == Batch()
    assert hook.fetch_mo(account=account, now=NOW).decode(answering("")) == Batch()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_code": ""}, "expected a login name"),
        ({"password": Secret("")}, "expected a password"),
        ({"channel": "通知"}, "expected a channel number"),
        ({"interface": "get"}, 'expected "post"'),
        ({"encrypt": True}, "expected false"),
        ({"validated_text": "drop"}, 'expected "soap" or "widen"'),
    ],
)
def test_settings_say_what_they_expect(changes, expected):
    """A field that this version cannot honour is refused with what it expects."""
    with pytest.raises(ValueError, match=expected):
        make_account(**changes)
