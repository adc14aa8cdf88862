"""Laws of pushes: rows come back however they were written, and nobody's words become a report."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.plugin import E164, InboundMessage, PushRefused, VerifiedPush
from tocsin_winnerlook.codec_push import decode_push

GOLDEN = "2114355899380234221"
REPORT = f"{GOLDEN},13900000000,DELIVRD|"
AT = datetime(2014, 6, 10, 7, 34, 11, tzinfo=UTC)
PIECES = st.sampled_from([*"ab促,;=&%+#?/ 25\r\n", "&account=", "&GetReport=", "GetMo="])
WORDS = st.lists(PIECES, max_size=20).map("".join)


def record(text: str) -> str:
    return f"13900000000|,|{text}|,|2014/06/10 15:34:11|,|37|;"


def message(text: str) -> InboundMessage:
    return InboundMessage(sender=E164("+8613900000000"), text=text, at=AT, extension="37")


WRITERS = {
    "bare": lambda value: value.encode(),
    "raw field": lambda value: f"account=demo&GetMo={value}".encode(),
    "raw field alone": lambda value: f"content={value}".encode(),
    "encoded": lambda value: f"account=demo&GetMo={quote(value, safe='')}".encode(),
    "encoded, blanks as plus": lambda value: f"reply={quote_plus(value)}&x=1".encode(),
    "encoded in GBK": lambda value: f"reply={quote(value, safe='', encoding='gbk')}".encode(),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(texts=st.lists(WORDS, min_size=1, max_size=3))
def test_replies_come_back_to_the_letter(write, texts):
    """Bare, in a field or percent-encoded, each reply is read as it was written, whatever its sender wrote."""
    read = decode_push("demo", write("".join(map(record, texts))))

    assert isinstance(read, VerifiedPush)
    assert read.inbound.rows == tuple(map(message, texts))
    assert read.reports.rows == ()


@pytest.mark.parametrize("name", ["GetMo", "content", "account2"])
@given(before=WORDS, after=WORDS)
def test_no_senders_words_become_a_report(name, before, after):
    """A reply that spells out a whole pushed report, its account included, remains a reply."""
    spelled = f"{before}&account=demo&GetReport={REPORT}{after}"
    for value in (record(spelled), quote(record(spelled), safe="")):
        read = decode_push("demo", f"{name}={value}".encode())
        assert isinstance(read, PushRefused) or not read.reports.rows


FORGED = {
    "nothing": b"",
    "another account": f"account=stranger&GetReport={REPORT}".encode(),
    "no account": f"GetReport={REPORT}".encode(),
    "account in another case": f"account=DEMO&GetReport={REPORT}".encode(),
    "bare reports": REPORT.encode(),
    "no rows": b"account=demo&GetReport=",
    "garbage": b"account=demo&GetReport=x",
    "another account's reply": f"account=stranger&GetMo={record('x')}".encode(),
    "html": b"<html></html>",
    "not text": b"\xff\xfe\x00\x81",
    "many fields": b"a=1&" * 5000,
}


@pytest.mark.parametrize("body", FORGED.values(), ids=list(FORGED))
def test_what_is_not_ours_is_refused(body):
    """A push without its account, without a row or without sense is refused in words that quote none of it."""
    read = decode_push("demo", body)

    assert isinstance(read, PushRefused)
    assert not any(word in read.why for word in ("stranger", GOLDEN, "13900000000"))


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body):
    """Noise never raises, and never holds a report."""
    assert isinstance(decode_push("demo", body), VerifiedPush | PushRefused)


@pytest.mark.parametrize("body", [b"a=" * 150_000, b"a=1&" * 90_000, b"a" * 300_000, b"|,|" * 100_000, b"%41" * 90_000])
def test_hostile_bodies_are_read_in_one_pass(body):
    """What invites a pattern to start over at every character is refused at once."""
    assert isinstance(decode_push("demo", body), PushRefused)
