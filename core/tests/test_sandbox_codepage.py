"""Laws of code page 936, which .NET means by "GB2312"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.sandbox.codepage import decode, decode_936, encode, encode_936


@given(st.text(st.characters(codec="gbk")))
def test_what_fits_reads_back(text):
    """Every text of the repertoire survives, with a euro sign in it or not."""
    assert decode_936(encode_936(f"{text}€{text}")) == f"{text}€{text}"


@given(st.binary(max_size=50))
def test_any_bytes_decode(data):
    """Nothing is refused: what cannot be read becomes a question mark, as .NET does it."""
    assert isinstance(decode_936(data), str)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_encodes(text):
    """What does not fit becomes a question mark, one for each character."""
    assert len(decode_936(encode_936(text))) == len(text)


@pytest.mark.parametrize(
    ("data", "text"), [(b"5\x80", "5€"), (b"\xc4\x80", "膧"), (b"\xb4\xc5\x80\x81", "磁€?"), (b"\xff", "?")]
)
def test_0x80_is_the_euro_sign_only_where_a_character_begins(data, text):
    """As a second byte 0x80 belongs to the character before it."""
    assert decode_936(data) == text


@pytest.mark.parametrize(("charset", "data"), [("gb2312", b"\xe9F"), ("GBK", b"\xe9F"), ("utf-8", "镕".encode())])
def test_a_charset_is_chosen_by_name(charset, data):
    """The name gb2312 means the whole code page: 镕 is not in GB 2312 proper. A name that is none means UTF-8."""
    assert decode(data, charset) == decode("镕".encode(), "klingon") == "镕"
    assert encode("镕", charset) == data
