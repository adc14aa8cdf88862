"""submitInfo as the vendor's side opens it: 附 DES 加密源码 (C#), `Decode`. The codec has its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from tocsin.sandbox.codepage import decode_936

_PAIRS = re.compile(r"(?:[0-9A-Fa-f]{2})*")


class BadSeal(Exception):
    """解密失败: -22."""


def open_seal(submit_info: str, password: str) -> Mapping[str, str]:
    """Return the parameters in `userPass=…&DesNo=…&Msg=…&Channel=…`, which is not URL-encoded.

    An `&` within a value cuts it short: the format gives no way to write one.

    Raises:
        BadSeal: no hexadecimal digits, or not made with this password.
    """
    whole = submit_info[: len(submit_info) // 2 * 2]  # `str.Length / 2` overlooks an odd digit at the end
    if not _PAIRS.fullmatch(whole):
        raise BadSeal
    try:
        plain = decode_936(_decrypt(bytes.fromhex(whole), password))
    except ValueError:
        raise BadSeal from None
    pieces = (piece.partition("=") for piece in plain.split("&"))
    return {name: value for name, _, value in pieces}


def _decrypt(sealed: bytes, password: str) -> bytes:
    """DES, CBC, PKCS7; Key 和 IV 均为密码 userPass 的 SHA1 加密（40 位大写）的前 8 位.

    Raises:
        ValueError: no whole blocks, or a padding that is none.
    """
    key = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()[:8].encode("ascii")
    # One DES is three of them under one key.
    decryptor, unpadder = Cipher(TripleDES(key * 3), CBC(key)).decryptor(), PKCS7(64).unpadder()
    padded = decryptor.update(sealed) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
