"""Laws of faults as values, and of the order in which they strike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tocsin.sandbox.fault as module
from tocsin.sandbox.fault import Fault, FaultKind, FaultPlan, Operation, When


def new(kind: FaultKind, when: When | None = None) -> Fault:
    return Fault(kind, value="x" if kind in ("code", "shape") else "", when=when)


def test_the_documented_table_is_the_truth():
    """Each row of the module's table names a kind, and its positions are those that a fault accepts."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z, ]+) \|", module.__doc__ or "", re.MULTILINE)

    assert [kind for kind, _ in rows] == list(FaultKind)
    for kind, listed in rows:
        positions = listed.split(", ")
        assert new(FaultKind(kind)).position == positions[0]
        for when in When:
            if when in positions:
                assert new(FaultKind(kind), when).position is when
            else:
                with pytest.raises(ValueError, match="can only strike"):
                    new(FaultKind(kind), when)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "flood"},
        {"kind": "reset", "operation": "sumbit"},
        {"kind": "reset", "value": "1"},
        {"kind": "reset", "times": 0},
        {"kind": "reset", "after": -1},
        {"kind": "status", "value": "200"},
        {"kind": "drip", "value": "nan"},
        {"kind": "delay", "value": "soon"},
        {"kind": "oversized", "value": "-1"},
        {"kind": "code"},
    ],
)
def test_a_fault_that_cannot_strike_is_refused_when_made(wrong):
    """A wrong name, value, position or count is a ValueError, not a fault that never comes."""
    with pytest.raises(ValueError, match=r"fault|valid"):
        Fault(**wrong)


@given(after=st.integers(0, 5), times=st.integers(1, 5), requests=st.integers(0, 15))
def test_a_fault_strikes_exactly_the_requests_it_was_meant_for(after, times, requests):
    """It spares `after` matching requests, strikes `times`, and never comes again."""
    plan = FaultPlan()
    plan.add(Fault("reset", after=after, times=times))

    struck = [plan.take(Operation.SUBMIT) is not None for _ in range(requests)]

    assert struck == [after <= place < after + times for place in range(requests)]


@given(st.lists(st.sampled_from([Operation.SUBMIT, Operation.BALANCE, Operation.REPORTS, Operation.INBOUND])))
def test_a_fault_leaves_other_operations_alone(operations):
    """Only requests of its operation suffer, and only they are counted; `any` matches all."""
    plan = FaultPlan()
    plan.add(Fault("reset", "reports", times=None))

    assert [plan.take(operation) is not None for operation in operations] == [
        operation is Operation.REPORTS for operation in operations
    ]
    plan.clear()
    plan.add(Fault("reset", "any", times=None))
    assert all(plan.take(operation) for operation in operations)


def test_faults_strike_in_the_order_of_injection():
    """One request suffers one fault at most, the first that is due."""
    plan = FaultPlan()
    for kind in ("empty", "html"):
        plan.add(Fault(kind))

    assert [fault and fault.kind for fault in (plan.take(Operation.SUBMIT) for _ in range(3))] == [
        "empty",
        "html",
        None,
    ]
