"""pycryptodome, which is not ours, agrees with both plugins' DES and with both sandboxes'."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_ipyy import crypto as ipyy
from tocsin_ipyy.sandbox.text64 import open_text64
from tocsin_winnerlook import crypto as winnerlook
from tocsin_winnerlook.sandbox.seal import open_seal

DES = pytest.importorskip("Crypto.Cipher.DES", reason="pycryptodome is not installed")
Padding = pytest.importorskip("Crypto.Util.Padding", reason="pycryptodome is not installed")

_UNICODE = st.text(st.characters(exclude_categories=("Cs",)))
_TWO_BYTES = st.builds(bytes, st.tuples(st.integers(0xB0, 0xF7), st.integers(0xA1, 0xFE)))
_GB2312 = _TWO_BYTES.map(lambda pair: pair.decode("gbk", "ignore")).filter(bool)
_GBK_TEXT = st.lists(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | _GB2312).map("".join)
_PASSWORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="&"), min_size=1)


def encrypt(plain: bytes, key: bytes) -> bytes:
    return DES.new(key, DES.MODE_CBC, key).encrypt(Padding.pad(plain, 8))


def winnerlook_key(password: str) -> bytes:
    return hashlib.sha1(password.encode()).hexdigest().upper()[:8].encode()


@given(_GBK_TEXT, _PASSWORDS)
def test_submit_info_is_what_pycryptodome_makes(text, password):
    """Key and IV are the first 8 digits of SHA1 in upper case; the text is GB2312."""
    theirs = encrypt(text.encode("gbk"), winnerlook_key(password)).hex().upper()

    assert winnerlook.encrypt(text, password) == theirs


@given(_UNICODE, _PASSWORDS)
def test_text64_is_what_pycryptodome_makes(text, password):
    """Key and IV are the password's first 8 bytes, zeros behind; the text is UTF-8, the result base64."""
    key = password.encode()[:8].ljust(8, b"\0")
    theirs = base64.b64encode(encrypt(text.encode(), key)).decode()

    assert ipyy.encrypt_text64(password, text) == theirs


@given(_GBK_TEXT.filter(lambda text: "&" not in text), _PASSWORDS)
def test_the_sandboxes_open_what_pycryptodome_seals(text, password):
    """Each vendor's side reads it back, so that a mistake cannot hide on both ends of the wire."""
    sealed = encrypt(f"userPass={password}&Msg={text}".encode("gbk"), winnerlook_key(password)).hex()
    assert open_seal(sealed, password) == {"userPass": password, "Msg": text}

    key = password.encode()[:8].ljust(8, b"\0")
    sealed = base64.b64encode(encrypt(b'{"UserName": "demo"}', key)).decode()
    assert open_text64(sealed, password)["UserName"] == "demo"
