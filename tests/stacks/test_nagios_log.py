"""What the log of a Nagios says of notification commands: the rig tells a failure from what Nagios overlooks."""

from __future__ import annotations

import pytest
from tests.stacks.nagios import failures

OTHERS = """\
[1795666278] wproc: Registry request: name=Core Worker 15042;pid=15042
[1795666278] SERVICE NOTIFICATION: bob;plant;unit-22;CRITICAL;tocsin-service;unit-22 is down
"""
JOB = """\
[1795666336] wproc: NOTIFY job 25 from worker Core Worker 24385 timed out after 30.33s
[1795666336] wproc:   host=plant; service=unit-22; contact=bob
[1795666336] wproc:   early_timeout=1; exited_ok=0; wait_status=0; error_code=62;
"""
SAID = "[1795666336] wproc:   stdout line 01: {}\n"


def test_a_command_that_said_nothing_has_failed():
    """Each job that is reported and has not said that its notification is durable is a failure, told whole."""
    found = failures(OTHERS + JOB + OTHERS + JOB)

    assert len(found) == 2
    assert "contact=bob" in found[0]
    assert "SERVICE NOTIFICATION" not in found[0]


@pytest.mark.parametrize("words", ["spooled", "message 06h1c3er7br7jyt849n4", "nothing new"])
def test_a_command_that_was_done_has_not_failed(words):
    """A job that is reported as timed out although it has said that all is done is none of ours."""
    assert failures(OTHERS + JOB + SAID.format(words)) == ()


def test_other_words_are_no_excuse():
    """What a command says otherwise does not make it durable."""
    assert len(failures(JOB + SAID.format("tocsin: the store is full"))) == 1


def test_jobs_that_are_not_reported_have_not_failed():
    """A log of jobs that went well has no failure."""
    assert failures(OTHERS) == ()
