"""Laws of everything that may happen to an answer on its way: nothing that is damaged passes for what it is not."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.plugin import (
    E164,
    Accepted,
    AnswerError,
    Batch,
    HttpResponse,
    InboundMessage,
    Outcome,
    Reason,
    Refused,
    Submission,
    Unknown,
    VendorId,
)
from tocsin_winnerlook import codec

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = Submission(to=(E164("+8613900000000"),), texts=("test【签名】",))
GOLDEN = "2114355899380234221"
POLLS = {"reports": codec.decode_reports, "mo": codec.decode_mo}


def enveloped(value: str) -> str:
    """Write a value as .NET does; an independent renderer."""
    escaped = "".join(
        {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(char)
        or (char if char >= " " or char in "\t\n" else f"&#x{ord(char):X};")
        for char in value
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\r\n<string xmlns="http://tempuri.org/">{escaped}</string>'


def soap_answer(method: str) -> str:
    """Write a batch number as .NET's answer to a method by SOAP 1.1."""
    result = f"<{method}Result>{GOLDEN}</{method}Result>"
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<{method}Response xmlns="http://tempuri.org/">{result}</{method}Response></soap:Body></soap:Envelope>'
    )


def answering(value: str, **changes) -> HttpResponse:
    return attrs.evolve(HttpResponse(status=200, body=enveloped(value).encode()), **changes)


def submission_of(vector: dict) -> Submission:
    wanted = vector["submission"]
    return Submission(to=tuple(map(E164, wanted["to"])), texts=tuple(wanted.get("texts", ())) or (wanted["text"],))


def outcome_of(response: HttpResponse, submission: Submission = ONE) -> Outcome:
    """The outcome as the core sees it: what cannot be read is Unknown."""
    try:
        (outcome,) = set(codec.decode_send(submission, response).outcomes.values())
    except AnswerError:
        return Unknown("answer")
    return outcome


# Answers to a submit


def kind(response: HttpResponse, submission: Submission = ONE) -> type:
    return type(outcome_of(response, submission))


def clashes(before: type, after: type) -> bool:
    """A damaged answer may become Unknown; it may not change sides, and doubt may not become acceptance."""
    return (before, after) in {(Accepted, Refused), (Refused, Accepted), (Unknown, Accepted)}


def damaged(body: bytes):
    """Yield the body with one bit turned, one byte cut out, one byte put in."""
    for at in range(len(body)):
        yield body[:at] + body[at + 1 :]
        for bit in range(8):
            yield body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]
        for byte in b"-0<&>/ :'\x00\xff":
            yield body[:at] + bytes([byte]) + body[at:]


def check_damage(golden: HttpResponse, submission: Submission = ONE) -> None:
    sides = {kind(attrs.evolve(golden, body=body), submission) for body in damaged(golden.body)}

    assert not any(clashes(kind(golden, submission), side) for side in sides)


def test_one_damaged_byte_never_changes_sides(send_vector):
    """One byte turned, cut or put in makes no acceptance of a refusal or garbage, no refusal of an acceptance."""
    check_damage(send_vector["response"], submission_of(send_vector))


@pytest.mark.parametrize("value", ["-3", "-99", "3", "21143558", "-100", "x"])
def test_one_damaged_byte_of_a_short_value_never_changes_sides(value):
    """A code that loses its minus sign is no batch number, and what is neither becomes no batch number."""
    check_damage(answering(value))


def test_prefix_of_an_answer_proves_nothing(send_vector):
    """However an enveloped answer at status 200 is cut short, it is no result; any other never an acceptance."""
    golden, submission = send_vector["response"], submission_of(send_vector)
    whole = len(golden.body.rstrip())

    kinds = {kind(attrs.evolve(golden, body=golden.body[:size]), submission) for size in range(whole)}

    enveloped_answer = golden.status == 200 and golden.body.startswith(b"<")
    assert kinds == {Unknown} if enveloped_answer else Accepted not in kinds


