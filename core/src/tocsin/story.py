"""The whole story of a delivery, told as a person would. Pure: a value, and sentences made of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import attrs

from tocsin.model.message import Message
from tocsin.model.report import ReportState
from tocsin.outbox.record import Attempt, Chapter, Delivery, Transition
from tocsin.outbox.state import AttemptState, State


@attrs.frozen(kw_only=True)
class Story:
    """All that is known of one delivery.

    Args:
        message: what it is a delivery of.
        delivery: where it stands.
        attempts: each try, in order.
        chapters: each decision, in order.
        transitions: each change of state, in order.
    """

    message: Message
    delivery: Delivery
    attempts: tuple[Attempt, ...]
    chapters: tuple[Chapter, ...]
    transitions: tuple[Transition, ...]


def reached_nobody(delivery: Delivery, attempts: tuple[Attempt, ...]) -> bool:
    """Say whether a delivery failed, or its time went by, because no vendor could be reached at all."""
    return (
        delivery.state in (State.FAILED, State.EXPIRED)
        and bool(attempts)
        and all(attempt.state is AttemptState.NOT_SENT for attempt in attempts)
    )


def why(story: Story) -> str:
    """Say in one sentence why a delivery stands where it stands; empty where there is nothing to explain."""
    if story.delivery.state is State.IN_DOUBT and story.attempts:
        last = story.attempts[-1]
        return f"nobody knows whether {last.account} took it ({last.cause})"
    if story.delivery.state is State.FAILED and story.attempts:
        return ", then ".join(f"{one.account}: {outcome_in_words(one)}" for one in story.attempts)
    if story.delivery.state in (State.FAILED, State.PARKED, State.EXPIRED) and story.chapters:
        last_decision = story.chapters[-1].explanation
        judged = [one for one in last_decision.get("candidates", ()) if "detail" in one]
        details = "; ".join(f"{one['account']}: {one['detail']}" for one in judged)
        return f"{last_decision['why']} ({details})" if details else str(last_decision["why"])
    return ""


def tell(story: Story) -> tuple[tuple[datetime, str], ...]:
    """Return the story as dated sentences, in the order of events."""
    events = [*_beginning(story), *_decisions(story), *_attempts(story), *_endings(story)]
    return tuple((at, sentence) for at, _, sentence in sorted(events, key=lambda event: event[:2]))


Event = tuple[datetime, int, str]
"""When, which of those at the same time, and what."""


def _beginning(story: Story) -> Iterator[Event]:
    message, delivery = story.message, story.delivery
    yield message.accepted_at, 0, f"accepted as {message.cls} from {message.source}, on route {delivery.route}"
    if message.send_at is not None:
        yield message.accepted_at, 1, f"to be sent at {message.send_at.isoformat(timespec='seconds')}"


def _decisions(story: Story) -> Iterator[Event]:
    for number, chapter in enumerate(story.chapters):
        decision = chapter.explanation
        what = decision["decision"].replace("_", " ")
        account = f" through {decision['account']}" if "account" in decision else ""
        sentence = f"decided to {what}{account}: {decision['why']}"
        others = [
            f"{one['account']} {one['verdict'].replace('_', ' ')}" + (f" ({one['detail']})" if "detail" in one else "")
            for one in decision.get("candidates", ())
            if one["account"] != decision.get("account")
        ]
        yield chapter.at, 10 + number, sentence + (f" [{'; '.join(others)}]" if others else "")


def _attempts(story: Story) -> Iterator[Event]:
    for attempt in story.attempts:
        if attempt.settled_at is not None:
            yield attempt.settled_at, 5, f"attempt {attempt.number}, {attempt.account}: {outcome_in_words(attempt)}"
        if attempt.report is not None:
            settled_at = attempt.settled_at or attempt.intended_at
            at = max(settled_at, attempt.report_at or settled_at)
            code = f" ({attempt.report_code})" if attempt.report_code else ""
            yield at, 20, f"report for attempt {attempt.number}: {_reported(attempt.report)}{code}"


def outcome_in_words(attempt: Attempt) -> str:
    """Say what came of an attempt, in a few words."""
    match attempt.state:
        case AttemptState.ACCEPTED:
            number = f" as {attempt.vendor_id}" if attempt.vendor_id else ", without an id"
            partial = "; it counted fewer recipients than were sent" if attempt.partial else ""
            doubt = f"outcome unknown, {attempt.cause}; by later evidence " if attempt.cause else ""
            return f"{doubt}accepted{number}{partial}"
        case AttemptState.REFUSED:
            label = "unknown" if attempt.reason is None else attempt.reason.label
            return f"refused, {label}" + (f" ({attempt.code})" if attempt.code else "")
        case AttemptState.NOT_SENT:
            return f"not sent, {attempt.cause}"
        case AttemptState.UNKNOWN:
            return f"outcome unknown, {attempt.cause}"
        case AttemptState.INTENT:
            return "on its way"


def _reported(state: ReportState) -> str:
    return {
        ReportState.DELIVERED: "delivered",
        ReportState.FAILED: "not delivered",
        ReportState.ENROUTE: "on its way",
        ReportState.UNKNOWN: "unknown",
    }[state]


def _endings(story: Story) -> Iterator[Event]:
    for number, transition in enumerate(story.transitions):
        if transition.after.terminal or transition.after in (State.PARKED, State.IN_DOUBT):
            yield transition.at, 30 + number, f"now {transition.after.replace('_', ' ')}"
