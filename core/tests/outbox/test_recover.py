"""T5: what a dead holder leaves behind, and how its death is known."""

import subprocess
import sys

import pytest

from tocsin.model.ids import HolderId
from tocsin.model.outcome import Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.holders import Holders
from tocsin.outbox.record import Filter
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import AttemptState, State
from tocsin.outbox.store import LEASE, Outbox

MOMENT_S = 1e-6


def claim_and_send(desk):
    """Leave one delivery claimed and one being sent."""
    claimed, sending = desk.accept("13900000001", "13900000002")
    desk.intend(sending)
    return claimed.id, sending.id


def check_t5(desk, claimed, sending):
    assert (desk.state(claimed), desk.state(sending)) == (State.QUEUED, State.IN_DOUBT)
    assert [(one.state, one.cause) for one in desk.attempts(sending)] == [(AttemptState.UNKNOWN, "holder-lost")]


def test_a_released_holder_queues_what_it_claimed_and_doubts_what_it_was_sending(desk):
    """On release, CLAIMED goes back to the queue; SENDING is in doubt, and never queued."""
    claimed, sending = claim_and_send(desk)

    desk.outbox.release(desk.holder, desk.now)

    check_t5(desk, claimed, sending)
    assert desk.outbox.recover(desk.now + 2 * LEASE) == 0


def test_a_release_leaves_other_holders_alone(desk):
    """A holder gives back its own claims only."""
    (mine,) = desk.accept("13900000001")
    (other,) = desk.accept("13900000002", holder=desk.other_holder)

    desk.outbox.release(desk.holder, desk.now)

    assert (desk.state(mine.id), desk.state(other.id)) == (State.QUEUED, State.CLAIMED)


def test_a_living_holder_in_its_lease_is_left_alone(desk):
    """While the lease runs and nobody knows the holder dead, recovery moves nothing, to the very end of the lease."""
    claimed, sending = claim_and_send(desk)

    desk.now += LEASE
    assert desk.outbox.recover(desk.now) == 0

    assert (desk.state(claimed), desk.state(sending)) == (State.CLAIMED, State.SENDING)


def test_an_expired_lease_is_recovered(desk):
    """Once the lease is over, both deliveries move, once."""
    claimed, sending = claim_and_send(desk)

    desk.now += LEASE
    desk.wait(seconds=MOMENT_S)
    assert desk.outbox.recover(desk.now) == 2

    check_t5(desk, claimed, sending)
    assert desk.outbox.recover(desk.now) == 0


def test_a_holder_known_dead_is_recovered_within_its_lease(desk):
    """A death that is known needs no waiting for the lease."""
    claimed, sending = claim_and_send(desk)

    desk.dead.add(desk.holder)
    assert desk.outbox.recover(desk.now) == 2

    check_t5(desk, claimed, sending)


@pytest.mark.parametrize("step", ["intend", "settle"])
def test_work_renews_the_lease(desk, step):
    """An INTENT, and a settlement, start the lease anew."""
    one, two = desk.accept("13900000001", "13900000002")
    if step == "settle":
        attempts = desk.intend(one)
        desk.now += LEASE / 2
        desk.settle(Unknown("reset"), *attempts)
    else:
        desk.now += LEASE / 2
        desk.intend(one)

    desk.now += LEASE
    assert desk.outbox.recover(desk.now) == 0
    desk.wait(seconds=MOMENT_S)
    assert desk.outbox.recover(desk.now) > 0
    assert desk.state(two.id) is State.QUEUED


def test_recovered_work_is_claimed_by_another(desk):
    """What T5 queued, somebody else claims under a new epoch."""
    (delivery,) = desk.accept()
    desk.dead.add(desk.holder)
    desk.outbox.recover(desk.now)

    (claimed,) = desk.outbox.claim(delivery.message, desk.other_holder, desk.now)

    assert (claimed.epoch, claimed.holder) == (delivery.epoch + 1, desk.other_holder)


