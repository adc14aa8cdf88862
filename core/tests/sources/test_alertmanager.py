"""What Alertmanager posts, in its shape, and what is made of it."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.alert import AlertRequest, AlertStatus, NotAlerts, Notice
from tocsin.registry import build_registry

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
YEAR_ONE = "0001-01-01T00:00:00Z"
PLUGIN = build_registry().sources["alertmanager"]
SETTINGS = PLUGIN.kind.settings()


def one(labels=None, **changes):
    """An alert as Alertmanager writes it."""
    return {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "host": "db1"} if labels is None else labels,
        "annotations": {"summary": "Disk /var 97% full"},
        "startsAt": "2026-11-21T21:50:00.383252558Z",
        "endsAt": YEAR_ONE,
        "generatorURL": "",
        "fingerprint": "c5d7f2d2267bbd70",
    } | changes


def post(*alerts, **changes):
    """A notification as Alertmanager writes it."""
    document = {
        "receiver": "ops",
        "status": "firing",
        "alerts": list(alerts or (one(),)),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://am1.example:9093",
        "version": "4",
        "groupKey": '{}/{t="x"}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
    } | changes
    return json.dumps(document, ensure_ascii=False).encode()


def read(body, settings=SETTINGS):
    return PLUGIN.read_alerts(settings, AlertRequest(headers=(), query=(), body=body), NOW)


def test_an_alert():
    """Name, place, summary, labels, times and status are read; a firing one has no end."""
    (alert,) = read(post()).alerts

    assert (alert.fingerprint, alert.status, alert.name, alert.summary, alert.level) == (
        "c5d7f2d2267bbd70",
        AlertStatus.FIRING,
        "DiskFull db1",
        "Disk /var 97% full",
        "",
    )
    assert alert.starts_at == datetime(2026, 11, 21, 21, 50, 0, 383252, UTC)
    assert alert.ends_at is None
    assert alert.labels == {"alertname": "DiskFull", "host": "db1"}
    assert alert.annotations == {"summary": "Disk /var 97% full"}


def test_a_notification():
    """Its receiver is unquoted, what was truncated is counted, the order is kept."""
    notice = read(
        post(one(), one(fingerprint="b", status="resolved"), receiver=r"max\.alerts\+2\\x", truncatedAlerts=3)
    )

    assert (notice.receiver, notice.truncated, notice.repeated) == (r"max.alerts+2\x", 3, False)
    assert [alert.fingerprint for alert in notice.alerts] == ["c5d7f2d2267bbd70", "b"]


@pytest.mark.parametrize(
    ("reason", "repeated"), [("repeat interval elapsed", True), ("new alerts added", False), (None, False)]
)
def test_its_reason(reason, repeated):
    """A repeat that says so is one."""
    assert read(post(notification_reason=reason)).repeated is repeated


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T20:00:00+02:00", datetime(2026, 11, 21, 18, tzinfo=UTC)),
        ("2026-11-21T18:00:00.123456789Z", datetime(2026, 11, 21, 18, 0, 0, 123456, UTC)),
        ("2026-11-21T18:00:00Z", datetime(2026, 11, 21, 18, tzinfo=UTC)),
        ("2026-11-21T18:00:00", datetime(2026, 11, 21, 18, tzinfo=UTC)),
        (YEAR_ONE, None),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-05:00", None),
        ("", None),
        ("yesterday", None),
        (None, None),
        (7, None),
    ],
)
def test_times(text, moment):
    """Any offset and any fraction is read; the year 1 and what is no time are none."""
    (alert,) = read(post(one(status="resolved", startsAt=text, endsAt=text))).alerts

    assert (alert.starts_at, alert.ends_at) == (moment, moment)


def test_a_name_from_what_there_is():
    """The place is the first label of the list; without a name, the labels are it."""
    assert read(post(one({"alertname": "X", "job": "j", "instance": "db1:9100"}))).alerts[0].name == "X db1:9100"
    assert read(post(one({"b": "2", "a": "1"}))).alerts[0].name == "a=1 b=2"
    chosen = PLUGIN.kind.settings(where=("zone",), summary=("text",))
    (alert,) = read(
        post(one({"alertname": "X", "zone": "z"}, annotations={"text": "t", "summary": "s"})), chosen
    ).alerts
    assert (alert.name, alert.summary) == ("X z", "t")


def test_no_fingerprint():
    """An alert without one is named by its labels."""
    bare, same = (read(post(one(fingerprint=none))).alerts[0].fingerprint for none in (None, ""))
    other = read(post(one({"alertname": "Y"}, fingerprint=None))).alerts[0].fingerprint

    assert bare == same != other
    assert len(bare) == 16


def test_one_fingerprint_twice():
    """Of two alerts by one name, the last counts."""
    notice = read(post(one(), one(status="resolved")))

    assert [alert.status for alert in notice.alerts] == [AlertStatus.RESOLVED]


def test_unknown_fields_and_versions_are_read():
    """Grafana's additions, a later version, labels that are no texts: all of it is read as well as it goes."""
    odd = one({"alertname": "X", "n": 7, "b": True, "none": None}, values={"B": 44.2})
    document = json.loads(post(version="1", orgId=1, message="**Firing**", truncatedAlerts=None))
    odd["labels"]["half"] = "\ud800"
    notice = read(json.dumps(document | {"alerts": [odd]}).encode())

    assert notice.alerts[0].labels == {"alertname": "X", "n": "7", "b": "true", "none": "", "half": "?"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "expected the JSON that Alertmanager posts, in UTF-8"),
        (b"\xff\xfe\x00", "expected the JSON that Alertmanager posts, in UTF-8"),
        (b"[" * 100_000, "expected the JSON that Alertmanager posts, in UTF-8"),
        (b"9" * 10_000, "expected the JSON that Alertmanager posts, in UTF-8"),
        (b"[]", "expected the JSON that Alertmanager posts, in UTF-8"),
        (b"{}", "alerts: expected a list of at least one alert"),
        (post(alerts=[]), "alerts: expected a list of at least one alert"),
        (post(alerts={}), "alerts: expected a list of at least one alert"),
        (post(one(), 7), "alerts[1]: expected an object"),
        (post(one(status="odd")), "alerts[0].status: expected firing or resolved"),
        (post(one(status=["firing"])), "alerts[0].status: expected firing or resolved"),
        (post(one(["x"])), "alerts[0].labels: expected an object of texts"),
    ],
    ids=range(12),
)
def test_what_is_no_notification(body, why):
    """What is of another shape is refused in a sentence that says where."""
    assert read(body) == NotAlerts(why=why)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("receiver", "alerts", "truncatedAlerts", "notification_reason")
