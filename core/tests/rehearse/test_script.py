"""Scenarios as they are written: those that come with tocsin, and what is said of one that cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tocsin.errors import ConfigError
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.rehearse.cast import strangers
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Spread
from tocsin.rehearse.script import find_scenario, names, read_scenario

WHOLE = """
title = "everything that can be said"
duration = "2h"
settles = "10m"
begins = 2026-06-01T22:00:00+08:00

[vendors.all]
latency = { median = "300ms", p95 = "2s" }
accepts = "99%"
refusal = "throttled"
delivers = "97.5%"
phone_delay = "3s"
reports = "90%"
report_delay = "10s"

[vendors.main]
balance = "12.50"
rate = "5/s"

[[traffic]]
class = "critical"
rate = "2/m"
from = "10m"
until = "40m"
to = ["13900000001", "+8613900000002"]
recipients = 2
text = "db {n} is down"
tags = { team = "db" }
source = "alertmanager"

[[traffic]]
burst = 7
until = "0s"
group = "oncall"
length = 100

[[traffic]]
burst = 1
phones = 3
prefix = "+4917"

[[trouble]]
account = "first"
kind = "refusing"
reason = "unavailable"
from = "10m"
until = "20m"
every = "2m"
for = "30s"
share = "50%"

[[trouble]]
account = "main"
kind = "throttling"
rate = "1/10s"

[[trouble]]
account = "main"
kind = "slow_reports"
delay = "20m"

[[trouble]]
account = "main"
kind = "balance"
amount = "0.5"
"""

GROUPS = {"oncall": (E164("+8613900000009"),)}


def test_everything_that_can_be_said_is_read():
    """Each key arrives as the value that it means."""
    scenario = read_scenario("whole", WHOLE, GROUPS)

    assert (scenario.title, scenario.duration_s, scenario.end_s) == ("everything that can be said", 7200, 7800)
    assert scenario.begins == datetime(2026, 6, 1, 14, tzinfo=UTC)
    assert scenario.vendors["all"] == Behaviour(
        latency=Spread(0.3, 2.0),
        accepts=0.99,
        refusal=Reason.THROTTLED,
        delivers=0.975,
        phone_delay=Spread(3.0, 3.0),
        reports=0.9,
        report_delay=Spread(10.0, 10.0),
    )
    assert (scenario.vendors["main"].balance, scenario.vendors["main"].rate) == (Decimal("12.50"), Rhythm(5, 1))
    critical, burst, foreign = scenario.traffic
    assert (critical.cls, critical.count, critical.from_s, critical.until_s) == (MessageClass.CRITICAL, 60, 600, 2400)
    assert (critical.to, critical.recipients) == ((E164("+8613900000001"), E164("+8613900000002")), 2)
    assert (critical.tags, critical.source, critical.text) == ({"team": "db"}, "alertmanager", "db {n} is down")
    assert (burst.cls, burst.count, burst.until_s, burst.to, len(burst.text)) == (
        *(MessageClass.ALERT, 7, 0.0),
        *(GROUPS["oncall"], 100),
    )
    assert [one.full for one in foreign.to] == ["+491700000000", "+491700000001", "+491700000002"]
    refusing, throttling, slow, drained = scenario.troubles
    assert (refusing.kind, refusing.reason, refusing.share) == (Kind.REFUSING, Reason.UNAVAILABLE, 0.5)
    assert (refusing.from_s, refusing.until_s, refusing.every_s, refusing.for_s) == (600, 1200, 120, 30)
    assert (throttling.rate, slow.delay_s, drained.amount) == (Rhythm(1, 10), 1200, Decimal("0.5"))


def test_all_findings_come_at_once():
    """Whatever is wrong is named in one go, each with its key path and what was expected."""
    written = """
        surprise = 1
        begins = 2026-06-01T22:00:00
        [vendors.first]
        accepts = 0.9
        latency = { median = "2s", p95 = "1s" }
        [[traffic]]
        class = "urgent"
        burst = 1
        rate = "1/m"
        to = ["nobody"]
        phones = 3
        prefix = "+86100"
        [[traffic]]
        group = "nobody"
        length = 3
        text = "three"
        [[trouble]]
        account = "first"
        kind = "throttling"
        from = "2m"
        until = "1m"
        every = "1m"
        [[trouble]]
        kind = "gloomy"
    """
    with pytest.raises(ConfigError) as caught:
        read_scenario("mine.toml", written, GROUPS)

    assert [finding.split(":")[0] for finding in caught.value.findings] == [
        "duration",
        "traffic[0].class",
        "traffic[0].rate",
        "traffic[0].to[0]",
        "traffic[0].prefix",
        "traffic[0].phones",
        "traffic[1].rate",
        "traffic[1].group",
        "traffic[1].length",
        "vendors.first.latency.p95",
        "vendors.first.accepts",
        "trouble[0].rate",
        "trouble[0].every",
        "trouble[0].until",
        "trouble[1].kind",
        "trouble[1].account",
        "begins",
        "surprise",
    ]


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ("duration = ", "expected TOML"),
        ('duration = "1h"', "traffic: missing"),
        ('duration = "1h"\ntraffic = []', "traffic: missing"),
        ('duration = "1m"\n[[traffic]]\nrate = "1/h"', "comes to 0 messages"),
    ],
)
def test_what_says_too_little_is_refused(written, finding):
    """Without a length, or without messages, there is nothing to rehearse."""
    with pytest.raises(ConfigError, match=finding):
        read_scenario("mine.toml", written, GROUPS)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(content, tmp_path):
    """No such file, or no text: one sentence, and the names of those that come with tocsin."""
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no such file, and no scenario|expected UTF-8 text"):
        find_scenario(str(path), {})


def test_a_file_is_found_by_its_path(tmp_path):
    """What is no built-in name is the path of a file; its name is the scenario's."""
    path = tmp_path / "mine.toml"
    path.write_text('duration = "1m"\n[[traffic]]\nburst = 1\n', encoding="utf-8")

    assert find_scenario(str(path), {}).name == str(path)


def test_the_built_in_scenarios_are_those_that_are_promised():
    """Each is found by its name, says what it is about, and speaks of parts alone: it fits any configuration."""
    assert names() == ("balance-gone", "calm", "flapping", "outage", "slow-reports", "storm")
    for name in names():
        scenario = find_scenario(name, {})
        assert scenario.title != name
        assert not strangers(scenario, ())
