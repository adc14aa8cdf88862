"""How winnerlook pushes: 本接口也支持主动推送. Neither content type nor retries nor the field of replies are stated.

Reports are `account=XXX&GetReport=YYY`, which the document shows unencoded; of replies it says
推送的内容格式和本方法的返回值相同.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from tocsin.sandbox import Post, Push
from tocsin.sandbox.carrier import DeliveryReport, PhoneReply
from tocsin.sandbox.push import Pushing
from tocsin_winnerlook.sandbox.rows import join_replies, join_reports, reply_rows, report_rows

USER_CODE = "demo"

_FORM_TYPE = "application/x-www-form-urlencoded"


def _raw(field: str, value: str) -> Push:
    return Push(body=f"account={USER_CODE}&{field}={value}".encode(), content_type=_FORM_TYPE)


def _encoded(field: str, value: str) -> Push:
    return Push(body=urlencode({"account": USER_CODE, field: value}).encode(), content_type=_FORM_TYPE)


def _bare(_: str, value: str) -> Push:
    return Push(body=value.encode(), content_type="text/plain; charset=utf-8")


_REPORT_FORMS = {"raw": _raw, "encoded": _encoded}
_REPLY_FORMS = {"bare": _bare, "raw": _raw, "encoded": _encoded}


def _push_reports(form: str, reports: tuple[DeliveryReport, ...]) -> Push:
    return _REPORT_FORMS[form]("GetReport", join_reports(report_rows(reports)))


def _push_replies(form: str, replies: tuple[PhoneReply, ...]) -> Push:
    return _REPLY_FORMS[form]("GetMo", join_replies(reply_rows(replies)))


def _is_received(_: Post) -> bool:
    return True


PUSHING = Pushing(
    reports={form: partial(_push_reports, form) for form in _REPORT_FORMS},
    replies={form: partial(_push_replies, form) for form in _REPLY_FORMS},
    is_received=_is_received,
    tries=1,
)
