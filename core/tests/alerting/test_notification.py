"""What Icinga 2 and Nagios 4 say of a notification becomes a notice of one alert, whatever they leave out or put in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.alerting.notification import STATUSES, from_environment, gather, pager, present, read_notice
from tocsin.errors import InvalidInput
from tocsin.model.alert import AlertStatus

NOW = datetime(2026, 11, 21, 23, 33, 30, tzinfo=UTC)
CHANGED = datetime(2026, 11, 21, 23, 33, 3, 999999, tzinfo=UTC)
HOSTILE = "/var 97% \"quoted\" $HOME `id` é磁 ; rm -rf $(touch x) \\ 'single' <b> & | *"


def icinga(**changed):
    """Return the options as an Icinga 2 gives them for a service: all of them, empty where it has nothing to say."""
    options = {
        "type": "PROBLEM",
        "host": "db1",
        "service": "disk",
        "state": "CRITICAL",
        "last_state": "OK",
        "output": "DISK CRITICAL\nline two",
        "address": "192.0.2.10",
        "contact": "alice",
        "author": "",
        "comment": "",
        "date": "2026-11-21 23:33:03 +0000",
        "state_change": "1795303983",
        "time": "1795303983",
        "id": None,
    }
    return options | changed


def nagios(kind="SERVICE", **changed):
    """Return the variables that a Nagios 4 sets for a notification, the lists of the other kind among them."""
    variables = {
        "PATH": "/usr/bin",
        "NAGIOS_HOSTNAME": "db1",
        "NAGIOS_HOSTADDRESS": "192.0.2.10",
        "NAGIOS_HOSTSTATE": "UP" if kind == "SERVICE" else "DOWN",
        "NAGIOS_LASTHOSTSTATE": "UP",
        "NAGIOS_LASTHOSTSTATECHANGE": "1795303980",
        "NAGIOS_HOSTNOTIFICATIONID": "0" if kind == "SERVICE" else "6",
        "NAGIOS_HOSTOUTPUT": "DOWN - no ping",
        "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
        "NAGIOS_LONGDATETIME": "Sat Nov 21 23:33:03 UTC 2026",
        "NAGIOS_TIMET": "1795303983",
        "NAGIOS_CONTACTNAME": "alice",
        "NAGIOS_CONTACTPAGER": "+8613900000001",
    }
    if kind == "SERVICE":
        variables |= {
            "NAGIOS_SERVICEDESC": "Disk /var",
            "NAGIOS_SERVICESTATE": "CRITICAL",
            "NAGIOS_LASTSERVICESTATE": "OK",
            "NAGIOS_LASTSERVICESTATECHANGE": "1795303983",
            "NAGIOS_SERVICEOUTPUT": f"DISK CRITICAL - {HOSTILE}",
            "NAGIOS_SERVICENOTIFICATIONID": "1",
        }
    return variables | {f"NAGIOS_{name}": value for name, value in changed.items()}


def alert_of(options=None, environ=None, **more):
    """Return the one alert of a notification."""
    (alert,) = read_notice(gather(options or {}, environ or {}), NOW, **more).alerts
    return alert


@pytest.mark.parametrize("kind", STATUSES)
def test_every_type_has_its_status(kind):
    """A problem fires, a recovery resolves, anything else is an event; in small letters, too."""
    expected = {"PROBLEM": AlertStatus.FIRING, "RECOVERY": AlertStatus.RESOLVED}.get(kind, AlertStatus.EVENT)
    assert alert_of(icinga(type=kind)).status is expected
    assert alert_of(icinga(type=kind.lower())).status is expected


def test_a_problem_of_icinga():
    """A problem is named by host and service, has the state for its level, and began with the last change of state."""
    alert = alert_of(icinga())
    assert (alert.fingerprint, alert.name) == ("db1!disk", "db1/disk")
    assert (alert.level, alert.summary) == ("CRITICAL", "DISK CRITICAL")
    assert (alert.starts_at, alert.ends_at) == (CHANGED, None)
    assert (alert.labels["contact"], alert.annotations["output"]) == ("alice", "DISK CRITICAL\nline two")
    assert not {"author", "comment"} & set(alert.annotations)


def test_a_recovery_ends_what_its_problem_began():
    """A recovery has the fingerprint of its problem, and ended with the last change of state."""
    alert = alert_of(icinga(type="RECOVERY", state="OK", state_change="1795304037"))
    assert alert.fingerprint == alert_of(icinga()).fingerprint
    assert (alert.starts_at, alert.ends_at) == (None, datetime(2026, 11, 21, 23, 33, 57, tzinfo=UTC))


def test_what_happens_within_a_second_is_in_order():
    """A whole second stands for the moment at which it is heard of: an end and a new beginning in it are in order."""
    heard = [datetime(2026, 11, 21, 23, 33, 3, part, tzinfo=UTC) for part in (1, 2)]
    assert [read_notice(gather(icinga(), {}), now).alerts[0].starts_at for now in heard] == heard
    assert alert_of(icinga(state_change="1795303983.25")).starts_at == CHANGED.replace(microsecond=250000)


def test_a_host_has_no_service():
    """A notification of a host is named by the host alone, and is another alert than that of a service."""
    alert = alert_of(icinga(service=None, state="DOWN"))
    assert (alert.fingerprint, alert.name, alert.level) == ("db1", "db1", "DOWN")


def test_instances_are_apart():
    """Hosts of equal names that two programs watch are two alerts with one name."""
    here, there = alert_of(icinga()), alert_of(icinga(), instance="shanghai")
    assert here.fingerprint != there.fingerprint
    assert here.name == there.name


@pytest.mark.parametrize(
    ("kind", "author", "comment", "summary"),
    [
        ("ACKNOWLEDGEMENT", "carol", "working on it; eta 10m", "acknowledged by carol: working on it; eta 10m"),
        ("ACKNOWLEDGEMENT", "carol", "", "acknowledged by carol: DISK CRITICAL"),
        ("CUSTOM", "", "a\nnote", "note: a note"),
        ("DOWNTIMESTART", "", "", "downtime begins: DISK CRITICAL"),
    ],
)
def test_an_event_says_who_and_why(kind, author, comment, summary):
    """An event says what it is, who caused it and why; without a comment it says the output."""
    assert alert_of(icinga(type=kind, author=author, comment=comment)).summary == summary


def test_an_event_is_named_once():
    """An event has one name in every process that tells it, and another the next time and for another type."""
    first = alert_of(icinga(type="ACKNOWLEDGEMENT", time="1795303993")).fingerprint
    assert first == alert_of(icinga(type="ACKNOWLEDGEMENT", time="1795303993", contact="bob")).fingerprint
    later = alert_of(icinga(type="ACKNOWLEDGEMENT", time="1795303994")).fingerprint
    other = alert_of(icinga(type="CUSTOM", time="1795303993")).fingerprint
    assert len({first, later, other, alert_of(icinga()).fingerprint}) == 4


def test_an_event_of_nagios_is_named_by_the_notification():
    """The notification's id names an event, whatever the time; an id of 0 is none."""
    acknowledged = nagios(NOTIFICATIONTYPE="ACKNOWLEDGEMENT", TIMET="1795303999")
    same = nagios(NOTIFICATIONTYPE="ACKNOWLEDGEMENT")
    assert alert_of({}, acknowledged).fingerprint == alert_of({}, same).fingerprint == "db1!Disk /var!ACKNOWLEDGEMENT!1"
    none = {**same, "NAGIOS_SERVICENOTIFICATIONID": "0"}
    assert alert_of({}, none).fingerprint == "db1!Disk /var!ACKNOWLEDGEMENT!1795303983!1795303983"


