"""The TMS container of an MMS as the vendor's side opens it: 2.2. Written from the document; the codec has its own.

名称+一个字符串结束符(ASCII为0)+二进制内容大小（整形）+二进制内容, for each element. The integer's width and byte order
are not stated: 32 bits here, in the byte order of the account's terms.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from tocsin.sandbox import Attachment

_INTEGER_BYTES = 4


class BadContainer(Exception):
    """The content is no base64 of a container."""


def open_container(content: str, byte_order: str) -> tuple[Attachment, ...]:
    """Return names and sizes of the files in `content`, a base64 text.

    Raises:
        BadContainer: no base64, a name that is empty or no ASCII, or a size that the rest does not have.
    """
    try:
        rest = base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        raise BadContainer from None
    order: Literal["little", "big"] = "big" if byte_order == "big" else "little"
    attachments = []
    while rest:
        attachment, rest = _take(rest, order)
        attachments.append(attachment)
    return tuple(attachments)


def _take(rest: bytes, order: Literal["little", "big"]) -> tuple[Attachment, bytes]:
    name, end, rest = rest.partition(b"\0")
    size = int.from_bytes(rest[:_INTEGER_BYTES], order, signed=True)
    file, behind = rest[_INTEGER_BYTES:][: max(size, 0)], rest[_INTEGER_BYTES + max(size, 0) :]
    if not (name and name.isascii() and end) or len(rest) < _INTEGER_BYTES or len(file) != size:
        raise BadContainer
    return Attachment(name=name.decode("ascii"), size=size, sha256=hashlib.sha256(file).hexdigest()), behind
