"""The vendor's digests and cipher (ipyy, chapters 1.2 and 1.5), as pure functions.

MD5, and DES under a key cut from the password, hide little: what protects the traffic is TLS.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7


def password_md5(password: str) -> str:
    """Return what may stand for the password in a form: its MD5, "32位大写"."""
    return hashlib.md5(password.encode("utf-8"), usedforsecurity=False).hexdigest().upper()


def secret(password: str, stamp: str) -> str:
    """Return the `Secret` of an encrypted submit, "Md5(password+stamp)"; a stamp is `MMddHHmmss`."""
    return password_md5(password + stamp)


def encrypt_text64(password: str, plain: str) -> str:
    """Return `Text64`: DES-CBC-PKCS7 of the UTF-8 text, in base64."""
    padder, encryptor = PKCS7(64).padder(), _cipher(password).encryptor()
    padded = padder.update(plain.encode("utf-8")) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt_text64(password: str, text64: str) -> str:
    """Return the plain text of a `Text64`.

    Raises:
        ValueError: it is no base64, was made with another password, or holds no UTF-8.
    """
    unpadder, decryptor = PKCS7(64).unpadder(), _cipher(password).decryptor()
    padded = decryptor.update(base64.b64decode(text64, validate=True)) + decryptor.finalize()
    return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")


def _cipher(password: str) -> Cipher[modes.CBC]:
    """Key and IV are the password's first eight bytes; three equal keys make triple DES single."""
    key = password.encode("utf-8")[:8].ljust(8, b"\0")
    return Cipher(TripleDES(key * 3), modes.CBC(key))
