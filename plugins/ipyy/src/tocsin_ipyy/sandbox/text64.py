"""Text64 as ensms.ashx reads it: 1.5. Written from the document; the codec has its own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from tocsin_ipyy.sandbox.answers import BEIJING

_MEMBERS = ("UserName", "Stamp", "Secret", "Moblie", "Text", "Ext", "SendTime")
_STAMP = re.compile(r"[0-9]{10}")
_TOLERANCE = timedelta(minutes=5)


class BadText64(Exception):
    """不是有效的base64编码, Des解密失败, 解析json时出错: 1009."""


def open_text64(text64: str, password: str) -> Mapping[str, str]:
    """Return the JSON's members; one that is missing or null is empty, as it is to the vendor.

    Raises:
        BadText64: no base64, not made with this password, or no JSON object of texts.
    """
    try:
        # .NET overlooks blanks in base64; a plus sign that a form did not encode has become one.
        sealed = base64.b64decode("".join(text64.split()), validate=True)
        given = json.loads(_decrypt(sealed, password).decode("utf-8"))
    except ValueError:
        raise BadText64 from None
    if not isinstance(given, dict):
        raise BadText64
    members = {name: given.get(name) or "" for name in _MEMBERS}
    if not all(isinstance(value, str) for value in members.values()):
        raise BadText64
    return members


def is_in_time(stamp: str, now: datetime) -> bool:
    """Say whether a stamp, MMddHHmmss in Beijing, is within 5 minutes of now; it lacks the year."""
    if not _STAMP.fullmatch(stamp):
        return False
    local = now.astimezone(BEIJING)
    return any(abs(at - local) <= _TOLERANCE for year in (-1, 0, 1) for at in _readings(f"{local.year + year}{stamp}"))


def make_secret(password: str, stamp: str) -> str:
    """Return Md5(password+stamp), 32位，大写."""
    return hashlib.md5((password + stamp).encode(), usedforsecurity=False).hexdigest().upper()


def _readings(digits: str) -> tuple[datetime, ...]:
    try:
        return (datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING),)
    except ValueError:
        return ()


def _decrypt(sealed: bytes, password: str) -> bytes:
    """DES, CBC, PKCS7; the key is also the IV: 取前8位（不足8位，右侧补字节0）.

    Raises:
        ValueError: no whole blocks, or a padding that is none.
    """
    key = password.encode()[:8].ljust(8, b"\0")
    # One DES is three of them under one key.
    decryptor, unpadder = Cipher(TripleDES(key * 3), CBC(key)).decryptor(), PKCS7(64).unpadder()
    padded = decryptor.update(sealed) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
