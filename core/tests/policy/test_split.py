"""A group that a culprit hides in is halved until the culprit stands alone."""

from math import ceil, log2

import pytest

from tocsin.model.ids import AccountId
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.policy.decision import Submit

SIZES = [*range(1, 41), 500]


def submit_until_done(case_of, size, culprit):
    """Let a vendor refuse each group that holds the culprit; return every group that account one got, in order."""
    cases = [case_of() for _ in range(size)]
    for case in cases:
        case.offer("one")
    groups, waiting = [], list(range(size))
    while waiting:
        decisions = {position: cases[position].decide() for position in waiting}
        waiting = [position for position in waiting if isinstance(decisions[position], Submit)]
        batch, waiting = waiting, []
        while batch:
            room = decisions[batch[0]].at_most or size
            group, batch = batch[:room], batch[room:]
            groups.append(group)
            outcome = Refused(Reason.SPLIT) if culprit in group else Accepted(None)
            for position in group:
                cases[position].meet(outcome, AccountId("one"), group_size=len(group))
            waiting += group if culprit in group else []
    return groups


@pytest.mark.parametrize("size", SIZES)
def test_a_culprit_is_found_in_few_submits(case_of, size):
    """At every position: at most ceil(log2 n) + 1 submits hold the culprit, the last it alone; all else leaves."""
    levels = ceil(log2(size)) + 1
    for culprit in range(size) if size <= 40 else (0, 1, 249, 250, 251, 499):
        groups = submit_until_done(case_of, size, culprit)

        guilty = [group for group in groups if culprit in group]
        assert len(guilty) <= levels
        assert guilty[-1] == [culprit]
        assert len(groups) <= 2 * levels - 1
        taken = [position for group in groups if culprit not in group for position in group]
        assert sorted(taken) == [position for position in range(size) if position != culprit]