def test_an_event_without_a_time_is_named_by_the_present():
    """Where nothing tells two events apart, the moment does: none is dropped for another."""
    said = gather(icinga(type="CUSTOM", time=None), {})
    (one,), (two,) = (read_notice(said, now, "").alerts for now in (NOW, CHANGED))
    assert one.fingerprint != two.fingerprint


def test_a_problem_of_nagios_in_the_environment():
    """The variables of a service's notification are read, and those of its host are not taken for them."""
    alert = alert_of({}, nagios())
    assert (alert.fingerprint, alert.name) == ("db1!Disk /var", "db1/Disk /var")
    assert (alert.level, alert.starts_at) == ("CRITICAL", CHANGED)
    assert alert.summary == f"DISK CRITICAL - {HOSTILE}"
    assert pager(nagios()) == "+8613900000001"


def test_a_host_of_nagios_in_the_environment():
    """Without a service the host's own variables are read."""
    alert = alert_of({}, nagios("HOST"))
    assert (alert.fingerprint, alert.level, alert.summary) == ("db1", "DOWN", "DOWN - no ping")


def test_options_come_before_the_environment():
    """What an option says stands; where it says nothing, the environment does."""
    alert = alert_of({"state": "WARNING", "output": "", "service": "$SERVICEDESC$"}, nagios())
    assert (alert.level, alert.name) == ("WARNING", "db1/Disk /var")
    assert alert.summary.startswith("DISK CRITICAL")