ALERT_KEYS = ("status", "labels", "annotations", "startsAt", "endsAt", "fingerprint")


@given(st.dictionaries(st.sampled_from(KEYS), json_values), st.dictionaries(st.sampled_from(ALERT_KEYS), json_values))
def test_anything_is_a_notice_or_a_sentence(changes, of_alert):
    """Whatever stands in its fields, it is read or refused, and what is read can be written as UTF-8."""
    document = json.loads(post(one())) | {"alerts": [one() | of_alert]} | changes
    found = read(json.dumps(document).encode())

    assert isinstance(found, Notice | NotAlerts)
    if isinstance(found, Notice):
        assert found.alerts
        repr([(one.name, one.summary, dict(one.labels)) for one in found.alerts]).encode()
        "".join((found.receiver, *(one.fingerprint + one.name for one in found.alerts))).encode()


def test_sixteen_mebibytes_are_read_fast():
    """The biggest body that is taken is read within a fraction of the callers' patience."""
    alert = one()
    count = 16 * 1024 * 1024 // (len(json.dumps(alert)) + 12)
    body = post(*(one({"alertname": "A", "host": str(n)}, fingerprint=f"{n:016x}") for n in range(count)))
    began = time.process_time()
    notice = read(body)
    spent_s = time.process_time() - began
    print(f"\n{len(body):,} bytes, {count:,} alerts: {spent_s:.2f} s")

    assert len(notice.alerts) == count
    assert spent_s < 5
