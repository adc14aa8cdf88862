"""Answers: from bytes to text, and the words in which all of them are read. Raises `AnswerError` alone. Pure."""

import codecs
import re
from typing import Any

import tocsin.plugin as t
from tocsin_ipyy import codes

_TASK_ID = re.compile(r"[0-9A-Za-z]{0,64}")
_CLAIM = re.compile(r"(?:charset|encoding)=[\"']?([\w-]+)")
_PROLOG = re.compile(r"\s*(?:<\?xml\s[^>]*\?>\s*)?")
# source: ASP.NET. It checks a form before the page runs, so either error proves that nothing was submitted.
_NEVER_RAN = re.compile(
    r"\A\s*Missing parameter(?=: \w)|HttpRequestValidationException|中检测到有潜在危险的 Request\.Form 值"
)
_STATUS_CODE = re.compile(r"-?[0-9]{1,5}|OK|[A-Za-z][0-9A-Za-z]{4,63}")


class Members(dict[str, Any]):
    """What an answer, or one row of it, says: texts by lower-case name; empty where it is silent."""

    def __missing__(self, _: str) -> str:
        return ""


def require(holds: object, why: str) -> None:
    """Raise AnswerError where an answer does not hold to the grammar; `why` never quotes it."""
    if not holds:
        raise t.AnswerError(why)


def read_answer(response: t.HttpResponse, *, cut: bool = False) -> str | t.Refused:
    """Return an answer's text from the root on, `cut` or whole, or the refusal that ASP.NET's own error proves."""
    require(cut or not response.fault, "the answer is cut")
    require(response.status in (200, 500), f"HTTP status {response.status}")
    text = _decode(response, cut=cut)
    if response.status == 200:
        return _PROLOG.sub("", text, count=1)
    if not (proof := _NEVER_RAN.search(text)):
        raise t.AnswerError("HTTP status 500")
    return t.Refused(t.Reason.MALFORMED, "500", proof[0].strip())


def read_task_id(said: Members) -> t.VendorId | None:
    """Return the id of a task, None where there is none."""
    task_id = said["taskid"]
    require(_TASK_ID.fullmatch(task_id), "the task id is not made of letters and digits")
    return task_id or None


def translate(result: Members) -> Members:
    """Put a SendResult (chapters 1.5 and 8.3) into the words of returnsms (chapter 1.3)."""
    code, task_id = result["statuscode"], result["msgid"]
    require(_STATUS_CODE.fullmatch(code), "the status code is outside the grammar")
    # "其它为失败": a status on no list is a failure, unless the same answer gives an id. Then it is garbage.
    require(not task_id or code in codes.BY_WORD, "the answer has an id, and no code of the document")
    said = {"message": result["description"], "taskid": task_id, "remainpoint": result["amount"], "code": code}
    status = "Success" if code in ("1", "OK") else "Faild"
    return Members(said, returnstatus=status, successcounts=result["successcounts"])


def _decode(response: t.HttpResponse, *, cut: bool) -> str:
    """A mark is certain; then a claim, but not of utf-16: .NET's StringWriter makes it over bytes that are UTF-8."""
    claim = _CLAIM.search((response.header("content-type") + response.body[:256].decode("latin-1")).lower())
    chinese = claim and claim[1] in ("gb2312", "gbk", "gb18030") and not response.body.startswith(codecs.BOM_UTF8)
    for charset in ("gb18030", "utf-8") if chinese else ("utf-8-sig", "gb18030"):
        try:
            return codecs.getincrementaldecoder(charset)().decode(response.body, final=not cut)
        except UnicodeDecodeError:
            continue
    raise t.AnswerError("the answer is in no charset that the vendor uses")
