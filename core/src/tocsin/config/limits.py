"""The `[limits]` and `[opt_out]` tables: what holds for all accounts together."""

from __future__ import annotations

from tocsin.config import units
from tocsin.config.findings import Unfit
from tocsin.config.table import Table, present
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.message import MessageClass


def read_fleet_limits(table: Table) -> FleetLimits:
    """Return the limits of all accounts together; the defaults without the table, none where a list is empty."""
    given = {
        "per_recipient": table.read_list("per_recipient", units.rate),
        "critical_per_recipient": table.read_list("critical_per_recipient", units.rate),
        "spend_per_day": table.read("spend_per_day", units.budget),
    }
    table.refuse_unasked()
    return FleetLimits(**present(given))


def read_opt_out(table: Table) -> OptOut:
    """Return how people say that they want no more; nobody can by a word where the list is empty."""
    words = table.read_list("words", _word)
    exempt = table.read_list("exempt", units.member(MessageClass)) or ()
    table.refuse_unasked()
    return OptOut(**present({"words": words}), exempt=frozenset(exempt))


def _word(value: object) -> str:
    word = units.any_text(value).strip()
    if not any(letter.isalnum() for letter in word):  # signs around a word are not looked at
        raise Unfit('expected a word such as "STOP"')
    return word
