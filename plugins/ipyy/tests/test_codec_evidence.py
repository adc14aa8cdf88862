"""Polls and pushes: laws of reading reports and replies, in XML and JSON; above all that no row is lost."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tocsin_ipyy as plugin
from tocsin.plugin import (
    E164,
    Account,
    AccountId,
    AnswerError,
    Batch,
    HttpResponse,
    InboundMessage,
    PushRefused,
    PushRequest,
    Report,
    ReportState,
    Secret,
    VendorId,
    VerifiedPush,
)
from tocsin_ipyy.settings import Settings


def account(reports):
    own = Settings(user_id="12", account="demo", password=Secret("abc123"), reports=reports)
    return Account(id=AccountId("test"), vendor="ipyy", base_url="https://ipyy.example", settings=own)


def decode(kind, response, syntax="xml"):
    fetch = plugin.fetch_reports if kind == "reports" else plugin.fetch_mo
    return fetch(account(syntax)).decode(response)


def decode_reports(response, syntax="xml"):
    return decode("reports", response, syntax)


def decode_mo(response, syntax="xml"):
    return decode("mo", response, syntax)


VECTORS = [
    tomllib.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "vectors").glob("*.toml"))
]
GOLDEN = [
    (vector["kind"], vector.get("settings", {}).get("reports", "xml"), vector["answer"])
    for vector in VECTORS
    if vector["kind"] in ("reports", "mo") and "rows" in vector["result"]
]
CLOSING = {("reports", "xml"): b"</statusbox>", ("mo", "xml"): b"</callbox>"}
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
escapes = st.text(st.characters() | st.sampled_from(list('"\\{}[], <')))
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


@given(rows=st.lists(reports, max_size=5).map(tuple))
def test_every_report_is_read(rows):
    """Reports come out as an independent renderer put them in, in order."""
    assert decode_reports(answer(rendered("statusbox", map(report_fields, rows)))) == Batch(rows=rows)


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


@pytest.mark.parametrize(("kind", "syntax", "golden"), GOLDEN)
def test_a_cut_poll_keeps_its_whole_rows(kind, syntax, golden):
    """Every prefix of a golden answer gives the first rows of the whole one, and keeps every other whole row."""
    body = golden["body"].encode(golden.get("charset", "utf-8"))
    whole, closing = decode(kind, answer(body), syntax), CLOSING.get((kind, syntax), b"}")
    for length in range(len(body)):
        try:
            batch = decode(kind, answer(body[:length], fault="reset-in-body"), syntax)
        except AnswerError:
            batch = Batch()
        assert batch.rows == whole.rows[: len(batch.rows)]
        assert syntax == "json" or len(batch.rows) + len(batch.unparsed) >= body[:length].count(closing)


@given(texts=st.lists(escapes, min_size=1, max_size=4), ascii_only=st.booleans(), data=st.data())
def test_replies_in_json_are_read_exactly_or_kept(texts, ascii_only, data):
    """In JSON a reply is kept to the letter, but for what is no character; cut anywhere, no reply becomes another."""
    rows = [{"mobile": "13900000000", "content": text, "extno": ""} for text in texts]
    body = json.dumps({"error": "1", "remark": "成功", "callbox": rows}, ensure_ascii=ascii_only, separators=(",", ":"))
    raw = body.encode("utf-8", "ignore")  # halves of a pair can only be escaped
    read = decode_mo(answer(raw), "json")
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        part = decode_mo(answer(cut, fault="reset-in-body"), "json").rows
    except AnswerError:
        part = ()

    assert len(read.rows) == len(texts)
    for row, text in zip(read.rows, texts, strict=True):
        assert row.text == "".join(shown_character(one) for one in text if ascii_only or not is_half(one))
    assert part == read.rows[: len(part)]


def is_half(character):
    return "\ud800" <= character <= "\udfff"


def shown_character(character):
    gone = is_half(character) or character in "\ufffe\uffff" or (character < " " and character not in "\t\n\r")
    return "\ufffd" if gone else character


@pytest.mark.parametrize("torn", ['"content":"}', '"content":"\x01"}', '"content":1}', '"mobile":"1"}', '"content"'])
def test_a_broken_row_of_json_loses_no_other(torn):
    """Whatever is wrong with one row of JSON, the row on either side of it is read, and it is kept."""
    good = '{"mobile":"13900000001","content":"a"}'
    body = f'{{"error":"1","remark":"","callbox":[{good},{{"mobile":"13900000002",{torn},{good}]}}'
    batch = decode_mo(answer(body), "json")

    assert [row.text for row in batch.rows] in (["a", "a"], ["a"])
    assert "13900000002" in "".join(batch.unparsed)
    assert len(batch.rows) + "".join(batch.unparsed).count(good) == 2


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
    body = f'{{"error":"1","remark":"","statusbox":[{",".join(["{}"] * rows)}]}}'
    assert decode_reports(answer(body), "json").more is more


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


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        '{"error":"1","remark":""}',
        '{"error":"1","statusbox":null}',
        '{"error":1,"statusbox":[]}',
        '{"error":"1","statusbox":[',
        '{"error":"1005","statusbox":[{"mobile":"13900000000"}]}',
        '{"error":"9999","remark":"系统内部错误","statusbox":[]}',
        '{"error":"one","statusbox":[]}',
        '{"error":"1","callbox":[]}',
    ],
)
def test_what_is_no_poll_in_json_is_an_error(body):
    """Without the list that was asked for, or with a failure beside rows, the poll has failed."""
    with pytest.raises(AnswerError):
        decode_reports(answer(body), "json")


@pytest.mark.parametrize(("code", "state"), [("DELIVRD", "DELIVERED"), ("delivrd", "UNKNOWN"), ("", "UNKNOWN")])
def test_json_tells_delivery_by_one_word(code, state):
    """Rows of JSON carry no status: DELIVRD alone is delivered, and anything else unknown."""
    body = json.dumps({"error": "1", "remark": "", "statusbox": [{"mobile": "13900000000", "errorcode": code}]})
    (row,) = decode_reports(answer(body), "json").rows

    assert row.state is ReportState[state]


def test_a_nest_of_elements_is_an_error():
    """A row nested deeper than anybody can write it down again fails as an answer does."""
    body = f"<returnsms>{'<a>' * 20_000}{'</a>' * 20_000}</returnsms>"

    with pytest.raises(AnswerError):
        decode_reports(answer(body))


# Pushes


def pushed(body, **changes):
    fields = {"method": "POST", "path": "", "headers": (), "query": (), "body": body, "peer": "192.0.2.1", **changes}
    return plugin.verify_push(PushRequest(**fields))


@given(rows=st.lists(reports, min_size=1, max_size=5).map(tuple))
def test_every_pushed_report_is_read(rows):
    """A push of reports is read as a poll of them, and is answered as the document asks."""
    read = pushed(rendered("statusbox", map(report_fields, rows)).encode())

    assert isinstance(read, VerifiedPush)
    assert (read.reports, read.inbound) == (Batch(rows=rows), Batch())
    assert [(reply.status, reply.body) for reply in (read.when_stored, read.when_not_stored)] == [
        (200, b"1"),
        (200, b"error"),
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"<returnsms/>", b"<html/>", b"statusbox=1", b'{"error":"1","statusbox":[]}', b"<!DOCTYPE r><returnsms><a/>"],
)
def test_what_is_no_push_is_refused(body):
    """Without a row of XML, or with a DTD, nothing was pushed."""
    assert isinstance(pushed(body), PushRefused)