OUTSIDE = {
    "empty body": b"",
    "html": b"<html><body>2114355899380234221</body></html>",
    "bare": b"2114355899380234221",
    "foreign root": enveloped(GOLDEN).replace("string", "text").encode(),
    "no namespace": b"<string>2114355899380234221</string>",
    "foreign namespace": enveloped(GOLDEN).replace("tempuri.org", "tempuri.com").encode(),
    "second value": enveloped(GOLDEN).replace("221<", "221<string/><").encode(),
    "trailing text": enveloped(GOLDEN).encode() + b"x",
    "undecodable": enveloped(GOLDEN).encode() + b"\xff\xff",
    "short": enveloped("211435589").encode(),
    "blank inside": enveloped("21143558 99380234221").encode(),
    "sign before": enveloped(f"-{GOLDEN}").encode(),
    "sign lost": enveloped("3").encode(),
    "three digits": enveloped("-100").encode(),
    "words after no known code": enveloped("-99 who knows").encode(),
    "wide digits": enveloped("２１１４３５５８９９３８").encode(),
    "document type": b'<!DOCTYPE string><string xmlns="http://tempuri.org/">2114355899380234221</string>',
    "entities": b'<!DOCTYPE s [<!ENTITY a "21143558993"><!ENTITY b "&a;&a;">]><string xmlns="http://tempuri.org/">&b;</string>',
    "other method's soap": soap_answer("GetBalance").encode(),
}


@pytest.mark.parametrize("body", OUTSIDE.values(), ids=list(OUTSIDE))
def test_answer_outside_the_grammar_proves_nothing(body):
    """What the document does not describe is an AnswerError, never a result; and its text quotes nothing of it."""
    with pytest.raises(AnswerError) as caught:
        codec.decode_send(ONE, HttpResponse(status=200, body=body))

    assert "winnerlook" in str(caught.value)
    assert "2114" not in str(caught.value)


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 408, 429, 500, 502, 503])
def test_status_other_than_200_proves_nothing(status):
    """A good body under another status is no acceptance, and no refusal either."""
    for value in (GOLDEN, "-3"):
        with pytest.raises(AnswerError):
            codec.decode_send(ONE, answering(value, status=status))


def test_cut_submit_answer_proves_nothing():
    """An answer that the transport marks as cut is not read, even where what came of it looks whole."""
    with pytest.raises(AnswerError):
        codec.decode_send(ONE, answering(GOLDEN, fault="oversized"))


@given(
    body=st.one_of(
        st.binary(max_size=200), st.text(max_size=60).map(enveloped).map(lambda text: text.encode("utf-8", "replace"))
    ),
    status=st.sampled_from([200, 500]),
    content_type=st.sampled_from(["", "text/xml; charset=gb2312", "text/html; charset=rot13", "x; charset=utf-16"]),
    fault=st.sampled_from([None, "reset-in-body"]),
)
def test_random_answers_raise_answer_error_alone(body, status, content_type, fault):
    """Noise is neither Accepted nor Refused, and whatever comes, nothing but AnswerError leaves a decoder."""
    response = HttpResponse(status=status, headers=(("content-type", content_type),), body=body, fault=fault)

    side = kind(response)

    if not body.startswith(b"<?xml"):
        assert side is Unknown
    for decode in (codec.decode_reports, codec.decode_mo, lambda answer: codec.decode_balance(NOW, answer)):
        try:
            decode(response)
        except AnswerError:
            continue


@given(
    batch=st.from_regex(r"[0-9]{10,30}", fullmatch=True),
    before=st.text(" \r\n\t"),
    charset=st.sampled_from(["utf-8", "utf-8-sig", "gb2312"]),
)
def test_batch_number_is_kept_as_text(batch, before, charset):
    """A batch number comes back digit by digit, whatever blanks, byte order mark or charset stand around it."""
    body = enveloped(f"{before}{batch}{before}").replace("utf-8", charset.removesuffix("-sig")).encode(charset)

    assert outcome_of(HttpResponse(status=200, body=body)) == Accepted(VendorId(batch))


def test_gbk_keyword_is_read():
    """A refusal in GBK is read whether header, declaration or nothing names the charset."""
    for header, declared in (
        ("text/xml; charset=GBK", "gb2312"),
        ("text/xml", "gb2312"),
        ("", "utf-8"),
        ("x; charset=utf-8", "x"),
    ):
        body = enveloped("-6:促销").replace("utf-8", declared).encode("gbk")
        response = HttpResponse(status=200, headers=(("content-type", header),), body=body)
        assert outcome_of(response) == Refused(Reason.KEYWORD, "-6", "促销")


# Balance


@pytest.mark.parametrize("value", ["", "-1", "-12.50", "1,234.00", "1e5", "NaN", "12.", ".5", "+3", "元"])
def test_balance_outside_the_grammar_is_no_amount(value):
    """What is neither a plain decimal nor a refusal is an AnswerError."""
    with pytest.raises(AnswerError):
        codec.decode_balance(NOW, answering(value))


