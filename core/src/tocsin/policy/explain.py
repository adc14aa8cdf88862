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
    words: dict[str, Any] = {"decision": _NAMES[type(decision)], "why": decision.why}
    match decision:
        case Submit():
            at_most = {} if decision.at_most is None else {"at_most": decision.at_most}
            words |= {"account": decision.account, "trigger": decision.trigger.value, **at_most}
            words |= {"copy": decision.copy, "max_copies": decision.max_copies}
        case AwaitReport():
            words |= {"until": decision.until.isoformat(), "overdue": decision.overdue}
        case Wait() | Later():
            words |= {"until": decision.until.isoformat()}
        case GiveUp() | Undelivered() | Park() | Expire() | CloseWindow():
            pass
        case never:
            assert_never(never)
    if not isinstance(decision, Wait | Expire | CloseWindow):
        words["candidates"] = render_judgements(decision.judgements)
    return words


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
