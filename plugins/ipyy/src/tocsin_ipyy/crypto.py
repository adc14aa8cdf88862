"""The vendor's digest and cipher (ipyy, 1.2 and 1.5). They hide little: what protects the traffic is TLS. Pure."""

import base64
import hashlib

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7


def md5(text: str) -> str:
    """Return an MD5 as the vendor writes it, "32位大写": of a password for forms, of password and stamp as `Secret`."""
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest().upper()


def encrypt_text64(password: str, plain: str) -> str:
    """Return `Text64`: DES-CBC-PKCS7 of the UTF-8 text, in base64; key and IV are the password's first eight bytes."""
    key = password.encode("utf-8")[:8].ljust(8, b"\0")
    padder, encryptor = PKCS7(64).padder(), Cipher(TripleDES(key * 3), modes.CBC(key)).encryptor()  # thrice: single DES
    padded = padder.update(plain.encode("utf-8")) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")
