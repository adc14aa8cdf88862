"""The whole story of a delivery, told as a person would. Pure: a value, and sentences made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import attrs

from tocsin.model.message import Message
from tocsin.model.report import ReportState
from tocsin.outbox.record import Attempt, Chapter, Delivery, Explanation, Transition
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
        asked = ", then ".join(f"{one.account}: {outcome_in_words(one)}" for one in story.attempts)
        return "; ".join(filter(None, (asked, _details(story, without={one.account for one in story.attempts}))))
    if story.chapters and (story.delivery.state in _EXPLAINED or _is_put_off(story)):
        reason, details = str(story.chapters[-1].explanation["why"]), _details(story)
        return f"{reason} ({details})" if details else reason
    return ""


_EXPLAINED = (State.FAILED, State.PARKED, State.EXPIRED)


def _is_put_off(story: Story) -> bool:
    """Say whether a delivery waits in the queue because nobody can take it just now."""
    return story.delivery.state is State.QUEUED and story.chapters[-1].explanation["decision"] == "later"


def _details(story: Story, without: Collection[str] = ()) -> str:
    """Say what stood in the accounts' way at the last decision."""
    if not story.chapters:
        return ""
    judged: Sequence[Mapping[str, str]] = story.chapters[-1].explanation.get("candidates", ())
    told = (one for one in judged if "detail" in one and one["account"] not in without)
    return _grouped((one["account"], one["detail"]) for one in told)


def tell(story: Story) -> tuple[tuple[datetime, str], ...]:
    """Return the story as dated sentences, in the order of events."""
    events = [*_beginning(story), *_decisions(story), *_attempts(story), *_endings(story)]
    return tuple((at, sentence) for at, _, sentence in sorted(events, key=lambda event: event[:2]))


Event = tuple[datetime, int, str]
"""When, which of those at the same time, and what."""


def _beginning(story: Story) -> Iterator[Event]:
    message, delivery = story.message, story.delivery
    only = "" if delivery.only is None else f", for {delivery.only} alone"
    yield message.accepted_at, 0, f"accepted as {message.cls} from {message.source}, on route {delivery.route}{only}"
    if message.send_at is not None:
        yield message.accepted_at, 1, f"to be sent at {message.send_at.isoformat(timespec='seconds')}"


def _decisions(story: Story) -> Iterator[Event]:
    for number, chapter in enumerate(story.chapters):
        decision = chapter.explanation
        candidates: Sequence[Mapping[str, str]] = decision.get("candidates", ())
        others = _grouped(_judged(one) for one in candidates if one["account"] != decision.get("account"))
        sentence = f"decided to {_decided(decision)}: {decision['why']}{_in_spite_of(decision)}"
        yield chapter.at, 10 + number, sentence + (f" [{others}]" if others else "")


def _decided(decision: Explanation) -> str:
    """Say what was decided, as it follows `decided to`."""
    match decision["decision"]:
        case "submit":
            copy = f", as copy {decision['copy']} of {decision['max_copies']}" if decision.get("copy", 1) > 1 else ""
            return f"submit through {decision['account']}{copy}"
        case "later":
            return f"ask again {_until(decision, 'at')}"
        case "await_report":
            return "wait for the report"
        case "undelivered":
            return "leave it at that"
        case other:
            return str(other).replace("_", " ")


def _until(decision: Explanation, preposition: str) -> str:
    """Say when a decision is to be made again, as closures say it."""
    if "until" not in decision:
        return "later"
    return f"{preposition} {datetime.fromisoformat(decision['until']).astimezone(UTC):%H:%M:%S} UTC"


def _in_spite_of(decision: Explanation) -> str:
    """Say what was passed over for the account that was chosen."""
    chosen = [one for one in decision.get("candidates", ()) if one["account"] == decision.get("account")]
    closed = "; ".join(one["detail"] for one in chosen if "detail" in one)
    return f", although {closed}" if closed else ""


def _judged(one: Mapping[str, str]) -> tuple[str, str]:
    """Return an account, and what was thought of it."""
    detail = one.get("detail", "")
    match one["verdict"]:
        case "closed":
            return one["account"], detail
        case "cannot_carry":
            return one["account"], f"cannot carry it, {detail}" if detail else "cannot carry it"
        case "rests":
            return one["account"], "had its turn"
        case other:
            return one["account"], other.replace("_", " ")


def _grouped(thoughts: Iterable[tuple[str, str]]) -> str:
    """Join what was thought of accounts, those together of which the same was thought."""
    accounts: dict[str, list[str]] = {}
    for account, thought in thoughts:
        accounts.setdefault(thought, []).append(account)
    return "; ".join(f"{_and(names)}: {thought}" for thought, names in accounts.items())


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _attempts(story: Story) -> Iterator[Event]:
    for attempt in story.attempts:
        if attempt.settled_at is not None:
            came_of_it = f"{outcome_in_words(attempt)}{_bill(attempt)}"
            yield attempt.settled_at, 5, f"attempt {attempt.number}, {attempt.account}: {came_of_it}"
        if attempt.report is not None:
            settled_at = attempt.settled_at or attempt.intended_at
            at = max(settled_at, attempt.report_at or settled_at)
            code = f" ({attempt.report_code})" if attempt.report_code else ""
            yield at, 20, f"report for attempt {attempt.number}: {_reported(attempt.report)}{code}"


def _bill(attempt: Attempt) -> str:
    """Say what the vendor bills for what it has taken, or may have taken, where that says something."""
    if not attempt.state.may_ring or (attempt.segments < 2 and not attempt.cost):
        return ""
    segments = "1 segment" if attempt.segments == 1 else f"{attempt.segments} segments"
    return f"; {segments}, {plain(attempt.cost)}" if attempt.cost else f"; {segments}"


def plain(money: Decimal) -> str:
    """Return money without the zeros behind it that say nothing: `12`, `0.10`, `0.045`."""
    whole, _, fraction = f"{money:f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction:0<2}" if fraction else whole


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
