"""From a notice to messages, over a store that really decides within its transaction."""

import logging
from datetime import timedelta

import attrs
import pytest

from tocsin.alerting.addressing import Asked
from tocsin.alerting.front import Alerts
from tocsin.errors import InvalidInput, NoRoute, NotFound
from tocsin.model.alert import AlertStatus, Notice
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.model.segments import ALIKE
from tocsin.model.source import Repeats, Resolved
from tocsin.model.template import Template
from tocsin.outbox.alert import Decided, Standing
from tocsin.plugin import hookimpl
from tocsin.policy.route import Match, Route
from tocsin.registry import Registry

FIRING, RESOLVED, EVENT = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.EVENT
FIRED = "FIRING DiskFull db1: Disk /var 97% full"
OVER = "RESOLVED DiskFull db1: Disk /var 97% full"


def test_a_transition_is_told_once(watch, alert):
    """It fires, its copy comes, it is resolved, that copy comes, and a peer says late that it fires."""
    at_work = watch()
    over = alert(status=RESOLVED)

    assert at_work.take(alert()) == [FIRED]
    assert at_work.take(alert()) == []
    at_work.wait(minutes=1)
    assert at_work.take(over) == [OVER]
    assert at_work.take(over) == []
    at_work.wait(seconds=4)
    assert at_work.take(alert()) == []
    assert [text for _, _, text in at_work.queued()] == [FIRED, OVER]


def test_two_peers_at_one_instant(watch, alert):
    """Two peers' copies in one transaction, some milliseconds apart by their clocks, make one message."""
    at_work = watch()
    skewed = alert(starts_at=alert().starts_at + timedelta(milliseconds=3))
    taken = at_work.outbox.take_in([at_work.intake(alert()), at_work.intake(skewed)], at_work.now)

    assert [len(one.messages) for one in taken] == [1, 0]


def test_a_repeat(watch, alert):
    """What fires still is told again after the window, or not, by the source's policy."""
    for policy, times in ((Repeats.SEND, 2), (Repeats.DROP, 1)):
        at_work = watch(repeats=policy)
        at_work.take(alert())
        at_work.wait(minutes=11)
        at_work.take(alert())
        assert len(at_work.queued()) == times


def test_a_superset_tells_the_new_alone(watch, alert):
    """A group that grew is told by what is new in it."""
    at_work = watch()
    at_work.take(alert())

    assert at_work.take(alert(), alert("b", name="DiskFull db2")) == ["FIRING DiskFull db2: Disk /var 97% full"]


def test_one_message_for_each_audience(watch, alert):
    """Alerts of one notice are told by class and recipients, each audience in one message."""
    at_work = watch(classes={"critical": MessageClass.CRITICAL})
    at_work.take(
        alert("a", name="A", summary=""),
        alert("b", name="B", summary="", labels={"severity": "critical"}),
        alert("c", name="C", summary="", labels={"sms_to": "dba"}),
        alert("d", name="D", summary=""),
    )

    assert [(message.cls.value, len(message.to), message.text) for message in at_work.messages()] == [
        ("alert", 2, "FIRING A\nFIRING D"),
        ("critical", 2, "FIRING B"),
        ("alert", 1, "FIRING C"),
    ]


def test_one_receiver_may_tell_several(watch, alert):
    """The same alert of the same receiver, posted to two addresses, is told to both, once each."""
    at_work = watch()
    for _ in range(2):
        at_work.take(alert(), asked=Asked(groups=("oncall",)))
        at_work.take(alert(), asked=Asked(groups=("dba",)))

    assert [to for to, _, _ in at_work.queued()] == [["00", "01"], ["02"]]


def test_resolved_by_policy(watch, alert):
    """An end is told always, of what was told, or never."""
    over = alert(status=RESOLVED)
    rows = ((Resolved.ALWAYS, [OVER], [OVER]), (Resolved.TOLD, [], [OVER]), (Resolved.NEVER, [], []))
    for policy, unknown, known in rows:
        assert watch(resolved=policy).take(over) == unknown
        at_work = watch(resolved=policy)
        at_work.take(alert())
        assert at_work.take(over) == known


def test_no_page_about_yesterday(watch, alert):
    """What ended yesterday is not told, and firing after it is."""
    at_work = watch()
    at_work.take(alert())
    at_work.wait(days=1)

    assert at_work.take(alert(status=RESOLVED)) == []
    assert at_work.take(alert(starts_at=at_work.now)) == [FIRED]


def test_tags_and_source_let_a_route_match(watch, alert):
    """What all alerts share is the message's tags, beside the receiver."""
    at_work = watch()
    at_work.take(
        alert("a", labels={"team": "db", "host": "1", "alertname": "X"}),
        alert("b", labels={"team": "db", "host": "2", "alertname": "X", "odd\n": "x"}),
        receiver="ops",
    )
    (message,) = at_work.messages()

    assert message.tags == {"team": "db", "alertname": "X", "receiver": "ops"}
    assert message.source == "stack"


def test_a_text_takes_no_more_segments_than_it_may(watch, alert):
    """The signature of the account counts; the summary goes before the name does."""
    at_work = watch(signature="【Example】")
    (text,) = at_work.take(alert(summary="x" * 500))

    assert text.startswith("FIRING DiskFull db1: xxx")
    assert text.endswith("...")
    assert ALIKE.count(f"{text}【Example】") == 1
    assert len(f"{text}【Example】") == 70


def test_what_the_stack_left_out_is_counted(watch, alert):
    """Alerts that the stack truncated are counted in the text."""
    assert watch().take(alert(), truncated=3) == [f"{FIRED} +3 more"]


