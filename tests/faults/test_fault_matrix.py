"""Every fault of the wire, at every phase, before every vendor: the outcome is of the class that was reasoned out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.sandbox import Submit

from .faults import FAULTS
from .matrix import EXPECTED, Cell, Laboratory, Seen, cells_of
from .proxy import Phase
from .table import PAGE, render_page, render_summary


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    return Laboratory()


def test_every_fault_has_its_row():
    """Faults, phases and expectations have the same names, in the same order, and each cell has one letter."""
    assert list(Phase) == EXPECTED["phases"]
    assert list(FAULTS) == list(EXPECTED["fault"])
    assert {cell.expected for fault in FAULTS for cell in cells_of(fault)} == set("ARNU")


@pytest.mark.parametrize("fault", FAULTS)
def test_outcome_is_what_can_be_known(laboratory, fault):
    """Accepted only where the ledger has it, NotSent and Refused only where it has not, Unknown only where need be."""
    seen = laboratory.run_fault(fault)

    assert not [str(one) for one in seen if not one.is_as_expected]


def taken(vendor_id):
    """A line of the vendor's ledger: it took a submit, and gave it that id."""
    return Submit(
        operation="SendMsg",
        numbers=("13900000000",),
        text="",
        extension="",
        accepted=True,
        vendor_id=vendor_id,
        code="",
        fault="",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("fault", "outcome", "submits", "asked_again"),
    [
        ("delay", Accepted("1"), (), False),
        ("delay", Accepted("1"), (taken("2"),), False),
        ("delay", Accepted("1"), (taken("1"), taken("1")), False),
        ("delay", Accepted("1"), (taken("1"),), True),
        ("delay", Unknown("closed"), (taken("1"),), False),
        ("refuse", NotSent("connect-refused"), (taken("1"),), False),
        ("refuse", Refused(Reason.BALANCE), (), False),
        ("refuse", Unknown("closed"), (), False),
        ("rst", Accepted("1"), (taken("1"),), False),
        ("rst", Refused(Reason.BALANCE), (), False),
        ("rst", Unknown("closed"), (taken("1"), taken("2")), False),
    ],
)
def test_wrong_cell_is_seen(fault, outcome, submits, asked_again):
    """What the ledger gives the lie, another class than the expected one, and a second request are each told."""
    seen = Seen(Cell(fault, "winnerlook", Phase.CONNECT), outcome, submits, asked_again)

    assert not seen.is_as_expected
    assert seen.is_misclassified or seen.is_needless
    assert render_summary([seen]).endswith(
        ("misclassified 1, needless Unknown 0", "misclassified 0, needless Unknown 1")
    )


def test_phases_are_what_they_say(laboratory):
    """Where a fault ends the exchange, the vendor has taken the submit in the phases behind the request alone."""
    seen = laboratory.run_fault("rst")

    assert all(bool(one.taken) is one.cell.phase.is_past_acting for one in seen)


def test_page_is_fresh():
    """The documentation shows the table as it stands in expected.toml."""
    assert PAGE.read_text(encoding="utf-8") == render_page()
