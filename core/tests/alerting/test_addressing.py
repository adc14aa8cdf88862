"""Who is told, and by what class."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.alerting.addressing import NOTHING_ASKED, Asked, Audience, address, read_query
from tocsin.errors import InvalidInput
from tocsin.model.alert import Alert, AlertStatus, Notice
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.model.source import Source

ONE, TWO, THREE = E164("+8613900000000"), E164("+8613900000001"), E164("+8613900000002")
GROUPS = {"oncall": (ONE, TWO), "dba": (THREE,), "everybody": (ONE, TWO, THREE)}
SOURCE = Source(
    name="stack",
    kind="stack",
    groups=("oncall",),
    receivers={"max.alerts+2": ("dba",)},
    classes={"critical": MessageClass.CRITICAL, "info": MessageClass.NOTICE},
)


def alert(fingerprint="a", annotations=(), **labels):
    return Alert(
        fingerprint=fingerprint, status=AlertStatus.FIRING, name="X", labels=labels, annotations=dict(annotations)
    )


def told(*alerts, asked=NOTHING_ASKED, source=SOURCE, receiver=""):
    """Who is told of what: fingerprints by class and recipients."""
    found = address(Notice(alerts=alerts, receiver=receiver), source, asked, GROUPS)
    return {(who.cls.value, who.to): "".join(one.fingerprint for one in of) for who, of in found.audiences.items()}


def test_the_source_s_own_groups():
    """Where nothing else says, the source's groups are told, by its class."""
    assert told(alert()) == {("alert", (ONE, TWO)): "a"}


def test_the_receiver_goes_before_the_groups():
    """The receiver that the stack chose leads to its own groups."""
    assert told(alert(), receiver="max.alerts+2") == {("alert", (THREE,)): "a"}
    assert told(alert(), receiver="other") == {("alert", (ONE, TWO)): "a"}


def test_the_label_goes_before_the_receiver():
    """An alert's own label, or annotation, names groups or numbers; nobody is told twice."""
    assert told(alert(sms_to="dba, 13900000000;+8613900000000"), receiver="max.alerts+2") == {
        ("alert", (THREE, ONE)): "a"
    }
    assert told(alert(annotations={"sms_to": "dba"})) == {("alert", (THREE,)): "a"}
    assert told(alert(sms_to="  ")) == {("alert", (ONE, TWO)): "a"}


def test_the_request_goes_before_the_label():
    """What is asked for holds for all alerts, whatever they say."""
    asked = Asked(groups=("dba",), to=(ONE,), cls=MessageClass.CRITICAL)

    assert told(alert(sms_to="oncall", severity="info"), asked=asked) == {("critical", (THREE, ONE)): "a"}
    assert told(alert(sms_to="dba", severity="info"), asked=Asked(cls=MessageClass.BULK)) == {("bulk", (THREE,)): "a"}


def test_alerts_of_one_audience_go_together():
    """Alerts are told by class and recipients."""
    alerts = (alert("a"), alert("b", severity="critical"), alert("c", sms_to="dba"), alert("d", severity="warning"))

    assert told(*alerts) == {
        ("alert", (ONE, TWO)): "ad",
        ("critical", (ONE, TWO)): "b",
        ("alert", (THREE,)): "c",
    }


def test_a_name_that_nobody_knows_costs_nobody_a_message():
    """Where a label names what is not there, the source's own are told beside those that are."""
    notice = Notice(alerts=(alert(sms_to="dba nobody 123"), alert("b")))
    found = address(notice, SOURCE, NOTHING_ASKED, GROUPS)

    assert [who.to for who in found.audiences] == [(THREE, ONE, TWO), (ONE, TWO)]
    assert (found.unknown, found.nobody) == (2, 0)


def test_an_alert_for_nobody_costs_the_others_nothing():
    """Where one alert has nobody, the others have theirs, and it is counted."""
    bare = attrs.evolve(SOURCE, groups=())
    found = address(Notice(alerts=(alert(), alert("b", sms_to="dba"))), bare, NOTHING_ASKED, GROUPS)

    assert list(found.audiences) == [Audience(cls=MessageClass.ALERT, to=(THREE,))]
    assert found.nobody == 1


def test_nobody_at_all():
    """Where nobody is told of anything, the error says what would help."""
    with pytest.raises(InvalidInput, match=r"\?group=.*label sms_to.*\[sources\.stack\]"):
        told(alert(), source=attrs.evolve(SOURCE, groups=()))
    with pytest.raises(InvalidInput, match="nobody is told"):
        told(alert(sms_to="nobody"), source=attrs.evolve(SOURCE, groups=()))


def test_labels_may_be_left_alone():
    """With an empty name for it, no label leads anywhere."""
    assert told(alert(sms_to="dba"), source=attrs.evolve(SOURCE, to_label="")) == {("alert", (ONE, TWO)): "a"}


@pytest.mark.parametrize(
    ("query", "groups", "to", "cls"),
    [
        ((), (), (), None),
        ((("group", "oncall"),), ("oncall",), (), None),
        ((("group", "oncall"), ("group", "dba,oncall")), ("oncall", "dba"), (), None),
        ((("to", "oncall,13900000000"),), ("oncall",), (ONE,), None),
        ((("to", "+8613900000000"), ("to", "13900000001")), (), (ONE, TWO), None),
        ((("to", " 8613900000000, 8613900000001"),), (), (ONE, TWO), None),
        ((("to", " 447700900123"),), (), (E164("+447700900123"),), None),
        ((("to", "dba oncall"),), ("dba", "oncall"), (), None),
        ((("class", "critical"), ("token", "x")), (), (), MessageClass.CRITICAL),
    ],
)
def test_a_query(query, groups, to, cls):
    """What a query names is read; a plus that became a blank is one again."""
    assert read_query(query, GROUPS) == Asked(groups=groups, to=to, cls=cls)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ((("group", "nobody"),), "group: expected the name of a configured group"),
        ((("to", "12345"),), "to: expected numbers or the names of groups"),
        ((("to", "13900000000, 13900000001"),), "to: expected numbers separated by commas alone"),
        ((("class", "urgent"),), "class: expected one of otp, critical"),
        ((("class", "otp"), ("class", "bulk")), "class: expected one of otp, critical"),
    ],
)
def test_a_wrong_query(query, words):
    """What is not there is said, and never repeated."""
    with pytest.raises(InvalidInput, match=words) as caught:
        read_query(query, GROUPS)
    assert not any(character.isdigit() for character in str(caught.value).replace("%2B", ""))


def test_a_group_that_is_gone():
    """What was asked for by name is not replaced by somebody else."""
    with pytest.raises(InvalidInput, match="group: expected"):
        told(alert(), asked=Asked(groups=("gone",)))


@given(st.permutations((ONE, TWO, THREE)))
def test_an_audience_s_name_does_not_depend_on_the_order(to):
    """The same people by the same class are one audience, and its name shows no number."""
    name = Audience(cls=MessageClass.ALERT, to=tuple(to)).digest

    assert name == Audience(cls=MessageClass.ALERT, to=(ONE, TWO, THREE)).digest
    assert name != Audience(cls=MessageClass.CRITICAL, to=(ONE, TWO, THREE)).digest
    assert len(name) == 16


def test_what_was_asked_has_a_name():
    """Nothing asked has none; different things have different ones."""
    names = {
        Asked().digest,
        Asked(groups=("dba",)).digest,
        Asked(to=(ONE,)).digest,
        Asked(cls=MessageClass.BULK).digest,
    }

    assert len(names) == 4
    assert "" in names
