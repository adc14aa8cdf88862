"""Every attack of the list is run against a real gateway, and has the outcome that the list says."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from . import content, doors, forgeries, framing, volume
from .attack import ATTACKS
from .bodies import form, row, xml
from .ground import Ground, Stock, prepared

MODULES = (content, doors, forgeries, framing, volume)
"""Importing them fills the list of attacks."""

LISTED: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("attacks.toml").read_text(encoding="utf-8"))[
    "attack"
]
COUNTED = ("raw", "reports", "joined", "inbound")


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """One gateway for all attacks: whatever one of them breaks, the next ones find broken."""
    with prepared(tmp_path_factory.mktemp("push")) as opened:
        yield opened


def test_every_attack_is_run_and_no_other():
    """The list and what is run have the same names; the list has each once, with an outcome and a reason."""
    names = [one["name"] for one in LISTED]
    assert sorted(names) == sorted(ATTACKS)
    assert len(set(names)) == len(names)
    for one in LISTED:
        assert one["answer"], one["name"]
        assert one["why"], one["name"]
        assert not one.keys() - {"name", "answer", "body", *COUNTED, "quarantined", "target", "log", "why"}, one["name"]


@pytest.mark.parametrize("expected", LISTED, ids=lambda one: one["name"])
def test_attack(ground, expected):
    """What the attacker sees, what stands in the store, what becomes of the target and what is logged is as listed."""
    ground.mark()
    submits, before, said = ground.submits(), ground.stock(), len(ground.service.log)

    result = ATTACKS[expected["name"]](ground)

    assert {one.status for one in result.answers} <= set(expected["answer"])
    assert result.answers
    if "body" in expected:
        assert {one.body.decode() for one in result.answers} == {expected["body"]}
    check_stock(ground.stock().since(before), expected, len(result.answers))
    ground.mark()
    check_log(ground, said, set(expected.get("log", ())))
    if result.target is not None:
        assert ground.state(result.target) == expected.get("target", "submitted")
    check_ground(ground, submits)


def check_stock(found: dict[str, int], expected: dict[str, Any], answers: int) -> None:
    wanted = {name: expected.get(name, 0) for name in COUNTED}
    assert {name: found[name] for name in COUNTED} == wanted, answers
    assert bool(found["quarantined"]) == expected.get("quarantined", False)


def check_log(ground: Ground, said: int, allowed: set[str]) -> None:
    events = {
        json.loads(line)["event"] for line in ground.service.log[said:].splitlines(keepends=True) if line[-1] == "\n"
    }
    assert {one for one in events if one.startswith(("tocsin.push.", "tocsin.alarm"))} <= allowed
    assert not events & {"tocsin.process.ended", "tocsin.gateway.server"}


def check_ground(ground: Ground, submits: Counter[str]) -> None:
    """See what holds after every attack."""
    assert ground.peer.post(ground.path("main"), form("13900000000", "2114364418256720000")).status == 200
    good = ground.peer.post(ground.path("backup"), xml(row("13900000000", "900000")))
    assert (good.status, good.body) == (200, b"1")
    ground.mark()
    log = ground.service.log
    assert [one for one in ground.secrets if one in log] == []
    twice = {number for number, count in ground.submits().items() if count > 1}
    assert not twice
    assert not set(submits) - set(ground.submits())
    assert ground.violations() == []


def test_nothing_is_said_beside_the_log(ground):
    """All that the processes wrote to standard error are events of ours: no traceback, no line of somebody else's."""
    lines = ground.service.log.splitlines()
    assert [line for line in lines if not line.startswith('{"timestamp": ')] == []


def test_the_stock_is_counted():
    """What is more than before is more, and what is not is not."""
    before = Stock(raw=1, reports=1, joined=0, inbound=0, quarantined=0)
    after = Stock(raw=3, reports=1, joined=0, inbound=1, quarantined=2)
    assert after.since(before) == {"raw": 2, "reports": 0, "joined": 0, "inbound": 1, "quarantined": 2}
