"""Decisions as they are stored: plain JSON that says what, why, and what was thought of each account."""

from __future__ import annotations

from typing import Any, assert_never

from tocsin.policy.decision import (
    AwaitReport,
    CloseWindow,
    Decision,
    Expire,
    GiveUp,
    Later,
    Park,
    Submit,
    Undelivered,
    Wait,
)
from tocsin.policy.judge import Judgement


def explain(decision: Decision) -> dict[str, Any]:
    """Return a decision as `{"decision", "why", …}`: what it says beside that, and what was thought of each account."""
    details = _details(decision)
    return {"decision": _NAMES[type(decision)], "why": decision.why, **details}


def _details(decision: Decision) -> dict[str, Any]:
    """Return what each kind of decision says beside its name and its reason."""
    match decision:
        case Submit():
            at_most = {} if decision.at_most is None else {"at_most": decision.at_most}
            copy = {"copy": decision.copy, "max_copies": decision.max_copies}
            words = {"account": decision.account, "trigger": decision.trigger.value, **at_most, **copy}
        case AwaitReport():
            words = {"until": decision.until.isoformat(), "overdue": decision.overdue}
        case Wait():
            return {"until": decision.until.isoformat()}
        case Later():
            words = {"until": decision.until.isoformat()}
        case GiveUp() | Undelivered() | Park():
            words = {}
        case Expire() | CloseWindow():
            return {}
        case never:
            assert_never(never)
    return {**words, "candidates": render_judgements(decision.judgements)}


_NAMES = {
    Submit: "submit",
    GiveUp: "give_up",
    Undelivered: "undelivered",
    Park: "park",
    AwaitReport: "await_report",
    Wait: "wait",
    Later: "later",
    Expire: "expire",
    CloseWindow: "close_window",
}


def render_judgements(judgements: tuple[Judgement, ...]) -> list[dict[str, str]]:
    """Return judgements as `[{"account", "verdict", "detail"?}]`, in the order judged."""
    return [
        {"account": one.account, "verdict": one.verdict.value, **({"detail": one.detail} if one.detail else {})}
        for one in judgements
    ]
