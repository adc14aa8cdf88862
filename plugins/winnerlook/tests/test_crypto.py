"""Laws of the cipher, `submitInfo`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_winnerlook.crypto import decrypt, encrypt

VECTOR = tomllib.loads((Path(__file__).parent / "vectors" / "encrypted.toml").read_text("utf-8"))


def test_document_vector():
    """The document's example is made and read back to the letter."""
    assert encrypt(VECTOR["plain"], VECTOR["password"]) == VECTOR["submit_info"]
    assert decrypt(VECTOR["submit_info"], VECTOR["password"]) == VECTOR["plain"]


@given(plain=st.text(st.characters(codec="gbk")), password=st.text(min_size=1))
def test_round_trip(plain, password):
    """Any text of GBK comes back under its password, and travels as whole blocks of upper-case digits."""
    submit_info = encrypt(plain, password)

    assert decrypt(submit_info, password) == plain
    assert len(submit_info) % 16 == 0
    assert set(submit_info) <= set("0123456789ABCDEF")


def test_character_outside_the_charset_is_refused():
    """A character that would arrive as `?` is refused, and the error quotes neither text nor password."""
    with pytest.raises(ValueError, match="outside GBK") as caught:
        encrypt("userPass=hunter2&Msg=😀", "hunter2")

    assert "hunter2" not in repr(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("submit_info", ["", "xyz", "00", VECTOR["submit_info"][:-2], "00" * 8])
def test_what_is_no_submit_info_is_refused(submit_info):
    """What is not whole, not hexadecimal or of another password is a ValueError, never a text."""
    with pytest.raises(ValueError, match="not a submitInfo"):
        decrypt(submit_info, VECTOR["password"])
