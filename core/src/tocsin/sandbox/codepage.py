"""Code page 936, which .NET means by "GB2312": the repertoire of GBK, and the euro sign as byte 0x80."""

from __future__ import annotations

import codecs

_GBK = frozenset({"gbk", "gb2312"})
_EURO_BYTE, _EURO = b"\x80", "€"


def decode(data: bytes, charset: str) -> str:
    """Decode as .NET does: what cannot be read becomes a replacement character, an unknown charset is UTF-8."""
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        name = "utf-8"
    return decode_936(data) if name in _GBK else data.decode(name, "replace")


def encode(text: str, charset: str) -> bytes:
    """Encode as .NET does: what does not fit becomes a question mark."""
    return encode_936(text) if codecs.lookup(charset).name in _GBK else text.encode(charset, "replace")


def decode_936(data: bytes) -> str:
    """Decode code page 936; what cannot be read becomes a question mark."""
    text, rest = "", data
    while rest:
        try:
            return text + rest.decode("gbk")
        except UnicodeDecodeError as error:
            text += rest[: error.start].decode("gbk")
            text += _EURO if rest[error.start : error.start + 1] == _EURO_BYTE else "?"
            rest = rest[error.start + 1 :]
    return text


def encode_936(text: str) -> bytes:
    """Encode in code page 936; what does not fit becomes a question mark."""
    return _EURO_BYTE.join(part.encode("gbk", "replace") for part in text.split(_EURO))