@pytest.mark.parametrize("char", ["\x00", "\x01", "\x0b", "\x1f", "\ufffe"])
def test_illegal_characters_cost_themselves_alone(char):
    """A character that XML forbids, as such or as a reference, becomes U+FFFD; the rest of the text is exact."""
    expected = InboundMessage(sender=E164("+8613900000000"), text="a\ufffdb&#xZ;\r\n", at=NOW, extension="37")
    body = enveloped("13900000000|,|a\ufffdb&#xZ;\r\n|,|2026/01/02 11:04:05|,|37|;")
    for written in (char, f"&#x{ord(char):X};", f"&#x0{ord(char):x};"):
        response = HttpResponse(status=200, body=body.replace("\ufffd", written).encode())
        assert codec.decode_mo(response) == Batch(rows=(expected,))


# Polls that came in part


@pytest.mark.parametrize("fault", [None, "reset-in-body"])
def test_cut_poll_keeps_whole_rows(poll_vector, fault):
    """Of a poll's answer cut at any byte, the rows that are whole are returned as they were, and no other."""
    decode, golden = POLLS[poll_vector["kind"]], poll_vector["response"]
    rows = decode(golden).rows
    seen = set()

    for size in range(len(golden.body)):
        try:
            batch = decode(attrs.evolve(golden, body=golden.body[:size], fault=fault))
        except AnswerError:
            continue
        assert isinstance(batch, Batch)
        assert batch.rows == rows[: len(batch.rows)]
        assert batch.rows or batch.unparsed
        seen.add(len(batch.rows))

    assert seen >= set(range(1, len(rows) - 1))


def test_cut_poll_keeps_the_tail():
    """What stands behind the last whole row of a cut answer is kept for quarantine, references and all."""
    row = f"{GOLDEN},13900000000,2014/06/10 15:34:11,DELIVRD|"
    body = enveloped(f"{row}{GOLDEN},139").encode()

    for cut in (b"</string>", b"string>", b"ing>"):
        batch = codec.decode_reports(HttpResponse(status=200, body=body.removesuffix(cut)))
        assert len(batch.rows) == 1
        assert batch.unparsed == (f"{GOLDEN},139",)
    batch = codec.decode_mo(HttpResponse(status=200, body=enveloped("13900000000|,|a & b <").encode()[:-11]))
    assert batch.unparsed == ("13900000000|,|a & b &l",)


def test_cut_in_a_character_is_no_change_of_charset():
    """An answer cut inside a UTF-8 character is still read as UTF-8."""
    text = "13900000000|,|促销|,|2014/06/10 15:34:11|,|37|;13900000001|,|促"
    body = enveloped(text).encode().removesuffix(b"</string>")[:-1]

    batch = codec.decode_mo(HttpResponse(status=200, body=body))

    assert [row.text for row in batch.rows] == ["促销"]
    assert batch.unparsed == ("13900000001|,|",)


@pytest.mark.parametrize("decode", POLLS.values(), ids=POLLS)
def test_cut_poll_is_neither_empty_nor_refused(decode):
    """A cut answer without a row does not pass for an empty page, nor `-1` of `-13` for a code."""
    with pytest.raises(AnswerError):
        decode(answering("", fault="reset-in-body"))
    assert decode(answering("-3", fault="reset-in-body")) == Batch(unparsed=("-3",))


@pytest.mark.parametrize("decode", POLLS.values(), ids=POLLS)
def test_refused_poll(decode):
    """A poll that the vendor refuses says why; an application exception is a failed query."""
    assert decode(answering("")) == Batch()
    assert decode(answering("-3")) == Refused(Reason.AUTHENTICATION, "-3")
    with pytest.raises(AnswerError):
        decode(answering("-1"))


HOSTILE = {
    "blanks": " " * 300_000,
    "blanks in a record": "13900000000|,|" + " " * 300_000,
    "blanks behind a time": "|,|2014/06/10 15:34:11|,|" + " " * 300_000,
    "times": ("|,|2014/06/10 15:34:11" + " " * 50) * 4_000,
    "ends": "</string> " * 30_000,
    "ampersands": "&" * 300_000,
    "zeros of a reference": "&#x" + "0" * 300_000,
    "starts of records": "|;1390000" * 30_000,
    "digits": "1" * 300_000,
    "openings": "<a>" * 100_000,
    "a long name": "<" + "a" * 300_000 + ">",
    "blanks in a name": "<a" + " " * 300_000,
    "fields of a report": "2114355899380234221" + " ," * 150_000,
    "blanks of a status": "2114355899380234221,13900000000,x" + " " * 300_000 + ",",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_answers_are_read_in_one_pass(content):
    """What invites a pattern to start over at every character is read at once; quadratic time would take minutes."""
    for body in (content, f'<string xmlns="http://tempuri.org/">{content}'):
        for decode in POLLS.values():
            try:
                page = decode(HttpResponse(status=200, body=body.encode()))
            except AnswerError:
                continue
            assert page.rows == ()
