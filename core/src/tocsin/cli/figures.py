"""What came of rehearsals, as a table with a column for each account, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from tocsin.rehearse.reckoning import Figures, Result

Show = Callable[[Figures], str]


def _count(name: str) -> Show:
    return lambda figures: f"{getattr(figures, name):,}"


def _time(name: str) -> Show:
    return lambda figures: duration(getattr(figures, name))


ROWS: tuple[tuple[str, Show], ...] = (
    ("messages", _count("messages")),
    ("requests", _count("requests")),
    ("attempts", _count("attempts")),
    ("attempts per message", lambda one: ratio(one.attempts_per_message)),
    ("  accepted", _count("accepted")),
    ("  refused", _count("refused")),
    ("  not sent", _count("not_sent")),
    ("  unknown", _count("unknown")),
    ("delivered", _count("delivered")),
    ("  of these late", _count("late")),
    ("  median time", _time("median_s")),
    ("  95 % within", _time("p95_s")),
    ("  longest", _time("longest_s")),
    ("copies asked for", _count("asked_copies")),
    ("copies unasked", _count("unasked_copies")),
    ("undelivered", _count("undelivered")),
    ("failed", _count("failed")),
    ("expired", _count("expired")),
    ("parked", _count("parked")),
    ("open", _count("open")),
    ("lost", _count("lost")),
    ("segments", _count("segments")),
    ("cost", lambda one: "no price" if one.cost is None else f"{one.cost:,f}"),
)
"""Of each row of the table its name, and what stands in it."""


def columns_of(named: Sequence[tuple[str, Result]]) -> tuple[tuple[str, ...], list[Figures]]:
    """Return the headings and what they stand above: of each configuration the whole, then its accounts."""
    headings, figures = [""], []
    for name, result in named:
        headings += ["in all" if len(named) == 1 else name, *result.accounts]
        figures += [result.total, *result.accounts.values()]
    return tuple(headings), figures


def rows_of(figures: Sequence[Figures]) -> list[tuple[str, ...]]:
    """Return the rows of the table."""
    return [(name, *(show(one) for one in figures)) for name, show in ROWS]


def result_json(name: str, result: Result) -> dict[str, Any]:
    """Return what came of one rehearsal. Money is text, as everywhere."""
    return {
        "configuration": name,
        "ended_s": round(result.ended_s, 1),
        "turned_away": result.turned_away,
        "total": _figures_json(result.total),
        "accounts": [{"account": account, **_figures_json(one)} for account, one in result.accounts.items()],
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    plain = attrs.asdict(figures)
    rounded = {key: round(value, 1) if isinstance(value, float) else value for key, value in plain.items()}
    per_message = figures.attempts_per_message
    return {
        **rounded,
        "cost": None if figures.cost is None else f"{figures.cost:f}",
        "attempts_per_message": None if per_message is None else round(per_message, 3),
    }


def ratio(value: float | None) -> str:
    """Return a ratio for people."""
    return "" if value is None else f"{value:.2f}"


def duration(seconds: float | None) -> str:
    """Return a duration for people: seconds, then minutes, then hours."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"
