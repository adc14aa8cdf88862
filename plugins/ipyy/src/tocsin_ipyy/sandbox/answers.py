"""How ipyy writes: XML in two charsets, and JSON. Pure; used by the sandbox's pages and its pushes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import attrs

from tocsin.sandbox import Terms
from tocsin.sandbox.aspnet import escape
from tocsin.sandbox.carrier import DeliveryReport, PhoneReply
from tocsin.sandbox.codepage import encode
from tocsin.sandbox.http import Answer
from tocsin_ipyy.sandbox.codes import OK, RESULTS, json_remark, message, query_error

BEIJING = timezone(timedelta(hours=8))

Fields = Mapping[str, str]


def write_xml(fields: Fields, charset: str = "utf-8") -> Answer:
    """Write one flat `returnsms`: 1.3, 3.3, 7.3."""
    return _returnsms(_elements(fields), charset)


def write_gbk(fields: Fields) -> Answer:
    """Write what smsGBK.aspx answers."""
    return write_xml(fields, "gb2312")


def write_json(value: object) -> Answer:
    """Write JSON: 1.4, 1.5, 3.4, 4.5, 5.5. No content type is documented; this is what ASP.NET gives a silent page."""
    return Answer(body=json.dumps(value, ensure_ascii=False).encode(), content_type="text/html; charset=utf-8")


def send_answer(status: str, text: str, left: str = "0", task: str = "", count: str = "0") -> Fields:
    """Return the fields of 1.3 and 1.4."""
    return {"returnstatus": status, "message": text, "remainpoint": left, "taskID": task, "successCounts": count}


def overage_answer(status: str, text: str, paid: str = "", left: str = "0", total: str = "0") -> Fields:
    """Return the fields of 3.3 and 3.4."""
    return {"returnstatus": status, "message": text, "payinfo": paid, "overage": left, "sendTotal": total}


def encrypted_answer(code: str, task: str = "", left: Decimal = Decimal(0), count: int = 0) -> Answer:
    """Write the JSON of 1.5, whose numbers are numbers; a code that is none becomes 0."""
    return write_json(
        {
            "StatusCode": int(code) if code.isdecimal() else 0,
            "Description": message(code),
            "MsgId": task,
            "Amount": int(left) if left == left.to_integral_value() else float(left),
            "SuccessCounts": count,
            "Errors": [],
        }
    )


def send_result(code: str, **counts: str) -> str:
    """Return the elements of SendResult, 8.3; StatusCode is a name of chapter 9."""
    name, description = RESULTS.get(code, (code, code))
    nothing = {"MsgId": "", "Amount": "0", "SuccessCounts": "0", "BillingCount": "0"}
    fields = {"StatusCode": name, "Description": description, **nothing, **counts, "Errors": ""}
    return "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())


def report_rows(reports: Iterable[DeliveryReport]) -> list[Fields]:
    """Return the fields of each `statusbox`, 4.3."""
    return [
        {
            "mobile": report.number,
            "taskid": report.vendor_id,
            "status": "10" if report.delivered else "20",
            "receivetime": stamp(report.at),
            "errorcode": "DELIVRD" if report.delivered else "2",
        }
        for report in reports
    ]


def reply_rows(replies: Iterable[PhoneReply]) -> list[Fields]:
    """Return the fields of each `callbox`, 5.3."""
    return [
        {
            "mobile": reply.number,
            "taskid": reply.vendor_id,
            "content": reply.text,
            "receivetime": stamp(reply.at),
            "extno": reply.extension,
        }
        for reply in replies
    ]


def boxes_xml(kind: str, rows: Iterable[Fields]) -> Answer:
    """Write rows as boxes: 4.3, 5.3, 6.2, 6.3."""
    return _returnsms("".join(f"<{kind}>\r\n{_elements(row)}</{kind}>\r\n" for row in rows))


def boxes_json(kind: str, rows: Iterable[Fields]) -> Answer:
    """Write rows as JSON, where a report has no status: 4.5, 5.5."""
    return _json_box(OK, kind, [{name: value for name, value in row.items() if name != "status"} for row in rows])


def error_xml(code: str, _: str) -> Answer:
    """Refuse a query: 4.4, 5.4."""
    number, remark = query_error(code)
    return boxes_xml("errorstatus", [{"error": number, "remark": remark}])


def error_json(code: str, kind: str) -> Answer:
    """Refuse a query in JSON: 4.5, 5.5."""
    return _json_box(code, kind, [])


def stamp(at: datetime) -> str:
    """Write a time as the vendor does: 2011-12-02 22:12:11, in Beijing."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _json_box(code: str, kind: str, rows: list[Fields]) -> Answer:
    return write_json({"error": code, "remark": json_remark(code), kind: rows})


def _elements(fields: Fields) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>\r\n" for name, value in fields.items())


def _returnsms(inner: str, charset: str = "utf-8") -> Answer:
    document = f'<?xml version="1.0" encoding="{charset}" ?>\r\n<returnsms>\r\n{inner}</returnsms>'
    return Answer(body=encode(document, charset), content_type=f"text/xml; charset={charset}")


@attrs.frozen
class Dialect:
    """How one page says what others say in another way.

    Args:
        write: renders flat fields.
        boxes: renders rows under the name of their box.
        refuse_query: renders the code for which there are no rows.
        found: the word for a balance that was found; 3.3 has it misspelt.
        paid: the words for postpaid and prepaid.
        charset: of forms.
    """

    write: Callable[[Fields], Answer] = write_xml
    boxes: Callable[[str, Iterable[Fields]], Answer] = boxes_xml
    refuse_query: Callable[[str, str], Answer] = error_xml
    found: str = "Sucess"
    paid: tuple[str, str] = ("后付费", "预付费")
    charset: str = "utf-8"


XML = Dialect()
GBK = Dialect(write_gbk, charset="gb2312")
JSON = Dialect(write_json, boxes_json, error_json, found="Success", paid=("后付", "预付"))


@attrs.frozen
class Page:
    """A page by the document's name, how it writes, and the purse that it charges and shows."""

    name: str
    dialect: Dialect
    purse: Callable[[Terms], Decimal] = lambda terms: terms.balance
