"""Laws of the rows inside a value: what was written comes back, and what cannot be read is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.plugin import Batch, InboundMessage, Report, ReportState, VendorId, parse_vendor_number
from tocsin_winnerlook.codec_rows import parse_inbound, parse_reports

GOLDEN = "2114355899380234221"

# Reports

BATCHES = st.from_regex(r"[0-9]{10,20}", fullmatch=True)
NUMBERS = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
SECONDS = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
BLANKS = st.text(" \r\n\t", max_size=3)
REPORTS = st.builds(
    Report,
    vendor_id=BATCHES.map(VendorId),
    to=NUMBERS.map(parse_vendor_number),
    state=st.just(ReportState.DELIVERED),
    code=st.just("DELIVRD"),
    at=st.none() | SECONDS,
) | st.builds(
    Report,
    vendor_id=BATCHES.map(VendorId),
    to=NUMBERS.map(parse_vendor_number),
    state=st.just(ReportState.FAILED),
    code=st.from_regex(r"[A-Z:0-9]{1,9}", fullmatch=True).filter(lambda word: word != "DELIVRD"),
    at=st.none() | SECONDS,
)


def beijing(moment: datetime) -> str:
    return (moment + timedelta(hours=8)).strftime("%Y/%m/%d %H:%M:%S")


def render_report(report: Report, blank: str, comma: str) -> str:
    fields = [
        report.vendor_id,
        report.to.full.removeprefix("+86"),
        *([beijing(report.at)] if report.at else []),
        report.code,
    ]
    return comma.join(f"{blank}{field}{blank}" for field in fields)


@given(st.lists(REPORTS), BLANKS, st.sampled_from([",", ",,"]), st.booleans())
def test_reports_round_trip(reports, blank, comma, last_bar):
    """Reports come back as they were written, with blanks around fields, doubled commas and without the last bar."""
    value = "|".join(render_report(report, blank, comma) for report in reports) + ("|" if last_bar else "")

    assert parse_reports(value) == Batch(rows=tuple(reports))


@given(st.text())
def test_no_report_piece_is_lost(value):
    """Every piece of a value between bars is read or kept, whatever it holds."""
    batch = parse_reports(value)

    pieces = [piece for piece in value.split("|") if piece.strip()]
    assert len(batch.rows) + len(batch.unparsed) == len(pieces)
    assert all(piece in pieces for piece in batch.unparsed)


# Inbound messages

INBOUND = st.builds(
    InboundMessage,
    sender=NUMBERS.map(parse_vendor_number),
    text=st.text(st.sampled_from("ab促,|;1\r\n\t <&>#😀")),
    at=SECONDS,
    extension=st.from_regex(r"[0-9]{0,5}", fullmatch=True),
)


def render_inbound(message: InboundMessage) -> str:
    return "|,|".join([message.sender.full.removeprefix("+86"), message.text, beijing(message.at), message.extension])


@given(st.lists(INBOUND), st.sampled_from([("|;\r\n", "|;\r\n"), ("|;", "|;"), ("|;|", ""), ("|;| ", "|;|")]))
def test_inbound_round_trip(messages, ends):
    """Messages come back to the letter, with commas, bars and line breaks in them, however records are ended."""
    between, last = ends
    value = between.join(map(render_inbound, messages)) + (last if messages else "")

    assert parse_inbound(value) == Batch(rows=tuple(messages))


@given(st.text(st.sampled_from("139000|,;x\n/: ")))
def test_no_inbound_character_is_lost(value):
    """Every character of a value that is no separator stands in a row or in what was kept."""
    batch = parse_inbound(value)

    assert not batch.rows
    assert "".join(batch.unparsed).strip(" \n|;") == value.strip(" \n|;")


def test_last_report_of_a_cut_answer_is_not_trusted():
    """UNDELIVRD cut after its seventh letter is no row; the same row in a whole answer is one."""
    row = f"{GOLDEN},13900000000,UNDELIV"

    assert parse_reports(row).rows
    assert parse_reports(row, whole=False) == Batch(unparsed=(row,))


@pytest.mark.parametrize("time", ["2014/06/10 15:34:11", "2014/6/1 5:04:11", "0001/01/01 00:00:00"])
def test_a_row_that_ends_in_a_time_has_no_status(time):
    """Whatever cut the status off, nobody takes the time for a carrier's word of failure."""
    row = f"{GOLDEN},13900000000,{time}"

    assert parse_reports(f"{row}|") == Batch(unparsed=(row,))


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2014/06/10 15:34:11", datetime(2014, 6, 10, 7, 34, 11, tzinfo=UTC)),
        ("2014/6/1 5:04:11", datetime(2014, 5, 31, 21, 4, 11, tzinfo=UTC)),
        ("2014/12/1 0:04:01", datetime(2014, 11, 30, 16, 4, 1, tzinfo=UTC)),
        ("2014/02/30 15:34:11", None),
        ("2014/06/10 24:00:01", None),
        ("0001/01/01 00:00:00", None),
    ],
)
def test_times_are_beijings(written, at):
    """A time is read eight hours ahead of UTC, with or without leading zeros; what no clock shows is kept aside."""
    batch = parse_reports(f"{GOLDEN},13900000000,{written},DELIVRD|")

    assert [row.at for row in batch.rows] == ([at] if at else [])
    assert len(batch.unparsed) == (0 if at else 1)
