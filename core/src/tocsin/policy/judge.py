"""Judgements: what is thought of each account for one delivery, and why. Each is stored with the decision.

What an account lacks arrives as `Candidate.obstacles`, found outside: the vendor's `fits`, the signature rule, and, as
they are built, limits, breaker, hours, balance. A new kind of obstacle needs no change here.
"""

from __future__ import annotations

import enum

import attrs

from tocsin.model.ids import AccountId


class Verdict(enum.StrEnum):
    """What came of judging one account. Values are shown to people and programs."""

    CHOSEN = "chosen"
    ELIGIBLE = "eligible"
    """It could take it, and stands behind the chosen one."""

    TRIED = "already_tried"
    RESTS = "rests"
    """It had its turn in this round, and did not take it for a reason that passes: it is asked again."""

    CANNOT_CARRY = "cannot_carry"
    NOT_ASKED = "not_asked"
    """The same try goes on with another account; this one was not judged."""


@attrs.frozen(kw_only=True)
class Candidate:
    """One account of the route.

    Args:
        obstacles: each reason why it cannot carry the message, in words; empty where it can.
    """

    account: AccountId
    obstacles: tuple[str, ...] = ()


@attrs.frozen
class Judgement:
    """What was thought of one account."""

    account: AccountId
    verdict: Verdict
    detail: str = ""


def judge(
    candidates: tuple[Candidate, ...], tried: frozenset[AccountId], resting: frozenset[AccountId] = frozenset()
) -> tuple[Judgement, ...]:
    """Judge the candidates in order; the first that may carry the message is the chosen one.

    Args:
        candidates: in order.
        tried: who is not asked again.
        resting: who is not asked just now.
    """
    judgements: list[Judgement] = []
    best = Verdict.CHOSEN
    for candidate in candidates:
        if candidate.obstacles:
            judgements.append(Judgement(candidate.account, Verdict.CANNOT_CARRY, "; ".join(candidate.obstacles)))
        elif candidate.account in tried:
            judgements.append(Judgement(candidate.account, Verdict.TRIED))
        elif candidate.account in resting:
            judgements.append(Judgement(candidate.account, Verdict.RESTS))
        else:
            judgements.append(Judgement(candidate.account, best))
            best = Verdict.ELIGIBLE
    return tuple(judgements)
