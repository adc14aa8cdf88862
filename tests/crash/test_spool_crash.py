"""`kill -9` while what waits on the spool is taken in: by the next notification, and by a worker.

A file is removed after the commit that takes it in. Whoever is killed between the two leaves it there, and whoever
comes next tells nobody a second time.
"""

import signal

import pytest
from tests.crash.test_crash import Ground, commits

from tocsin.sandbox import start

TAKING = commits("take-in")
NUMBER = "13900000000"


@pytest.fixture
def ground(tmp_path):
    with start("winnerlook") as first, start("ipyy") as second:
        yield Ground(tmp_path, first, second)


def notify(host, *more):
    return ["notify", "--to", NUMBER, "--type", "PROBLEM", "--host", host, "--patience", "60s", *more]


def told(ground):
    """Return what the phone received, without the signature, in alphabetical order."""
    texts = (*ground.first.ledger.texts_to(NUMBER), *ground.second.ledger.texts_to(NUMBER))
    return sorted(text.removesuffix("【Example】") for text in texts)


def waiting(ground):
    return list((ground.directory / "tocsin.db.spool").glob("*.slip"))


def settle(ground):
    """Let everybody come who may come next, twice."""
    for _ in range(2):
        ground.run(0, *notify("db2"))
        ground.run(0, "worker", "--drain")


@pytest.mark.parametrize("kill_at", range(1, len(TAKING) + 1), ids=lambda n: TAKING[n - 1])
def test_a_killed_notification_takes_nothing_in_twice(ground, kill_at):
    """Killed before or after the commit, it leaves the file; the next ones tell of both, and of each once."""
    ground.run(0, *notify("db1", "--spool-only"))
    reached, status = ground.run(kill_at, *notify("db2"))
    assert (reached, status) == (TAKING[:kill_at], -signal.SIGKILL)
    assert len(waiting(ground)) == 1

    settle(ground)
    assert told(ground) == ["FIRING db1", "FIRING db2"]
    assert waiting(ground) == []


@pytest.mark.parametrize("kill_at", range(1, len(TAKING) + 1), ids=lambda n: TAKING[n - 1])
def test_a_killed_worker_takes_nothing_in_twice(ground, kill_at):
    """It is the same with a worker, which takes the spool up before anything else."""
    ground.run(0, *notify("db1", "--spool-only"))
    reached, status = ground.run(kill_at, "worker", "--drain")
    assert (reached, status) == (TAKING[:kill_at], -signal.SIGKILL)
    assert len(waiting(ground)) == 1

    settle(ground)
    assert told(ground) == ["FIRING db1", "FIRING db2"]
    assert waiting(ground) == []
