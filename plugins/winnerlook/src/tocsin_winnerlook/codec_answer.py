"""From an HTTP answer to the one text value in it. Knows ASP.NET's envelopes; what the value means is not its matter.

A submit's and a balance's answers are read strictly. A poll has already removed the data at the vendor, so its answer
is mended as far as that can be done without guessing: a cut end, an illegal character.
"""

from __future__ import annotations

import codecs
import re

import attrs
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from tocsin.plugin import AnswerError, HttpResponse, Reason, Refused
from tocsin_winnerlook import codec_soap

_ENVELOPES = {(f"{{{codec_soap.NAMESPACE}}}string",), codec_soap.ANSWER}
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
_OPENING = re.compile(r"<string\b[^<>]*>")
_END = re.compile(r"</string>\s*+\Z")
_CUT_END = re.compile(r"<(?:/[string]*)?\Z")
_STRAY_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")

# ASP.NET turned the request away before it called the method. A page that does not begin so proves nothing.
_NOT_CALLED = re.compile(
    r"\s*+((?:System\.InvalidOperationException: )?Missing parameter: \w+"
    r"|System\.Web\.HttpRequestValidationException\b"
    r"|A potentially dangerous Request\.\w+ value was detected"
    r"|从客户端\((?s:.{0,200}?)\)中检测到有潜在危险的 Request\.\w+ 值)"
)


class _NotWellFormed(AnswerError):
    """The answer does not parse. A poll's is mended, then tried once more."""


@attrs.frozen
class PollValue:
    """The value of a poll's answer; `whole` is false where its end was cut off."""

    text: str = attrs.field(repr=False)
    whole: bool


def refused_uncalled(response: HttpResponse) -> Refused | None:
    """Read an answer as proof that the method was never called; None where it proves nothing of the kind."""
    if response.status != 500:
        return None
    match = _NOT_CALLED.match(_decode_text(response, final=False))
    return Refused(Reason.MALFORMED, "500", match[1]) if match else None


def read_value(response: HttpResponse) -> str:
    """Read the value of a submit's or a balance query's answer, without the blanks around it.

    Raises:
        AnswerError: the answer is anything but status 200 and one whole envelope.
    """
    _check_status(response)
    if response.fault is not None:
        raise AnswerError(f"winnerlook: the answer is cut ({response.fault})")
    return _parse_value(_decode_text(response, final=True)).strip(_BLANKS)


def salvage_value(response: HttpResponse) -> PollValue:
    """Read the value of a poll's answer, or as much of it as came.

    Raises:
        AnswerError: the status is not 200, or there is no value to save.
    """
    _check_status(response)
    text = _decode_text(response, final=False)
    whole = response.fault is None
    try:
        return PollValue(_parse_value(text), whole)
    except _NotWellFormed:
        mended, ended = _mend(text)
        return PollValue(_parse_value(mended), whole and ended)


def _check_status(response: HttpResponse) -> None:
    if response.status != 200:
        raise AnswerError(f"winnerlook: HTTP status {response.status}")


def _decode_text(response: HttpResponse, *, final: bool) -> str:
    """Decode the body; unless `final`, half a character at its end is let go and no byte is fatal."""
    where = response.header("content-type") + response.body[:100].decode("latin-1")
    declared = [_CHARSETS[name] for name in _DECLARED_CHARSET.findall(where.lower()) if name in _CHARSETS]
    for charset in (*declared, "utf-8-sig", "gb18030"):  # what is declared may be wrong
        try:
            return codecs.getincrementaldecoder(charset)().decode(response.body, final)
        except UnicodeDecodeError:
            continue
    if final:
        raise AnswerError("winnerlook: the answer is in no known charset")
    return response.body.decode("utf-8", "replace")


def _parse_value(text: str) -> str:
    """Parse either envelope. The declaration goes first: the encoding that it names is no longer true."""
    try:
        root = fromstring(_XML_DECLARATION.sub("", text, count=1).strip(_BLANKS), forbid_dtd=True)
    except ParseError:
        raise _NotWellFormed("winnerlook: the answer is not well-formed XML") from None
    except DefusedXmlException:
        raise AnswerError("winnerlook: the answer declares a document type") from None
    elements = list(root.iter())
    if tuple(element.tag for element in elements) not in _ENVELOPES:
        raise AnswerError("winnerlook: the answer is neither a string element nor a result of SendMsg")
    return elements[-1].text or ""


def _mend(text: str) -> tuple[str, bool]:
    """Close a `string` element that was cut and make its text legal; say whether its end was there."""
    text = _ILLEGAL.sub("\ufffd", _XML_DECLARATION.sub("", text, count=1).lstrip(_BLANKS))
    opening = _OPENING.match(text)
    if opening is None:
        raise AnswerError("winnerlook: the answer holds no value")
    content, ended = _END.subn("", text[opening.end() :])
    if not ended:
        content = _CUT_END.sub("", content)
    content = _STRAY_AMPERSAND.sub("&amp;", content).replace("<", "&lt;").replace(">", "&gt;")
    return f"{opening[0]}{content}</string>", bool(ended)
