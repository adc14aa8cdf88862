"""The vendor's XML: what a page or a SOAP `SendResult` says, and rows. Raises `AnswerError` alone. Pure."""

import re
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring, tostring

import tocsin.plugin as t
from tocsin_ipyy import codes
from tocsin_ipyy.codec_answer import Members, require, translate

# source: SOAP 1.1, section 4.1.2; SOAP 1.2, part 1, section 5.1
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
# Control characters and what else is none to XML 1.0, bare or as ASP.NET writes them: `&#x1;`
_NO_CHARACTER = re.compile("&#x(?:[0-8BCEF]|1[0-9A-F]|D[89A-F]..|FFF[EF]);|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_page(text: str) -> Members:
    """Return what a page says."""
    return _members(_parse(text, "returnsms"))


def read_result(version: str, text: str) -> Members:
    """Return what the `SendResult` in an envelope of that SOAP version says, in the words of a page."""
    element = _parse(text, f"{{{ENVELOPES[version]}}}Envelope".lower())
    for name in ("body", "sendsmsresponse", "sendsmsresult"):
        require([_name(child) for child in element] == [name], f"the envelope has no {name} where one belongs")
        element = element[0]
    return translate(_members(element))


def read_rows(text: str, kind: str) -> list[Any] | t.Refused:
    """Return the rows of an answer, each an element; or each as text, where the whole is cut or broken."""
    try:
        rows = list(_parse(text, "returnsms"))
    except t.AnswerError:
        return _split(_NO_CHARACTER.sub("\ufffd", text), kind)
    if [_name(row) for row in rows] != ["errorstatus"]:
        return rows
    said = _members(rows[0])
    require(said["error"].isdecimal(), "the error of the answer is no number")
    return codes.read_failure(said["error"], said["remark"], poll=True)


def read_row(row: Any, kind: str) -> Members:
    """Return what a row of that kind says; blanks around the text of a reply are its own."""
    element = _parse(row, kind) if isinstance(row, str) else row
    require(_name(element) == kind, "a row of another kind")
    return _members(element, verbatim="content")


def render_row(row: Any) -> str:
    """Return a row as it stood."""
    try:
        return row if isinstance(row, str) else str(tostring(row, encoding="unicode")).strip()
    except RecursionError as error:
        raise t.AnswerError("a row is nested too deeply") from error


def _parse(text: str, name: str) -> Element:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise t.AnswerError("the answer is no well-formed XML without DTD") from error
    require(root.tag.lower() == name, "the answer is another element than was asked for")
    return root


def _split(text: str, kind: str) -> list[Any]:
    """Split before opening and behind closing tags: in linear time, however many there are."""
    require(re.match(rf"<returnsms>\s*<{kind}>", text), "not one row can be told in the answer")
    inner = text.removeprefix("<returnsms>").rstrip().removesuffix("</returnsms>")
    pieces = re.split(rf"(?=<{kind}>)|(?<=</{kind}>)", inner)
    return [piece.strip() for piece in pieces if piece.strip()]


def _members(element: Element, *, verbatim: str = "") -> Members:
    """Return the texts of an element's leaves, each name once, with no text between them."""
    found, between = Members(), element.text or ""
    for child in element:
        name, text = _name(child), "" if len(child) else child.text or ""
        require(name not in found, "a member of the answer stands twice")
        found[name] = text if name == verbatim else text.strip()
        between += child.tail or ""
    require(not between.strip(), "text stands between the members of the answer")
    return found


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower()
