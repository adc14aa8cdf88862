"""Decisions as they are stored: plain JSON that says what, why, and what was thought of each account."""

from __future__ import annotations

from typing import Any, assert_never

from tocsin.policy.decide import AwaitReport, Decision, Expire, GiveUp, Park, Submit, Wait
from tocsin.policy.judge import Judgement


def explain(decision: Decision) -> dict[str, Any]:
    """Return a decision as `{"decision", "why", "account"?, "at_most"?, "until"?, "candidates"?}`."""
    match decision:
        case Submit():
            at_most = {} if decision.at_most is None else {"at_most": decision.at_most}
            return {
                "decision": "submit",
                "account": decision.account,
                **at_most,
                "why": decision.why,
                "candidates": render_judgements(decision.judgements),
            }
        case GiveUp():
            return {"decision": "give_up", "why": decision.why, "candidates": render_judgements(decision.judgements)}
        case Park():
            return {"decision": "park", "why": decision.why, "candidates": render_judgements(decision.judgements)}
        case AwaitReport():
            judgements = render_judgements(decision.judgements)
            return {"decision": "await_report", "why": decision.why, "candidates": judgements}
        case Wait():
            return {"decision": "wait", "why": decision.why, "until": decision.until.isoformat()}
        case Expire():
            return {"decision": "expire", "why": decision.why}
        case never:
            assert_never(never)


def render_judgements(judgements: tuple[Judgement, ...]) -> list[dict[str, str]]:
    """Return judgements as `[{"account", "verdict", "detail"?}]`, in the order judged."""
    return [
        {"account": one.account, "verdict": one.verdict.value, **({"detail": one.detail} if one.detail else {})}
        for one in judgements
    ]
