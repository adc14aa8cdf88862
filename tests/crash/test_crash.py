"""`kill -9` at every commit and effect boundary of `send --now`, of the second pass and of the polls.

After each kill the next run must show an honest state, and the vendors' ledgers never hold a copy that the class
forbids. The boundaries are counted: a new one adds a case here, or the test says so.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin import Tocsin
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.sandbox import Fault, example_config, start

HARNESS = Path(__file__).with_name("harness.py")
NUMBER = "13900000000"
TEXT = "disk full on db1"

SUBMIT = ["intend: before commit", "intend: after commit", "exchange: before", "exchange: after",
          "settle: before commit", "settle: after commit"]  # fmt: skip
BOTH = ["before commit", "after commit"]


def commits(*names):
    return [f"{name}: {when}" for name in names for when in BOTH]


SENDING = [*commits("accept"), *SUBMIT, *commits("release")]
"""The boundaries of one message to one account."""

MOVING_ON = [*commits("accept"), *SUBMIT, *SUBMIT, *commits("release")]
"""The first account refuses for a reason of its own; the second takes it."""

POLLING = [*commits("begin-poll"), "exchange: before", "exchange: after",
           *commits("spool", "reports", "end-poll", "release")]  # fmt: skip

RESENDING = [*commits("reopen", "claim"), *SUBMIT, *commits("release")]
"""The second pass over a doubt whose class sends again."""


class Ground:
    """Two vendors, a configuration, and the means to run and kill."""

    def __init__(self, directory, first, second):
        self.directory, self.first, self.second = directory, first, second
        self.log = directory / "boundaries"
        config = example_config([first, second])
        route = '[[routes]]\nname = "otp"\nmatch = { class = "otp" }\naccounts = ["winnerlook", "ipyy"]\n'
        config = config.replace("[[routes]]", f'{route}evidence_wait = "0s"\n\n[[routes]]', 1)
        (directory / "tocsin.toml").write_text(config, encoding="utf-8")

    def run(self, kill_at, *arguments):
        """Run a command, killed at that boundary; return the boundaries that it reached, and its end."""
        self.log.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, str(HARNESS), str(kill_at), str(self.log), *arguments],
            cwd=self.directory,
            env={**os.environ, "TOCSIN_CONFIG": str(self.directory / "tocsin.toml")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        reached = self.log.read_text().splitlines() if self.log.exists() else []
        return reached, ended.returncode

    def open(self):
        """Open the store as the next command would."""
        return Tocsin.from_config(self.directory / "tocsin.toml")

    def state(self):
        """Return the state of the one delivery as the next command shows it; None where nothing was accepted."""
        with self.open() as tocsin:
            deliveries = tocsin.deliveries(Filter())
            assert len(deliveries) <= 1
            return deliveries[0].state if deliveries else None

    def copies(self):
        """Count what the phone received."""
        return sum(len(vendor.ledger.texts_to(NUMBER)) for vendor in (self.first, self.second))


@pytest.fixture
def ground(tmp_path):
    with start("winnerlook") as first, start("ipyy") as second:
        yield Ground(tmp_path, first, second)


def send(cls="alert"):
    return ["send", "--now", "--to", NUMBER, "--text", TEXT, "--class", cls, "--key", "k"]


def check_honest(state, copies):
    """A state never says more, nor less, than what is known."""
    if copies:
        assert state in (State.IN_DOUBT, State.SUBMITTED, State.DELIVERED)
    else:
        assert state in (None, State.QUEUED, State.IN_DOUBT)


@pytest.mark.parametrize("kill_at", range(1, len(SENDING) + 1), ids=lambda n: f"{n:02}-{SENDING[n - 1]}")
def test_a_kill_leaves_an_honest_state(ground, kill_at):
    """Wherever `send --now` is killed, the store tells the truth, and the same command again makes no second copy."""
    reached, status = ground.run(kill_at, *send())
    assert (reached, status) == (SENDING[:kill_at], -signal.SIGKILL)

    state = ground.state()
    check_honest(state, ground.copies())
    began = kill_at > SENDING.index("intend: after commit")
    settled = kill_at > SENDING.index("settle: before commit") + 1
    accepted = kill_at > SENDING.index("accept: before commit") + 1
    assert state is (State.SUBMITTED if settled else State.IN_DOUBT if began else State.QUEUED if accepted else None)

    _, status = ground.run(0, *send())
    assert status == (3 if began and not settled else 0)
    assert ground.copies() <= 1
    ground.run(0, "reports", "--fetch")
    if ground.copies():
        assert ground.state() is State.DELIVERED
    else:
        assert ground.state() is State.IN_DOUBT


@pytest.mark.parametrize("kill_at", range(1, len(MOVING_ON) + 1), ids=lambda n: f"{n:02}-{MOVING_ON[n - 1]}")
def test_a_kill_while_moving_on_forgets_nothing(ground, kill_at):
    """Killed between two accounts, the next run goes on where it was: one copy, by the second account."""
    ground.first.inject(Fault("code", operation="submit", value="-3", times=9))
    reached, status = ground.run(kill_at, *send())
    assert (reached, status) == (MOVING_ON[:kill_at], -signal.SIGKILL)

    check_honest(ground.state(), ground.copies())
    ground.run(0, *send())
    assert ground.copies() <= 1
    if ground.state() is State.SUBMITTED:
        assert ground.copies() == 1
    else:
        assert ground.state() is State.IN_DOUBT


@pytest.mark.parametrize("kill_at", range(1, len(POLLING) + 1), ids=lambda n: f"{n:02}-{POLLING[n - 1]}")
def test_a_killed_poll_loses_no_answer_that_reached_the_disk(ground, kill_at):
    """What was spooled is applied by the next poll, once; only an answer that never reached the disk is lost."""
    ground.run(0, *send())
    reached, status = ground.run(kill_at, "reports", "winnerlook", "--fetch")
    assert (reached, status) == (POLLING[:kill_at], -signal.SIGKILL)

    applied = kill_at >= POLLING.index("reports: after commit") + 1
    assert ground.state() is (State.DELIVERED if applied else State.SUBMITTED)
    ground.run(0, "reports", "winnerlook", "--fetch")
    lost = POLLING[kill_at - 1] in ("exchange: after", "spool: before commit")
    assert ground.state() is (State.SUBMITTED if lost else State.DELIVERED)
    with ground.open() as tocsin:
        reports, _ = tocsin.parts.store.evidence(None)
        assert len(reports) == (0 if lost else 1)


@pytest.mark.parametrize("kill_at", range(1, len(RESENDING) + 1), ids=lambda n: f"{n:02}-{RESENDING[n - 1]}")
def test_a_kill_in_the_second_pass_sends_no_third_copy(ground, kill_at):
    """An OTP in doubt goes to the other vendor once, however often the second pass is killed and made again."""
    ground.first.inject(Fault("reset", operation="submit", when="after"))
    ground.run(0, *send("otp"))
    with ground.open() as tocsin:
        (delivery,) = tocsin.deliveries(Filter())
    assert (delivery.state, ground.copies()) == (State.IN_DOUBT, 1)

    reached, status = ground.run(kill_at, "resolve", delivery.message)
    assert (reached, status) == (RESENDING[:kill_at], -signal.SIGKILL)
    for _ in range(2):
        ground.run(0, "resolve", delivery.message)
        ground.run(0, *send("otp"))
    assert ground.copies() <= 2
    assert ground.state() in (State.SUBMITTED, State.IN_DOUBT, State.PARKED)


def test_the_boundaries_are_all_counted(ground):
    """The lists above are what really happens: a boundary more or less changes the number of cases."""
    sent, status = ground.run(0, *send())
    assert (sent, status) == (SENDING, 0)
    polled, status = ground.run(0, "reports", "winnerlook", "--fetch")
    assert (polled, status) == (POLLING, 0)
    assert len(SENDING) + len(MOVING_ON) + len(POLLING) + len(RESENDING) == 50