def test_what_an_earlier_copy_proved_survives_the_holder(desk):
    """A delivered report that came while another copy was being sent still closes it when that copy's holder dies."""
    delivery = desk.doubted()
    desk.intend(desk.reclaimed(delivery), account=desk.backup)
    desk.report(ReportState.DELIVERED)
    assert desk.state(delivery) is State.SENDING

    desk.outbox.release(desk.holder, desk.now)

    assert desk.state(delivery) is State.DELIVERED


def test_what_an_earlier_copy_proved_has_its_say_at_settlement(desk):
    """A delivered report that came while another copy was being sent closes it, whatever became of that copy."""
    refused = Refused(Reason.KEYWORD)
    for number, outcome in enumerate((Unknown("reset"), refused)):
        delivery = desk.doubted(number=f"1390000000{number}")
        claimed = desk.reclaimed(delivery)
        attempts = desk.intend(claimed, account=desk.backup)
        desk.report(ReportState.DELIVERED, number=f"1390000000{number}")
        desk.settle(outcome, *attempts, epoch=claimed.epoch, keep=True)

        assert desk.state(delivery) is State.DELIVERED


CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.model.ids import AccountId, HolderId, MessageId
from tocsin.outbox.holders import Holders
from tocsin.outbox.record import Intent
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.spending import Request
from tocsin.outbox.store import Outbox
from tocsin.model.message import MessageClass

path, message = Path(sys.argv[1]), MessageId(sys.argv[2])
now, holder, holders = datetime(2026, 1, 1, tzinfo=UTC), HolderId("child"), Holders(path)
outbox = Outbox(open_rows(path), holders.is_dead)
holders.enter(holder)
_, sending = outbox.claim(message, holder, now)
intent = Intent(delivery=sending.id, epoch=1, account=AccountId("main"), explanation={})
outbox.intend([Request(account=AccountId("main"), cls=MessageClass.ALERT, intents=(intent,))], now)
print("ready", flush=True)
sys.stdin.read()
"""
"""Another process that claims two deliveries, begins to send one, and waits to be killed."""


def test_a_killed_process_is_known_by_its_lock_file(tmp_path, open_file):
    """While a process lives nobody takes its work; the moment it is killed, T5 applies, long before its lease ends."""
    path = tmp_path / "tocsin.db"
    with open_file(path) as desk:
        first, second = desk.accept("13900000001", "13900000002", holder=None)
        outbox = Outbox(desk.rows, Holders(path).is_dead)
        command = [sys.executable, "-c", CHILD, str(path), first.message]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"ready\n"
            assert outbox.recover(desk.now) == 0
            assert desk.state(second.id) is State.SENDING

            child.kill()
            child.wait(30)

        assert outbox.recover(desk.now) == 2
        check_t5(desk, first.id, second.id)
        assert not list(path.with_name("tocsin.db-holders").iterdir())


def test_a_holder_of_this_process_is_alive_until_it_leaves(tmp_path):
    """A holder is dead for nobody while it holds its lock, and for everybody once it has left."""
    ours, others = Holders(tmp_path / "tocsin.db"), Holders(tmp_path / "tocsin.db")
    holder = HolderId("one")
    assert others.is_dead(holder)

    ours.enter(holder)
    assert not ours.is_dead(holder)
    assert not others.is_dead(holder)

    ours.close()
    assert ours.is_dead(holder)
    assert others.is_dead(holder)
    ours.leave(holder)


def test_a_store_whose_process_died_is_found_as_it_was(tmp_path):
    """A store that was opened and left without closing is whole when it is opened again."""
    path = tmp_path / "tocsin.db"
    program = (
        "import os, sys; from pathlib import Path; from tocsin.outbox.sqlite import open_rows;"
        "open_rows(Path(sys.argv[1])); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)

    store = Outbox(open_rows(path), lambda _: False)
    assert store.deliveries(Filter()) == ()
    store.close()
