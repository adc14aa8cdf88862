"""A short soak, and the reckoning that judges a long one: `python -m tests.soak.run` is a target of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from tests.crash.worker_judge import Kept, Standing, Truth

from tocsin.model.ids import DeliveryId, MessageId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Delivery
from tocsin.outbox.state import State
from tocsin.policy.route import CLASS_RULES
from tocsin.sandbox import Submit

from .plan import VENDORS, Said, messages, modes, troubles
from .reckoning import LOST, broken_promises, fate_of

ROOT = Path(__file__).parents[2]
T0 = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER, OTHER = "13900000001", "13900000002"


def test_a_short_soak_loses_and_doubles_nothing():
    """Five kills over two hundred messages: each is on its phone or accounted for, and none has a forbidden copy."""
    command = (sys.executable, "-m", "tests.soak.run", "--kills", "5", "--messages", "200", "--horizon", "2", "--json")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert ended.stdout, ended.stderr
    soaked = json.loads(ended.stdout)

    assert soaked["violations"] == []
    assert (ended.returncode, soaked["messages"], soaked["lost"], soaked["forbidden_copies"]) == (0, 200, 0, 0)
    assert soaked["worker_kills"] == 5
    assert soaked["deliveries"] == sum(soaked["fates"].values()) >= 200
    assert soaked["fates"]["on the phone"] > 150


def standing(state, to=NUMBER, message="m"):
    delivery = Delivery(id=DeliveryId(f"{message}.1"), message=MessageId(message), to=parse_number(to), state=state,
                        route="all", due_at=T0, expires_at=T0 + timedelta(hours=4), updated_at=T0)  # fmt: skip
    return Standing(delivery=delivery, attempts=(), rules=CLASS_RULES[MessageClass.ALERT], text="disk full【Example】")


def truth(*, taken=0, phones=0):
    submit = Submit(operation="SendMsg", numbers=(NUMBER,), text="", extension="", accepted=True, vendor_id="7",
                    code="", fault="", at=T0)  # fmt: skip
    return Truth(submits={"ipyy": (submit,) * taken}, phones=phones)


@pytest.mark.parametrize("state", [State.CLAIMED, State.SENDING, State.DELIVERED, State.CANCELLED])
def test_what_nobody_has_and_nothing_accounts_for_is_lost(state):
    """A message on no phone is lost where its state gives no reason for that."""
    assert fate_of(standing(state), truth()) == LOST
    assert fate_of(standing(state), truth(taken=1, phones=1)) != LOST


def test_a_state_that_the_ledger_belies_is_no_excuse():
    """Failed is no reason where a vendor took it, submitted is none where nobody did; doubt is, for all to see."""
    assert fate_of(standing(State.FAILED), truth()) != LOST
    assert fate_of(standing(State.FAILED), truth(taken=1)) == LOST
    assert fate_of(standing(State.SUBMITTED), truth(taken=1)) != LOST
    assert fate_of(standing(State.SUBMITTED), truth()) == LOST
    assert fate_of(standing(State.QUEUED), truth()) != LOST
    assert fate_of(standing(State.QUEUED), truth(taken=1)) == LOST
    assert fate_of(standing(State.PARKED), truth()) != LOST


def test_a_broken_promise_is_found():
    """A key whose message is not there whole is told, and so is a message that nobody was promised."""
    said = (Said(key="a", to=(NUMBER,), text="", cls="alert"), Said(key="b", to=(NUMBER, OTHER), text="", cls="alert"))

    def broken(*standings):
        kept = Kept(standings=standings, reports=(), troubles=(), ended_early=False, at=T0)
        return [what.partition(":")[0] for what in broken_promises(kept, {"a": "m", "b": "n"}, said)]

    whole = standing(State.QUEUED), standing(State.QUEUED, message="n"), standing(State.QUEUED, OTHER, "n")
    assert broken(*whole) == []
    assert broken(*whole[:2]) == ["b"]
    assert broken(*whole[1:]) == ["a"]
    assert broken(*whole, standing(State.QUEUED, message="o")) == ["o"]
    assert broken(*whole, whole[0]) == ["a"]


def test_the_plan_follows_from_the_seed():
    """The same seed draws the same messages, modes and troubles; each text and each key is drawn once."""
    said = messages(500, Random(5))

    assert said == messages(500, Random(5)) != messages(500, Random(6))
    assert len({one.text for one in said}) == len({one.key for one in said}) == 500
    assert {one.cls for one in said} == {cls.value for cls in MessageClass}
    assert modes(Random(5)) == modes(Random(5))
    drawn = list(islice(troubles(Random(5)), 400))
    assert drawn == list(islice(troubles(Random(5)), 400))
    assert {one.vendor for one in drawn} == set(VENDORS)
    kinds = Counter("dark" if one.fault is None else one.fault.kind.value for one in drawn)
    assert set(kinds) >= {"dark", "reset", "close", "code", "delay", "status", "empty", "truncated"}
