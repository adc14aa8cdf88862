"""The cipher of the `*ByEncrypt` methods, `submitInfo`, as pure functions.

DES with a key made from the password hides a text from the eye and from nobody else: it is no substitute for TLS.
Source: winnerlook v8.3, section 短信加密发送.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

# Encoding.GetEncoding("GB2312") of .NET is code page 936, whose repertoire is GBK's.
_CHARSET = "gbk"
_PADDING = PKCS7(64)


def encrypt(plain: str, password: str) -> str:
    """Make the `submitInfo`, upper-case hexadecimal, of `userPass=…&DesNo=…&Msg=…&Channel=…`, not URL-encoded.

    Raises:
        ValueError: a character is outside GBK; the vendor's own code would send `?` in its place.
    """
    try:
        content = plain.encode(_CHARSET)
    except UnicodeEncodeError:
        raise ValueError("a character is outside GBK") from None  # the cause would quote the text
    padder, encryptor = _PADDING.padder(), _cipher(password).encryptor()
    padded = padder.update(content) + padder.finalize()
    return (encryptor.update(padded) + encryptor.finalize()).hex().upper()


def decrypt(submit_info: str, password: str) -> str:
    """Read a `submitInfo` back.

    Raises:
        ValueError: it is not hexadecimal, not whole, or made with another password.
    """
    decryptor, unpadder = _cipher(password).decryptor(), _PADDING.unpadder()
    try:
        padded = decryptor.update(bytes.fromhex(submit_info)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode(_CHARSET)
    except ValueError:
        raise ValueError("not a submitInfo of this password") from None  # the cause would quote the text


def _cipher(password: str) -> Cipher[CBC]:
    # "DES 加密的 Key 和 IV 均为密码 userPass 的 SHA1 加密（40 位大写）的前 8 位"
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    key = digest[:8].encode("ascii")
    return Cipher(TripleDES(key * 3), CBC(key))  # one key three times is single DES
