"""The vendor's JSON, read strictly: what a page or a `SendResult` says, and rows. Raises `AnswerError` alone. Pure.

Names match in any case, as in XML; numbers are exact; what is no character (a control, half a pair) becomes U+FFFD.
"""

import json
import re
from decimal import Decimal
from typing import Any

import tocsin.plugin as t
from tocsin_ipyy import codes
from tocsin_ipyy.codec_answer import Members, require, translate

_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BETWEEN_ROWS = re.compile(r"(?<=\})\s*,\s*(?=\{)")
_NUMBERS = ("statuscode", "amount", "successcounts")  # source: ipyy, 1.5: the example; all else is text


def read_page(text: str) -> Members:
    """Return what a page says. Source: ipyy, 1.4 and 3.4: every value is text."""
    return Members({name: _typed(value, str) for name, value in _parse(text).items()})


def read_result(text: str) -> Members:
    """Return what a `SendResult` says, in the words of a page. Source: ipyy, 1.5."""
    told = [(name, value) for name, value in _parse(text).items() if name != "errors"]  # items of no stated type
    return translate(Members({name: _typed(value, Decimal if name in _NUMBERS else str) for name, value in told}))


def read_rows(text: str, kind: str) -> list[Any] | t.Refused:
    """Return the rows of an answer, each an object; or each as text, where the whole is cut or broken."""
    try:
        said = _parse(text)
    except t.AnswerError:
        said = _split(text, kind)
    rows, error, remark = said[kind], _typed(said["error"], str), _typed(said["remark"], str)
    require(isinstance(rows, list) and error.isdecimal(), "the answer has no rows, or no number of an error")
    require(error == "1" or not rows, "the answer is a failure that holds rows")
    return rows if error == "1" else codes.read_failure(error, remark, poll=True)


def read_row(row: Any, _: str) -> Members:
    """Return what a row says: texts all."""
    said = _parse(row) if isinstance(row, str) else row
    try:
        clean = "".join(said.values()).isprintable()
    except (AttributeError, TypeError) as error:
        raise t.AnswerError("a row is no object of texts") from error
    return said if clean else Members({name: _typed(value, str) for name, value in said.items()})


def render_row(row: Any) -> str:
    """Return a row as JSON again, or as it stood."""
    return row if isinstance(row, str) else json.dumps(row, ensure_ascii=False, default=str)


def _parse(text: str) -> Members:
    try:
        said: Members = json.loads(
            text, object_pairs_hook=_members, parse_int=Decimal, parse_float=Decimal, parse_constant=int
        )  # int takes neither NaN nor Infinity
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise t.AnswerError("the answer is no JSON") from error
    require(isinstance(said, dict), "the answer is no JSON object")
    return said


def _split(text: str, kind: str) -> Members:
    """Split between the rows, behind the opening bracket and before the closing one, if it came."""
    head, opening, rest = text.partition(f'"{kind}":[')
    inner, _, end = rest.rpartition("]")
    pieces = _BETWEEN_ROWS.split((inner if end.strip() in ("", "}") else rest).strip())
    require(pieces != [""], "not one row can be told in the answer")
    return Members(_parse(f"{head}{opening}]}}"), **{kind: pieces})


def _members(pairs: list[tuple[str, Any]]) -> Members:
    found = Members(pairs)
    if not "".join(found).islower():  # names of rows are; asking takes less time than lowering them all
        found = Members({name.lower(): value for name, value in pairs})
    require(len(found) == len(pairs), "a member of the answer stands twice")
    return found


def _typed(value: Any, kind: type) -> str:
    """Return a value of that type as text. .NET writes null for a text that was never set."""
    require(value is None or isinstance(value, kind), "a member of the answer has another type")
    return "" if value is None else _NO_CHARACTER.sub("\ufffd", str(value))
