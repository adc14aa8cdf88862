"""How ipyy pushes: 第六章. The whole body is the XML; the document does not state a content type."""

from __future__ import annotations

from functools import partial

from tocsin.sandbox import Post, Push
from tocsin.sandbox.carrier import DeliveryReport, PhoneReply
from tocsin.sandbox.push import Pushing
from tocsin_ipyy.sandbox.answers import boxes_xml, reply_rows, report_rows

_CONTENT_TYPES = {
    "xml": "text/xml; charset=utf-8",
    "form": "application/x-www-form-urlencoded",  # what a .NET client puts over any body unless it is told otherwise
}


def _push_reports(content_type: str, reports: tuple[DeliveryReport, ...]) -> Push:
    """6.2."""
    return Push(body=boxes_xml("statusbox", report_rows(reports)).body, content_type=content_type)


def _push_replies(content_type: str, replies: tuple[PhoneReply, ...]) -> Push:
    """6.3."""
    return Push(body=boxes_xml("callbox", reply_rows(replies)).body, content_type=content_type)


def _is_received(post: Post) -> bool:
    """`error` asks for another try; 如果客户未返回值或返回其它值，当作成功处理; a network failure does not.

    A .NET client raises for an error status as it does for a broken connection.
    """
    return post.status is not None and post.status < 400 and post.answer.strip() != b"error"


PUSHING = Pushing(
    reports={form: partial(_push_reports, content_type) for form, content_type in _CONTENT_TYPES.items()},
    replies={form: partial(_push_replies, content_type) for form, content_type in _CONTENT_TYPES.items()},
    is_received=_is_received,
    tries=3,  # 最多尝试3次
)
