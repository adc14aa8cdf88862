"""Answers from bytes to text to elements: status, charset, well-formedness. Knows no word of the vendor's.

Raises `AnswerError` and nothing else; its texts never quote the answer.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from defusedxml.ElementTree import ParseError, fromstring

from tocsin.plugin import AnswerError, HttpResponse, Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

Members = defaultdict[str, str]
"""Texts of an element's leaves by lower-case name; empty where the answer is silent."""

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# What may be declared. utf-16 is not here: .NET's StringWriter declares it over bytes that are UTF-8.
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030"}
_IN_HEADER = re.compile(r"charset=[\"']?([\w-]+)")
_IN_DECLARATION = re.compile(rb"\s*<\?xml[^>]*?encoding=[\"']([\w-]+)")
_PROLOG = re.compile(r"\s*(?:<\?xml\s[^>]*\?>\s*)?")
# source: ASP.NET. It checks a form before the page runs, so either error proves that nothing was submitted.
_NEVER_RAN = re.compile(
    r"\A\s*Missing parameter(?=: \w)|HttpRequestValidationException|中检测到有潜在危险的 Request\.Form 值"
)
_NOT_XML = re.compile(r"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_answer(response: HttpResponse, *, cut: bool = False) -> str | Refused:
    """Return the text of an answer, or the refusal that ASP.NET's own error proves.

    Args:
        response: as it came.
        cut: read an answer that lacks its end, too: whole rows of a poll are worth having.

    Returns:
        The text from the root on: blanks may stand before the declaration, and its encoding is spent.
    """
    if response.fault and not cut:
        raise AnswerError("the answer is cut")
    if response.status not in (200, 500):
        raise AnswerError(f"HTTP status {response.status}")
    text = _decode(response.body, _charsets(response), cut=cut)
    if response.status == 200:
        return _PROLOG.sub("", text, count=1)
    if not (proof := _NEVER_RAN.search(text)):
        raise AnswerError("HTTP status 500")
    return Refused(Reason.MALFORMED, "500", proof[0].strip())


def parse_xml(text: str) -> Element:
    """Return the root of a well-formed document without DTD."""
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise AnswerError("the answer is no well-formed XML without DTD") from error
    return root


def is_returnsms(root: Element) -> bool:
    """Say whether a document is of the kind that all of the vendor's XML pages give."""
    return root.tag.lower() == "returnsms"


def members(element: Element, *, verbatim: str = "") -> Members:
    """Return the texts of an element's leaves.

    Args:
        element: their parent.
        verbatim: name of the member whose blanks are its own; all others lose those around them.

    Raises:
        AnswerError: a name stands twice, or text stands between the elements.
    """
    found, between = Members(str), element.text or ""
    for child in element:
        name = local_name(child)
        if name in found:
            raise AnswerError("a member of the answer stands twice")
        text = "" if len(child) else child.text or ""
        found[name] = text if name == verbatim else text.strip()
        between += child.tail or ""
    if between.strip():
        raise AnswerError("text stands between the members of the answer")
    return found


def local_name(element: Element) -> str:
    """Return an element's name in lower case, without its namespace."""
    return element.tag.rpartition("}")[2].lower()


def mend(text: str) -> str:
    """Put U+FFFD in place of what no XML parser takes: control characters, bare or as `&#x1;`."""
    return _NOT_XML.sub(_mended, text)


def _mended(found: re.Match[str]) -> str:
    """Keep the references to what XML 1.0, production 2, calls a character."""
    code = int(found[1] or "0", 16) or int(found[2] or "0")
    known = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return found[0] if known else "\ufffd"


def _charsets(response: HttpResponse) -> Iterable[str]:
    """A mark is certain; else what the answer claims, then what the vendor's pages use."""
    if marked := [charset for bom, charset in _BOMS.items() if response.body.startswith(bom)]:
        return marked
    claims = _IN_HEADER.findall(response.header("content-type").lower())
    if declared := _IN_DECLARATION.match(response.body[:256].lower()):
        claims.append(declared[1].decode("ascii", "replace"))
    return dict.fromkeys((*(_CHARSETS[claim] for claim in claims if claim in _CHARSETS), "utf-8", "gb18030"))


def _decode(body: bytes, charsets: Iterable[str], *, cut: bool) -> str:
    for charset in charsets:
        try:
            return codecs.getincrementaldecoder(charset)().decode(body, final=not cut)
        except UnicodeDecodeError:
            continue
    raise AnswerError("the answer is in no charset that the vendor uses")