@pytest.mark.parametrize("undefined", ["", "  ", "\n", "$service.name$", " $SERVICEACKAUTHOR$ ", "$$", None])
def test_an_undefined_macro_is_absent(undefined):
    """Nothing, blanks, and a macro that was left as it is, are not there."""
    assert present(undefined) is None
    assert gather({"author": undefined}, {}) == {}
    assert from_environment({"NAGIOS_NOTIFICATIONAUTHOR": undefined or ""}) == {}


@pytest.mark.parametrize("value", ["$5 left", "a $b$ c", HOSTILE, "0", "-"])
def test_a_sign_within_a_value_is_none_of_a_macro(value):
    """What only holds such a sign stays as it is."""
    assert present(value) == value


@pytest.mark.parametrize("missing", ["type", "host"])
def test_what_names_an_alert_is_needed(missing):
    """Without a type or a host there is nothing to tell; the sentence names the option and the variable."""
    with pytest.raises(InvalidInput, match=f"--{missing}: missing, and NAGIOS_"):
        alert_of(icinga(**{missing: "$macro$"}))


def test_an_unknown_type_is_refused_without_a_quotation():
    """A type that neither program has is refused; the sentence lists what is known, and not what was given."""
    with pytest.raises(InvalidInput, match="expected one of PROBLEM, RECOVERY") as refused:
        alert_of(icinga(type="+8613900000001"))
    assert "139" not in str(refused.value)


@pytest.mark.parametrize("time", ["soon", "0", "-5", "1e99", "99999999999999", "１７９５３０３９８３"])
def test_a_time_that_is_none_is_left_out(time):
    """An unreadable time costs nobody the page: the next best is taken, at last the present."""
    assert alert_of(icinga(state_change=time)).starts_at == CHANGED
    assert alert_of(icinga(state_change=time, time=time)).starts_at == NOW


def test_bytes_of_another_charset_are_shown():
    """Output that is no UTF-8 comes out as text that can be sent, with signs in place of what cannot be read."""
    summary = alert_of(icinga(output="caf\udce9 voll")).summary
    assert summary == "caf\N{REPLACEMENT CHARACTER} voll"


def test_a_change_of_level_is_a_change():
    """A warning that becomes critical has another level and the same name."""
    warning, critical = alert_of(icinga(state="WARNING")), alert_of(icinga())
    assert warning.fingerprint == critical.fingerprint
    assert warning.level != critical.level


def test_a_phone_is_told_once_of_what_two_contacts_are_told():
    """A notice has no receiver: who is told is for the caller to say, and whose contact it is makes no other alert."""
    assert read_notice(gather(icinga(), {}), NOW).receiver == ""
    assert alert_of(icinga(contact="bob")).fingerprint == alert_of(icinga(contact="alice")).fingerprint


@given(st.dictionaries(st.sampled_from(sorted(icinga())), st.text(st.characters(codec="utf-8")) | st.none()))
def test_whatever_is_said_it_is_a_notice_or_a_sentence(said):
    """No value, however odd, breaks the reading, and what can be read can be sent as UTF-8."""
    try:
        alert = alert_of(icinga(**said))
    except InvalidInput:
        return
    "\n".join((alert.fingerprint, alert.name, alert.summary, alert.level)).encode()
    assert "\n" not in alert.name + alert.summary
