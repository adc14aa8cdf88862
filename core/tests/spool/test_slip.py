"""What is spooled comes back as it was, and what is damaged comes back as nothing else."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.spool.slip import DamagedSlip, Slip, decode_slip, encode_slip

NOW = datetime(2026, 11, 21, 23, 33, 3, 250, tzinfo=UTC)
SLIP = Slip(
    heard_at=NOW,
    source="icinga",
    to=(E164("+8613900000001"),),
    groups=("ops",),
    cls=MessageClass.CRITICAL,
    notice=Notice(
        receiver="r",
        alerts=(
            Alert(
                fingerprint="db1!disk",
                status=AlertStatus.RESOLVED,
                name="db1/disk",
                summary='磁 "q" \\ \n',
                level="OK",
                labels={"host": "db1"},
                annotations={"output": "two\nlines"},
                ends_at=NOW,
            ),
        ),
    ),
)

texts = st.text(st.characters(codec="utf-8"))
zones = st.builds(timezone, st.builds(timedelta, hours=st.integers(-12, 14)))
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=zones)
alerts = st.builds(
    Alert,
    fingerprint=texts,
    status=st.sampled_from(AlertStatus),
    name=texts,
    summary=texts,
    level=texts,
    labels=st.dictionaries(texts, texts),
    annotations=st.dictionaries(texts, texts),
    starts_at=times | st.none(),
    ends_at=times | st.none(),
)


@given(alerts, texts, times)
def test_what_is_encoded_is_decoded(alert, receiver, heard_at):
    """Every text comes back as it was, every time as the same moment."""
    slip = Slip(heard_at=heard_at, source="nagios", notice=Notice(receiver=receiver, alerts=(alert,)))
    assert decode_slip(encode_slip(slip)) == slip
    assert decode_slip(encode_slip(SLIP)) == SLIP


@given(st.integers(0, len(encode_slip(SLIP)) - 1))
def test_a_part_of_a_file_is_no_slip(length):
    """A file that was cut off anywhere is damaged; the sentence quotes nothing of it."""
    with pytest.raises(DamagedSlip) as damaged:
        decode_slip(encode_slip(SLIP)[:length])
    assert "139" not in str(damaged.value)


@given(st.binary())
def test_what_is_none_of_ours_is_damaged(content):
    """Bytes of any kind are refused and never break the reading."""
    with pytest.raises(DamagedSlip):
        decode_slip(content)


VALUES = st.none() | st.booleans() | st.integers() | texts | st.lists(st.integers()) | st.just({"a": 1})


@given(st.sampled_from(sorted(json.loads(encode_slip(SLIP)))), VALUES)
def test_a_value_of_another_kind_is_damaged_or_read(key, value):
    """Whatever stands in the place of a value, it is read as a slip or refused; without the value it is refused."""
    document = json.loads(encode_slip(SLIP))
    with suppress(DamagedSlip):
        assert isinstance(decode_slip(json.dumps({**document, key: value}).encode()), Slip)
    del document[key]
    with pytest.raises(DamagedSlip):
        decode_slip(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", 2), ("to", ["12"]), ("to", "+8613900000001"), ("heard_at", "2026-11-21T23:33:03"), ("class", "x"),
     ("alerts", [{}]), ("groups", [1]), ("alerts", [])],
)  # fmt: skip
def test_what_could_not_be_sent_is_damaged(key, value):
    """Another version, a number that is none, a time without a zone, no alert: none of it is taken for a slip."""
    document = json.loads(encode_slip(SLIP))
    with pytest.raises(DamagedSlip):
        decode_slip(json.dumps({**document, key: value}).encode())
