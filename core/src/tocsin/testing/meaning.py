"""What a plugin makes of an answer, written the way vectors write it, and the few things that laws ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import singledispatch
from typing import Any

from tocsin.plugin import (
    Accepted,
    AnswerError,
    Balance,
    Batch,
    Exchange,
    HttpResponse,
    PushRefused,
    Refused,
    Report,
    SendResult,
    Unknown,
    VerifiedPush,
)

_OPTIONAL = ("text", "unit", "stored", "not_stored")
"""Compared only where the vector has them."""


class Side(Enum):
    """On which side an answer stands."""

    ACCEPTED = "acceptance"
    REFUSED = "refusal"
    SAYS_OTHERWISE = "something else"
    PROVES_NOTHING = "proof of nothing"


def attempt(decode: Callable[[Any], object], answer: HttpResponse) -> object:
    """Return what an answer is decoded into, or the exception that was raised instead."""
    try:
        return decode(answer)
    except Exception as error:  # noqa: BLE001 - seam: plugin call
        return error


def side_of(result: object) -> Side:
    """Say where a result stands. An exception, another step and a page of unread pieces alone prove nothing."""
    match result:
        case Exception() | Unknown() | Exchange():
            return Side.PROVES_NOTHING
        case Refused():
            return Side.REFUSED
        case SendResult(outcomes=outcomes):
            kinds = {type(outcome) for outcome in outcomes.values()}
            if Accepted in kinds:
                return Side.ACCEPTED
            return Side.REFUSED if Refused in kinds else Side.PROVES_NOTHING
        case Batch(rows=(), unparsed=unparsed) if unparsed:
            return Side.PROVES_NOTHING
        case _:
            return Side.SAYS_OTHERWISE


@singledispatch
def show(result: object) -> dict[str, Any]:
    """Write a result as the `[result]` of a vector."""
    return {"value": _plain(result)}


@show.register
def _(result: SendResult) -> dict[str, Any]:
    shown = {to.full: _filled(show(outcome)) for to, outcome in result.outcomes.items()}
    balance = {"balance": str(result.balance.amount)} if result.balance else {}
    first = next(iter(shown.values()), {})
    return balance | (first if all(one == first for one in shown.values()) else {"outcomes": shown})


@show.register
def _(result: Accepted) -> dict[str, Any]:
    return {"accepted": result.vendor_id or "", "partial": result.partial}


@show.register
def _(result: Refused) -> dict[str, Any]:
    return {"refused": result.reason.label, "code": result.code, "text": result.text}


@show.register
def _(result: Unknown) -> dict[str, Any]:
    return {"unknown": result.cause}


@show.register
def _(_: AnswerError) -> dict[str, Any]:
    return {"unreadable": True}


@show.register
def _(result: Exception) -> dict[str, Any]:
    return {"raised": type(result).__name__}


@show.register
def _(result: Balance) -> dict[str, Any]:
    return {"amount": str(result.amount), "unit": result.unit.value, "postpaid": result.postpaid}


@show.register
def _(result: Batch) -> dict[str, Any]:  # type: ignore[type-arg]  # singledispatch wants a class
    return {"rows": [_show_row(row) for row in result.rows], "unparsed": list(result.unparsed), "more": result.more}


@show.register
def _(_: PushRefused) -> dict[str, Any]:
    return {"refused": True}


@show.register
def _(result: VerifiedPush) -> dict[str, Any]:
    return {
        "reports": [_show_row(row) for row in result.reports.rows],
        "inbound": [_show_row(row) for row in result.inbound.rows],
        "unparsed": [*result.reports.unparsed, *result.inbound.unparsed],
        "stored": result.when_stored.body.decode("utf-8"),
        "not_stored": result.when_not_stored.body.decode("utf-8"),
    }


def agrees(wanted: Mapping[str, Any], result: object) -> bool:
    """Say whether a result is what a vector wants. A text of a refusal, a unit and a reply matter where given."""
    shown = _filled(show(result))
    if wanted.get("unknown") is True:
        return bool({"unknown", "unreadable"} & shown.keys())
    for name in _OPTIONAL:
        if name not in wanted:
            shown.pop(name, None)
    return shown == _filled(wanted)


def _show_row(row: Any) -> dict[str, Any]:
    names = ("vendor_id", "code", "text", "at", "extension")
    who = {"to": row.to.full, "state": row.state.name} if isinstance(row, Report) else {"sender": row.sender.full}
    return who | {name: getattr(row, name, None) for name in names}


def _filled(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing, at any depth: TOML has no null, and no vector need state a default."""
    return {name: _pruned(value) for name, value in shown.items() if value not in (None, False, [], {})}


def _pruned(value: Any) -> Any:
    if isinstance(value, list):
        return [_pruned_row(one) if isinstance(one, dict) else one for one in value]
    return _pruned_row(value) if isinstance(value, dict) else value


def _pruned_row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if value not in (None, "") or name == "accepted"}
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in kept.items()}


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return {str(name): _plain(one) for name, one in value.items()} if isinstance(value, Mapping) else value
