"""Polls: laws of reading reports and replies, above all that no row is lost. The golden vectors stand in test_codec."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.plugin import E164, AnswerError, Batch, HttpResponse, InboundMessage, Report, ReportState, VendorId
from tocsin_ipyy.codec_evidence import decode_mo, decode_reports

VECTORS = [
    tomllib.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "vectors").glob("*.toml"))
]
GOLDEN = [
    (vector["kind"], vector["answer"]["body"].encode(vector["answer"].get("charset", "utf-8")))
    for vector in VECTORS
    if "rows" in vector["result"]
]
DECODE = {"reports": decode_reports, "mo": decode_mo}
CLOSING = {"reports": b"</statusbox>", "mo": b"</callbox>"}
STATES = {"10": ReportState.DELIVERED, "20": ReportState.FAILED, "30": ReportState.UNKNOWN}
TWO_ROWS = "".join(
    f"<statusbox><mobile>{number}</mobile><taskid>12</taskid><status>10</status></statusbox>"
    for number in ("13900000001", "13900000002")
)
SECOND = Report(vendor_id=VendorId("12"), to=E164("+8613900000002"), state=ReportState.DELIVERED)

mainland = st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True)
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from(" <&")
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
seconds = moments.map(lambda at: at.replace(microsecond=0))
reports = st.builds(
    Report,
    vendor_id=st.none() | st.from_regex(r"[0-9A-Za-z]{1,20}", fullmatch=True).map(VendorId),
    to=mainland.map(E164),
    state=st.sampled_from(list(STATES.values())),
    code=st.sampled_from(["DELIVRD", "", "2", "失败"]),
    at=st.none() | seconds,
)


def answer(body, fault=None):
    return HttpResponse(status=200, body=body if isinstance(body, bytes) else body.encode(), fault=fault)


def rendered(box, rows):
    """Write the answer to a poll, by another way than the codec reads it."""
    boxes = ("".join(f"<{name}>{escape(text)}</{name}>" for name, text in row.items()) for row in rows)
    inner = "".join(f"<{box}>{fields}</{box}>\r\n" for fields in boxes)
    return f'<?xml version="1.0" encoding="utf-8" ?>\r\n<returnsms>\r\n{inner}</returnsms>'


def report_fields(report):
    status = next(status for status, state in STATES.items() if state is report.state)
    at = in_beijing(report.at) if report.at else "0001-01-01 00:00:00"
    taskid, mobile = report.vendor_id or "", report.to.mainland
    return {"mobile": mobile, "taskid": taskid, "status": status, "receivetime": at, "errorcode": report.code}


def in_beijing(at):
    return f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"


@settings(deadline=None)
@given(rows=st.lists(reports, max_size=5).map(tuple))
def test_every_report_is_read(rows):
    """Reports come out as an independent renderer put them in, in order."""
    assert decode_reports(answer(rendered("statusbox", map(report_fields, rows)))) == Batch(rows=rows)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(mainland, texts, seconds), max_size=5), broken=st.sampled_from(["", "&#x1;", "\x0b"]))
def test_every_reply_is_read_exactly(rows, broken):
    """The text of a reply is kept to the letter, blanks and all; what no parser takes becomes one U+FFFD each."""
    fields = [{"mobile": to, "content": f"{text}!", "receivetime": in_beijing(at)} for to, text, at in rows]
    body = rendered("callbox", fields).replace("!</content>", f"{broken}</content>")
    end = "\ufffd" if broken else ""
    expected = tuple(InboundMessage(sender=E164(to), text=text + end, at=at) for to, text, at in rows)

    assert decode_mo(answer(body)) == Batch(rows=expected)


@pytest.mark.parametrize(
    ("content_type", "declaration"),
    [("text/xml; charset=GB2312", ""), ("text/xml", '<?xml version="1.0" encoding="GB2312"?>')],
)
def test_the_declared_charset_comes_first(content_type, declaration):
    """Bytes that are good GBK and good UTF-8, as this character's, are read as what the answer says it is."""
    body = f"{declaration}<returnsms><callbox><mobile>10086</mobile><content>模</content></callbox></returnsms>"
    response = HttpResponse(status=200, headers=(("content-type", content_type),), body=body.encode("gbk"))

    assert [row.text for row in decode_mo(response).rows] == ["模"]


