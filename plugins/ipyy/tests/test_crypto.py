"""The document's digests and cipher, against its own values."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin_ipyy import crypto


def load(name):
    return tomllib.loads((Path(__file__).parent / "vectors" / f"{name}.toml").read_text("utf-8"))


def test_md5_is_the_documents():
    """The MD5 of a password is the one that chapter 1.2 shows."""
    vector = load("md5")

    assert crypto.password_md5(vector["password"]) == vector["result"]


def test_secret_is_the_documents():
    """Password and stamp give the Secret that chapter 1.5 shows."""
    vector = load("secret")

    assert crypto.secret(vector["password"], vector["stamp"]) == vector["result"]


def test_text64_is_the_documents():
    """The JSON text of chapter 1.5 is encrypted to its Text64, and decrypted from it."""
    vector = load("text64")

    assert crypto.encrypt_text64(vector["password"], vector["plain"]) == vector["result"]
    assert crypto.decrypt_text64(vector["password"], vector["result"]) == vector["plain"]


@settings(deadline=None)
@given(password=st.text(), plain=st.text())
def test_text64_gives_back_every_text(password, plain):
    """Whatever was encrypted is decrypted to the same text, for every password."""
    assert crypto.decrypt_text64(password, crypto.encrypt_text64(password, plain)) == plain


@pytest.mark.parametrize("text64", ["", "AAAA", "not base64", "0DqKGm9MWns=", "0DqKGm9MWnsFM2wlYEW65Q=="])
def test_what_is_no_text64_is_a_value_error(text64):
    """No base64, no whole block and no padding are each a ValueError, and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 (three libraries, three texts)
        crypto.decrypt_text64("test", text64)
