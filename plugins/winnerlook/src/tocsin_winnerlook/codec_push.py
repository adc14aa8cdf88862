"""What the vendor posts to us unasked: reports and inbound messages (MO). Pure; `verify_push` calls it.

The document shows reports unencoded and gives replies the form of a poll's answer; it names no encoding, no field for
replies, no answer that it wants. So both are read raw and percent-encoded. Whoever writes an SMS writes a part of a
reply: that part must never pass for a report.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl

import tocsin.plugin as t
from tocsin_winnerlook.codec_rows import parse_inbound, parse_reports

Read = TypeVar("Read")

# The names, and the values of other fields, in front of a field that was never encoded.
_NAMES = re.compile(r"\A(?:[\w.]{1,64}=[^&|=]{0,256}&){0,8}+[\w.]{1,64}=")


def decode_push(user_code: str, body: bytes) -> t.VerifiedPush | t.PushRefused:
    """Decode what was posted; refuse it where it names another account."""
    # source: winnerlook v8.3, sections 获取状态报告 (完整的推送格式) and 获取回复
    text = _decode(body.decode).strip()
    pairs = _decode(lambda charset, errors: parse_qsl(text, keep_blank_values=True, encoding=charset, errors=errors))
    # Behind the first rows that were never encoded, a sender's own words may look like fields.
    rows_at = next((at for at, pair in enumerate(pairs) if "|" in "".join(pair)), len(pairs))
    fields = dict(pairs[: rows_at + 1])
    if not hmac.compare_digest(fields.get("account", user_code).encode(), user_code.encode()):
        return t.PushRefused(why="it names another account")
    if fields.keys() == {"account", "GetReport"}:
        reports = parse_reports(fields["GetReport"])
        return t.VerifiedPush(reports=reports) if reports.rows else t.PushRefused(why="it holds no report")
    texts = (text, _NAMES.sub("", text, count=1), *(value for _, value in pairs))
    pages = [page for page in map(parse_inbound, texts) if page.rows]
    if not pages:
        return t.PushRefused(why="it holds neither reports nor replies")
    return t.VerifiedPush(inbound=min(pages, key=lambda page: len(page.unparsed)))


def _decode(read: Callable[[str, str], Read]) -> Read:
    """Read by the first charset that has a meaning for all of it."""
    for charset in ("utf-8", "gb18030"):
        try:
            return read(charset, "strict")
        except UnicodeDecodeError:
            continue
    return read("utf-8", "replace")
