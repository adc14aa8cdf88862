"""From an HTTP answer to the one text value in it. Knows ASP.NET's envelopes; what the value means is not its matter.

A submit's and a balance's answers are read strictly. A poll has already removed the data at the vendor, so its answer
is mended as far as that can be done without guessing: a cut end, an illegal character. Whatever holds no value raises
AnswerError; its text never quotes the answer.
"""

from __future__ import annotations

import codecs
import re

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

import tocsin.plugin as t

Paths = frozenset[tuple[str, ...]]
"""Elements that may hold the value, each by its path from the root; see `codec_call.answers_to`."""

_BLANKS = " \t\r\n"

_CHARSETS = {"utf-8": "utf-8-sig", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030"}
_DECLARED_CHARSET = re.compile(r"(?:charset|encoding)=[\"']?([\w-]+)")
_XML_DECLARATION = re.compile(r"\A\s*+<\?xml\b[^>]*+(?<=\?)>\s*+")

# What XML 1.0 has no place for and .NET writes all the same: control characters, as such or as references.
_ILLEGAL = re.compile(
    r"&#x0*+(?:|[1-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]);"
    r"|&#0*+(?:|[1-8]|1[124-9]|2[0-9]|3[01]);"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]",
    re.IGNORECASE,
)
_OPENINGS = re.compile(r"(?:<[A-Za-z][^<>]{0,300}+(?<!/)>\s*+){1,4}+")
_NAME = re.compile(r"<([^\s<>]++)")
_STRAY_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")

# ASP.NET turned the request away before it called the method. A page that does not begin so proves nothing.
_NOT_CALLED = re.compile(
    r"\s*+((?:System\.InvalidOperationException: )?Missing parameter: \w+"
    r"|System\.Web\.HttpRequestValidationException\b"
    r"|A potentially dangerous Request\.\w+ value was detected"
    r"|从客户端\((?s:.{0,200}?)\)中检测到有潜在危险的 Request\.\w+ 值)"
)


class _NotWellFormed(t.AnswerError):
    """The answer does not parse. A poll's is mended, then tried once more."""


def refused_uncalled(response: t.HttpResponse) -> t.Refused | None:
    """Read an answer as proof that the method was never called; None where it proves nothing of the kind."""
    if response.status != 500:
        return None
    match = _NOT_CALLED.match(_decode_text(response, final=False))
    return t.Refused(t.Reason.MALFORMED, "500", match[1]) if match else None


def read_value(response: t.HttpResponse, paths: Paths) -> str:
    """Read the value in one whole envelope under status 200, without the blanks around it."""
    return _parse_value(_read_text(response, final=True), paths).strip(_BLANKS)


def read_page(response: t.HttpResponse, paths: Paths) -> str:
    """Read what a page answers under status 200: plain text, or enveloped; the document does not say."""
    text = _read_text(response, final=True).strip(_BLANKS)
    return _parse_value(text, paths).strip(_BLANKS) if text.startswith("<") else text


def salvage_value(response: t.HttpResponse, paths: Paths) -> tuple[str, bool]:
    """Read the value of a poll's answer, or as much of it as came; say whether that is the whole."""
    text, whole = _read_text(response, final=False), response.fault is None
    try:
        return _parse_value(text, paths), whole
    except _NotWellFormed:
        mended, ended = _mend(text)
        return _parse_value(mended, paths), whole and ended


def _read_text(response: t.HttpResponse, *, final: bool) -> str:
    if response.status != 200:
        raise t.AnswerError(f"winnerlook: HTTP status {response.status}")
    if final and response.fault is not None:
        raise t.AnswerError(f"winnerlook: the answer is cut ({response.fault})")
    return _decode_text(response, final=final)


def _decode_text(response: t.HttpResponse, *, final: bool) -> str:
    """Decode the body; unless `final`, half a character at its end is let go and no byte is fatal."""
    where = response.header("content-type") + response.body[:100].decode("latin-1")
    declared = [_CHARSETS[name] for name in _DECLARED_CHARSET.findall(where.lower()) if name in _CHARSETS]
    for charset in (*declared, "utf-8-sig", "gb18030"):  # what is declared may be wrong
        try:
            return codecs.getincrementaldecoder(charset)().decode(response.body, final)
        except UnicodeDecodeError:
            continue
    if final:
        raise t.AnswerError("winnerlook: the answer is in no known charset")
    return response.body.decode("utf-8", "replace")


def _parse_value(text: str, paths: Paths) -> str:
    """Parse either envelope. The declaration goes first: the encoding that it names is no longer true."""
    try:
        root = fromstring(_XML_DECLARATION.sub("", text, count=1).strip(_BLANKS), forbid_dtd=True)
    except ParseError:
        raise _NotWellFormed("winnerlook: the answer is not well-formed XML") from None
    except DefusedXmlException:
        raise t.AnswerError("winnerlook: the answer declares a document type") from None
    elements = list(root.iter())
    if tuple(element.tag for element in elements) not in paths:
        raise t.AnswerError("winnerlook: the answer is neither a string element nor the result of the method")
    return elements[-1].text or ""


def _mend(text: str) -> tuple[str, bool]:
    """Close the elements of an envelope that was cut and make its text legal; say whether its end was there."""
    text = _ILLEGAL.sub("\ufffd", _XML_DECLARATION.sub("", text, count=1).strip(_BLANKS))
    openings = _OPENINGS.match(text)
    if openings is None:
        raise t.AnswerError("winnerlook: the answer holds no value")
    closings = "".join(f"</{name}>" for name in reversed(_NAME.findall(openings[0])))
    content = text[openings.end() :]
    come = next(size for size in range(len(closings), -1, -1) if content.endswith(closings[:size]))
    content = _STRAY_AMPERSAND.sub("&amp;", content[: len(content) - come]).replace("<", "&lt;").replace(">", "&gt;")
    return f"{openings[0]}{content}{closings}", come == len(closings)