@pytest.mark.parametrize(("kind", "body"), GOLDEN)
def test_a_cut_poll_keeps_its_whole_rows(kind, body):
    """Every prefix of a golden answer gives the first rows of the whole one, and keeps every other whole row."""
    golden = DECODE[kind](answer(body))
    for length in range(len(body)):
        try:
            batch = DECODE[kind](answer(body[:length], fault="reset-in-body"))
        except AnswerError:
            batch = Batch()
        assert batch.rows == golden.rows[: len(batch.rows)]
        assert len(batch.rows) + len(batch.unparsed) >= body[:length].count(CLOSING[kind])


@pytest.mark.parametrize("byte", ["x", "<", "&", "\0"])
def test_a_broken_row_loses_no_other(byte):
    """Wherever a byte of one row is broken, the row beside it is read, and the broken one is kept."""
    for at in range(len("<statusbox>"), TWO_ROWS.index("</statusbox>")):
        batch = decode_reports(answer(f"<returnsms>{TWO_ROWS[:at]}{byte}{TWO_ROWS[at + 1 :]}</returnsms>"))
        assert SECOND in batch.rows
        assert len(batch.rows) + len(batch.unparsed) == 2


def test_a_row_without_its_end_loses_no_other():
    """Where the end of a row is broken, the row after it is read, and the broken one is kept."""
    batch = decode_reports(answer(f"<returnsms>{TWO_ROWS.replace('</statusbox>', '</statusbax>', 1)}</returnsms>"))

    assert batch.rows == (SECOND,)
    assert ["13900000001" in piece for piece in batch.unparsed] == [True]


@pytest.mark.parametrize(("rows", "more"), [(3999, False), (4000, True)])
def test_a_full_page_asks_for_more(rows, more):
    """As many rows as were asked for say that there may be more, whether they could be read or not."""
    assert decode_reports(answer(f"<returnsms>{'<statusbox/>' * rows}</returnsms>")).more is more


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body/></html>",
        "<returnsms",
        "<returnsms><errorstatus><error>1</err",
        "<returnsms><errorstatus><error>one</error></errorstatus></returnsms>",
        "<returnsms><errorstatus><error>9999</error></errorstatus></returnsms>",
        "<!DOCTYPE returnsms><returnsms><statusbox></statusbox></returnsms>",
        '<!DOCTYPE r [<!ENTITY a "1">]><returnsms><statusbox><mobile>&a;</mobile></statusbox></returnsms>',
    ],
)
def test_what_is_no_poll_is_an_error(body):
    """Without even the beginning of a row, or with a DTD, the poll has failed."""
    with pytest.raises(AnswerError):
        decode_reports(answer(body))


def test_a_row_of_another_kind_is_kept():
    """A reply among the reports is handed on unread."""
    piece = "<callbox><mobile>13900000000</mobile><status>10</status></callbox>"

    assert decode_reports(answer(f"<returnsms>{piece}</returnsms>")) == Batch(unparsed=(piece,))


@pytest.mark.parametrize("field", [{"mobile": "abc"}, {"mobile": ""}, {"receivetime": "soon"}, {"taskid": "任务"}])
def test_a_row_outside_the_grammar_is_kept(field):
    """A number, a time or an id that is none leaves the row unread."""
    row = {"mobile": "13900000000", "status": "10", **field}
    batch = decode_reports(answer(rendered("statusbox", [row])))

    assert (batch.rows, len(batch.unparsed)) == ((), 1)


def test_a_reply_without_a_text_is_kept():
    """A reply that lacks its text is left unread; one whose text is empty is read."""
    batch = decode_mo(answer(rendered("callbox", [{"mobile": "13900000000"}, {"mobile": "10086", "content": ""}])))

    assert ([row.text for row in batch.rows], len(batch.unparsed)) == ([""], 1)
