"""Laws of `fits`: what it lets through arrives as it was written, and what it stops makes no request at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.plugin import (
    E164,
    Account,
    AccountId,
    Attachment,
    HttpRequest,
    Limits,
    Secret,
    Submission,
)
from tocsin_winnerlook import codec
from tocsin_winnerlook.codec_call import Unfit
from tocsin_winnerlook.crypto import decrypt
from tocsin_winnerlook.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NUMBERS = tuple(E164(f"+86139{count:08}") for count in range(501))
ONE = Submission(to=NUMBERS[:1], texts=("test【签名】",))
TWO = attrs.evolve(ONE, to=NUMBERS[:2])
OWN = attrs.evolve(TWO, texts=("a【签名】", "b【签名】"))
ENCRYPTED = {"encrypt": True}


def make_account(limits: Limits | None = None, **changes: Any) -> Account:
    own = {"user_code": "demo", "password": Secret("123"), "channel": "37"} | changes
    return Account(
        id=AccountId("main"),
        vendor="winnerlook",
        base_url="http://127.0.0.1:8470",
        settings=Settings(**own),
        limits=limits or Limits(),
    )


def form_of(request: HttpRequest) -> dict[str, str]:
    """Read a form or query back."""
    encoded = request.body.decode("ascii") or urlsplit(request.url).query
    return {name: value for name, (value,) in parse_qs(encoded, keep_blank_values=True, strict_parsing=True).items()}


DOES_NOT_FIT = {
    "attachments": ("attachments", {}, attrs.evolve(ONE, attachments=(Attachment("a.jpg", b"x"),))),
    "later": ("later", {}, attrs.evolve(ONE, send_at=NOW)),
    "abroad": ("mainland", {}, attrs.evolve(ONE, to=(E164("+4915112345678"),))),
    "empty": ("empty", {}, attrs.evolve(ONE, texts=(" \n",))),
    "control character": ("control character", {}, attrs.evolve(ONE, texts=("a\x00b【签名】",))),
    "too many": ("at most 500", {}, attrs.evolve(ONE, to=NUMBERS)),
    "more than the limit": ("at most 1 ", {"limits": Limits(max_recipients=1)}, TWO),
    "too few": ("no fewer than 2", {"min_recipients": 2}, ONE),
    "extension with letters": ("digits", {}, attrs.evolve(ONE, extension="1a")),
    "long extension": ("digits", {}, attrs.evolve(ONE, extension="1" * 21)),
    "encrypted extension": ("extension", ENCRYPTED, attrs.evolve(ONE, extension="12")),
    "encrypted own texts": ("one text", ENCRYPTED, OWN),
    "own texts by GET": ("one text", {"interface": "get"}, OWN),
    "own texts by SOAP": ("one text", {"interface": "soap11"}, OWN),
    "own texts with an extension": ("extension", {}, attrs.evolve(OWN, extension="12")),
    "own text with a separator": ("separates", {}, attrs.evolve(OWN, texts=("a|!|b【签名】", "b【签名】"))),
    "own text with an item separator": ("separates", {}, attrs.evolve(OWN, texts=("a|^|b【签名】", "b【签名】"))),
    "own text that completes one": ("separates", {}, attrs.evolve(OWN, texts=("a【签名】|^", "b【签名】"))),
    "own text with markup": ("validation", {}, attrs.evolve(OWN, texts=("<a【签名】", "b【签名】"))),
    "own texts under an odd password": ("validation", {"password": Secret("&#1")}, OWN),
    "encrypted ampersand": ("&", ENCRYPTED, attrs.evolve(ONE, texts=("a&b【签名】",))),
    "encrypted, ampersand in the password": ("&", ENCRYPTED | {"password": Secret("a&b")}, ONE),
    "encrypted, outside code page 936": ("GBK", ENCRYPTED, attrs.evolve(ONE, texts=("😀【签名】",))),
    "encrypted, outside code page 936 by Latin": ("GBK", ENCRYPTED, attrs.evolve(ONE, texts=("ñ【签名】",))),
    "long GET": ("2048 bytes", {"interface": "get"}, attrs.evolve(ONE, texts=("字" * 250 + "【签名】",))),
    "long encrypted GET": ("2048 bytes", ENCRYPTED | {"interface": "get"}, attrs.evolve(ONE, texts=("字" * 500,))),
}


@pytest.mark.parametrize(("word", "changes", "submission"), DOES_NOT_FIT.values(), ids=list(DOES_NOT_FIT))
def test_what_does_not_fit_makes_no_request(word, changes, submission):
    """Each thing that an account cannot carry is said in words that quote nothing, and cannot be encoded either."""
    account = make_account(**changes)

    reason = codec.unfit(account, submission)

    assert word in reason
    assert not any(text.strip() in reason for text in submission.texts if text.strip())
    with pytest.raises(Unfit):
        codec.encode_send(account, submission)


FITS = {
    "one": ({}, ONE),
    "five hundred": ({}, attrs.evolve(ONE, to=NUMBERS[:500])),
    "the least": ({"min_recipients": 2}, TWO),
    "extension": ({}, attrs.evolve(ONE, extension="1" * 20)),
    "own texts": ({}, OWN),
    "the same text twice": ({"interface": "get"}, attrs.evolve(OWN, texts=("a【签名】", "a【签名】"))),
    "other separators": (
        {"individual_separators": ("!", "^")},
        attrs.evolve(OWN, texts=("a|!|".replace("!", "#"), "b【签名】")),
    ),
    "own text with markup, widened": (
        {"validated_text": "widen"},
        attrs.evolve(OWN, texts=("<a【签名】", "b【签名】")),
    ),
    "plain ampersand": ({}, attrs.evolve(ONE, texts=("a&b【签名】",))),
    "encrypted markup": (ENCRYPTED, attrs.evolve(ONE, texts=("<b>【签名】",))),
    "long POST": ({}, attrs.evolve(ONE, texts=("字" * 500 + "【签名】",))),
    "markup that is too long for a GET": ({"interface": "get"}, attrs.evolve(ONE, texts=("<b>" * 500 + "【签名】",))),
}


@pytest.mark.parametrize(("changes", "submission"), FITS.values(), ids=list(FITS))
def test_what_fits_is_encoded(changes, submission):
    """What is let through becomes one submit."""
    account = make_account(**changes)

    assert codec.unfit(account, submission) == ""
    assert codec.encode_send(account, submission).submits


@pytest.mark.parametrize("char", ["\x01", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe"])
@pytest.mark.parametrize("changes", [{}, ENCRYPTED, {"interface": "get"}])
def test_control_characters_do_not_fit(char, changes):
    """A character that a form or an envelope cannot carry is refused before a request is made of it."""
    assert "control character" in codec.unfit(make_account(**changes), attrs.evolve(ONE, texts=(f"a{char}【签名】",)))


TEXTS = st.text(st.sampled_from("ab促，&<#=%+ €ñ😀\r\n|!^【】\u3000"), min_size=1).filter(str.strip)


@given(TEXTS)
def test_encrypted_text_arrives_or_does_not_fit(text):
    """What is encrypted decrypts to the very fields, each told from the next; anything else is not sent."""
    account, submission = make_account(encrypt=True), attrs.evolve(ONE, texts=(text,))
    if codec.unfit(account, submission):
        assert "&" in text or text.encode("gbk", "replace").decode("gbk") != text
        return

    form = form_of(codec.encode_send(account, submission))

    assert list(form) == ["userCode", "submitInfo"]
    plain = decrypt(form["submitInfo"], "123")
    assert plain.split("&") == ["userPass=123", "DesNo=13900000000", f"Msg={text}", "Channel=37"]


@given(texts=st.lists(TEXTS, min_size=2, max_size=5, unique=True), mode=st.sampled_from(["soap", "widen"]))
def test_own_texts_come_apart_as_they_were_joined(texts, mode):
    """The one message of IndividualSm splits into each number with its own text, or it is not sent."""
    account = make_account(validated_text=mode)
    submission = Submission(to=NUMBERS[: len(texts)], texts=tuple(texts))
    if codec.unfit(account, submission):
        return

    request = codec.encode_send(account, submission)

    form = form_of(request)
    assert urlsplit(request.url).path == "/api/IndividualSm.aspx"
    assert {name: form[name] for name in ("account", "pwd", "Channel")} == {
        "account": "demo",
        "pwd": "123",
        "Channel": "37",
    }
    items = [tuple(item.split("|!|")) for item in form["msg"].split("|^|")]
    wide = str.maketrans("＜＆", "<&")
    assert [(number, text.translate(wide)) for number, text in items] == [
        (to.mainland, text.translate(wide)) for to, text in submission.pairs()
    ]


@given(recipients=st.integers(1, 300), text=st.text(st.sampled_from("a字 &"), min_size=1, max_size=300))
def test_a_get_stays_within_the_servers_limit(recipients, text):
    """A query of 2,048 bytes goes, one more does not; fewer recipients make it fit where the text alone does."""
    account = make_account(interface="get")
    submission = Submission(to=NUMBERS[:recipients], texts=(f"{text}【签名】",))
    by_form = codec.encode_send(make_account(), submission).body

    assert (codec.unfit(account, submission) == "") == (len(by_form) <= 2048)
    if len(by_form) <= 2048:
        request = codec.encode_send(account, submission)
        assert (request.method, request.body, request.headers) == ("GET", b"", ())
        assert urlsplit(request.url).query == by_form.decode("ascii")


@pytest.mark.parametrize("interface", ["post", "get"])
@pytest.mark.parametrize("encode", [codec.encode_balance, codec.encode_reports, codec.encode_mo, codec.encode_keywords])
def test_queries_with_an_odd_password_go_by_soap(interface, encode):
    """Request validation reads every value, so a password that it refuses takes a query to SOAP 1.1 as well."""
    request = encode(make_account(interface=interface, password=Secret("a<b")))

    assert request.url == "http://127.0.0.1:8470/api/MsgSend.asmx"
    assert b"<userPass>a&lt;b</userPass>" in request.body
    assert dict(request.headers)["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("encode", [codec.encode_balance, codec.encode_reports, codec.encode_mo])
def test_an_ambiguous_password_is_never_sealed(encode):
    """A password with an ampersand cannot be told apart in submitInfo, so an encrypted query is not made of it."""
    with pytest.raises(Unfit, match="&"):
        encode(make_account(encrypt=True, password=Secret("a&b")))


def test_encryption_hides_what_is_sent():
    """An encrypted account's requests show neither password nor number nor text, where the document has a twin."""
    account = make_account(encrypt=True, password=Secret("hunter2"))
    for request in (
        codec.encode_send(account, ONE),
        codec.encode_balance(account),
        codec.encode_reports(account),
        codec.encode_mo(account),
    ):
        assert not any(word in request.body for word in (b"hunter2", b"13900000000", b"test"))
        assert "ByEncrypt" in request.url