def test_a_template(watch, alert, caplog):
    """An operator's text is used, in plain letters; where it does not fit an alert, ours is, and an alarm is raised."""
    at_work = watch(template=Template("**{{ labels.team }}**: {{ name }}{% if status == 'resolved' %} over{% endif %}"))

    assert at_work.take(alert(labels={"team": "db"})) == ["db: DiskFull db1"]
    assert at_work.take(alert("b", labels={"team": "db"}, status=RESOLVED)) == ["db: DiskFull db1 over"]
    with caplog.at_level(logging.WARNING, "tocsin"):
        assert at_work.take(alert("c")) == [FIRED]
    assert "template-failed" in caplog.text


def test_no_route_for_one_recipient(watch, alert, caplog):
    """A recipient whom no route leads to is left out with an alarm; the others are told."""
    mainland = Route(name="cn", match=Match(prefixes=("+86",)), accounts=(AccountId("one"),))
    at_work = watch(routes=(mainland,))
    asked = Asked(to=(E164("+447700900123"), E164("+8613900000000")))

    with caplog.at_level(logging.ERROR, "tocsin"):
        at_work.take(alert(), asked=asked)
    assert [to for to, _, _ in at_work.queued()] == [["00"]]
    assert "no-route" in caplog.text
    assert "447700900123" not in caplog.text


def test_no_route_for_one_audience(watch, alert):
    """An audience without a route costs the others nothing; what is not told is not known either."""
    critical = Route(name="c", match=Match(classes=(MessageClass.CRITICAL,)), accounts=(AccountId("one"),))
    at_work = watch(routes=(critical,), classes={"critical": MessageClass.CRITICAL})
    urgent = alert("b", name="B", summary="", labels={"severity": "critical"})

    assert at_work.take(alert(), urgent) == ["FIRING B"]
    with pytest.raises(NoRoute):
        at_work.take(alert())


def test_a_plugin_that_refuses(watch, alert):
    """A middleware's error refuses the notice, and nothing is known of its alerts."""

    class Refuses:
        broken = True

        @hookimpl
        def rewrite_message(self, message):
            return 1 / 0 if self.broken else None

    plugin = Refuses()
    at_work = watch(middleware=(plugin,))
    with pytest.raises(InvalidInput, match="rewrite_message raised ZeroDivisionError"):
        at_work.take(alert())
    plugin.broken = False

    assert at_work.take(alert()) == [FIRED]


def test_strange_names_are_kept(watch, alert):
    """However long or odd a fingerprint or a receiver is, the alert is told once."""
    at_work = watch()
    odd = alert("f" * 10_000, labels={"half": "\ud800"}, name="half \ud800")

    assert at_work.take(odd, receiver="\ud83d" * 300) == ["FIRING half ?: Disk /var 97% full"]
    assert at_work.take(odd, receiver="\ud83d" * 300) == []


def test_an_event_is_told_once(watch, alert):
    """An event is told by what it is, without a status, once for all."""
    at_work = watch()
    note = alert(status=EVENT, name="ACK db1", summary="by ann")

    assert at_work.take(note) == ["ACK db1: by ann"]
    at_work.wait(hours=2)
    assert at_work.take(note) == []


def test_a_storm_of_ten_thousand_in_one_notice(watch, alert):
    """However many alerts a notice has, it is one message of one segment that counts them all."""
    alerts = [alert(str(number), name=f"A{number}") for number in range(10_000)]
    (text,) = watch().take(*alerts)

    assert text.startswith("FIRING 10000: A0, A1, ")
    listed = text.split(": ")[1].rsplit(" +", 1)
    assert listed[0].count(",") + 1 + int(listed[1].removesuffix(" more")) == 10_000
    assert len(text) <= 160


def test_known_is_what_was_told(watch, alert):
    """The record of an alert names the message that told of it."""
    at_work = watch()
    intake = at_work.intake(alert())
    decided = intake.decide(Standing(), at_work.now)
    (record,), (acceptance,) = decided.alerts, decided.acceptances

    assert (record.message, record.told_at) == (acceptance.message.id, at_work.now)
    assert intake.decide(Standing(alerts={record.key: record}), at_work.now) == Decided()


def test_a_name_that_nobody_knows_is_an_alarm(watch, alert, caplog):
    """A label that names what is not there is an alarm that repeats nothing of it, and the source's own are told."""
    with caplog.at_level(logging.WARNING, "tocsin"):
        texts = watch().take(alert(labels={"sms_to": "typo"}))

    assert texts == [FIRED]
    assert "reason=recipient-unknown" in caplog.text
    assert "typo" not in caplog.text


def test_an_account_whose_plugin_fails(watch, alert):
    """An account that cannot say how it counts costs nobody a message; a text is as short as any vendor's."""
    at_work = watch()
    broken = attrs.evolve(at_work.desk.fleet, registry=Registry(vendors={}, middleware=(), unavailable=()))
    at_work.desk = attrs.evolve(at_work.desk, fleet=broken)

    assert at_work.take(alert(summary="x" * 500))[0].endswith("...")


def test_the_front_knows_its_sources(watch, alert):
    """Who hands a notice in names the source; one that is not there is said so, and classes can be refused first."""
    at_work = watch()
    front = Alerts(sources={"stack": at_work.source}, desk=at_work.desk)
    notice = Notice(alerts=(alert(),))
    seen = []

    assert front.groups is at_work.groups
    assert front.intake_of("stack", notice, allow=seen.append).alerts[0].fingerprint == "a"
    assert seen == [frozenset({MessageClass.ALERT})]
    with pytest.raises(NotFound):
        front.intake_of("nowhere", notice)
