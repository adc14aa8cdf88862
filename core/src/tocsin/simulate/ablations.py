"""Every safeguard that can be taken out, and which rule or invariant it stands for; a test asserts that all are here.

Each must be caught by a simulation within a thousand seeds: an invariant that nothing breaks when its safeguard is gone
is either not checked, or not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from tocsin import registry
from tocsin.delivery import ask, poll, submit
from tocsin.delivery.submit import Lease
from tocsin.errors import PluginError
from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId, VendorId
from tocsin.model.outcome import NotSent
from tocsin.model.phone import Msisdn
from tocsin.model.report import Batch, Report
from tocsin.outbox import accepting, arrivals, claims, evidence, settling, store
from tocsin.outbox.arrivals import Arrivals
from tocsin.outbox.claims import LEASE
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.moves import Moves
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import Acceptance, Attempt, Delivery, Settlement, StoredReport
from tocsin.outbox.rows import Rows
from tocsin.outbox.spending import Request
from tocsin.outbox.state import AttemptState, Event, State
from tocsin.outbox.store import Outbox
from tocsin.policy.decide import decide
from tocsin.policy.standing import Standing, settled_at
from tocsin.simulate.ablation import Ablation, Cut
from tocsin.simulate.account_ablations import ACCOUNT_ABLATIONS, PARTS
from tocsin.wire.http import Exchange
from tocsin.wire.transport import Transport

RULES = (*(f"T{number}" for number in range(1, 8)), *(f"I{number}" for number in range(1, 17)), *PARTS)
"""The rules of delivery and its invariants, as the documents number them, and the parts of routing by their names."""

PENDING = ("I15", "I16")
"""Those whose part is not built: escalation, acknowledgement. They join with it."""


def _accept_in_two(self: Outbox, acceptance: Acceptance, now: datetime) -> MessageId:
    message, rows = acceptance.message, self._rows
    with rows.transaction("accept"):
        owners = rows.key_owners([message.idempotency_key] if message.idempotency_key is not None else [])
        for owner, _ in owners.values():
            return owner
        rows.add_messages([(message, acceptance.fingerprint)])
    with rows.transaction("accept the rest"):
        queued = [accepting._queued(message, new, 0, now) for new in acceptance.deliveries]
        rows.save_deliveries(queued)
        if acceptance.holder is not None:
            claims.take(rows, queued, acceptance.holder, now)
    return message.id


def _take_as_it_was(rows: Rows, queued: Iterable[Delivery], holder: HolderId, now: datetime) -> list[Delivery]:
    rows.save_holder(holder, now + LEASE)
    with Moves(rows, now) as moves:
        return [moves.move(one, Event.CLAIM, holder=holder) for one in queued]


def _take_without_lease(rows: Rows, queued: Iterable[Delivery], holder: HolderId, now: datetime) -> list[Delivery]:
    with Moves(rows, now) as moves:
        return [moves.move(one, Event.CLAIM, holder=holder, epoch=one.epoch + 1) for one in queued]


def _intend_nothing(self: Outbox, requests: Sequence[Request], now: datetime) -> tuple[Any, ...]:
    history = self._rows.attempts_of(one.delivery for request in requests for one in request.intents)
    return tuple(settling.one_request(request.intents, history, now) for request in requests)


def _settle_whatever(
    moves: Moves,
    settlements: Iterable[Settlement],
    attempts: Mapping[AttemptId, Attempt],
    history: Mapping[DeliveryId, tuple[Attempt, ...]],
    deliveries: Mapping[DeliveryId, Delivery],
) -> list[Attempt]:
    changed = []
    for one in settlements:
        delivery = deliveries[attempts[one.attempt].delivery]
        changed.append(attempts[one.attempt].settled(one.outcome, moves.now))
        settling._after_outcome(moves, delivery, one, history[delivery.id])
    return changed


def _settle_in_time_only(
    moves: Moves,
    settlements: Iterable[Settlement],
    attempts: Mapping[AttemptId, Attempt],
    history: Mapping[DeliveryId, tuple[Attempt, ...]],
    deliveries: Mapping[DeliveryId, Delivery],
) -> list[Attempt]:
    in_time = [one for one in settlements if attempts[one.attempt].state is AttemptState.INTENT]
    return _SETTLE_EACH(moves, in_time, attempts, history, deliveries)


_SETTLE_EACH = settling.settle_each


def _abandon_as_unsent(rows: Rows, holder: HolderId, now: datetime) -> tuple[int, list[Attempt]]:
    held = rows.held_by(holder)
    sending = [one for one in held if one.state is State.SENDING]
    history = rows.attempts_of(one.id for one in sending)
    with Moves(rows, now) as moves:
        for one in held:
            moves.move(one, Event.TRY_AGAIN if one.state is State.SENDING else Event.RELEASE)
    rows.save_attempts(history[one.id][-1].settled(NotSent("holder-lost"), now) for one in sending)
    rows.save_holder(holder, None)
    return len(held), []


def _join_the_last(attempt: Attempt, report: Report) -> Attempt:
    joined = _JOIN(attempt, report)
    return attrs.evolve(joined, report=report.state, report_code=report.code, report_at=report.at)


_JOIN = evidence.join


def _keep_matched_only(self: Arrivals, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:
    with self._rows.transaction("reports"):
        answer = self._rows.get_raw(raw)
        stored = [
            StoredReport(account=answer.account, report=one, trust=answer.trust, received_at=now, shared=shared)
            for one in batch.rows
        ]
        matched = [self._match(one, now) for one in stored]
        self._rows.add_reports(raw, [one for one in matched if one.delivery is not None])
        self._rows.mark_read(raw)
        self._rows.add_quarantine(raw, batch.unparsed, now)


def _any_doubt(ringing: Iterable[Attempt], _: Report, __: datetime) -> Attempt | None:
    return next((one for one in ringing if one.state is AttemptState.UNKNOWN), None)


def _apply_as_unshared(self: Outbox, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:  # noqa: ARG001
    self._arrivals.apply_reports(raw, batch, shared=False, now=now)


def _accepted_by_any(self: MemoryRows, _: AccountId, vendor_id: VendorId, to: Msisdn) -> Attempt | None:
    ours = (one for one in self._tables.attempts.values() if self._tables.deliveries[one.delivery].to == to)
    return next((one for one in ours if one.vendor_id == vendor_id), None)


def _perform_then_spool(
    exchange: Exchange[Any], transport: Transport, on_answer: Callable[[Any], None] | None = None
) -> Any:
    answer = transport.perform(exchange.request)
    result = exchange.decode(answer)
    if on_answer is not None:
        on_answer(answer)
    return result


def _read_and_forget(self: Arrivals, raw: RawId, _: str, __: datetime) -> None:
    with self._rows.transaction("quarantine"):
        self._rows.mark_read(raw)


def _move_on_from_anything(self: Standing, copy: Attempt, now: datetime) -> bool:
    return self.rules.moves_on_silence and self.is_silent(copy, now)


def _due_at_once(self: Standing, copy: Attempt) -> datetime | None:
    return None if self.rules.report_timeout is None else settled_at(copy)


def _same_message_whatever(owner: tuple[MessageId, str], _: str) -> MessageId:
    return owner[0]


def _quote(self: Any, hook: str, expected: type[Any], **arguments: Any) -> Any:
    try:
        return _CALL(self, hook, expected, **arguments)
    except PluginError as error:
        told = error.__context__
        raise PluginError(f"plugin {self.name}: {hook} raised {told}") from None


_CALL = registry._Plugin._call


def _decide_in_time(standing: Standing, *more: Any) -> Any:
    return decide(attrs.evolve(standing, expires_at=datetime.max.replace(tzinfo=UTC)), *more)


def _all_are_in_time(group: Any, _: datetime) -> dict[DeliveryId, Any]:
    return {one.delivery.id: one for one in group.planned.values()}


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


def _ablation(name: str, rules: str, *cuts: Cut) -> Ablation:
    return Ablation(name=name, rules=tuple(rules.split()), cuts=cuts)


ABLATIONS: tuple[Ablation, ...] = (
    _ablation("accept in two transactions", "T1 I1", Cut(Outbox, "accept", _accept_in_two)),
    _ablation("claim without a new epoch", "T2", Cut(store, "take", _take_as_it_was)),
    _ablation("claim without a lease", "T2", Cut(store, "take", _take_without_lease)),
    _ablation("no INTENT before the bytes", "T3 I2", Cut(Outbox, "intend", _intend_nothing)),
    _ablation("outcomes of lost claims are written", "T4", Cut(store, "settle_each", _settle_whatever)),
    _ablation("a late acceptance is thrown away", "T4", Cut(store, "settle_each", _settle_in_time_only)),
    _ablation("what was being sent is queued again", "T5", Cut(store, "abandon", _abandon_as_unsent)),
    _ablation("nobody looks for the dead", "T5 I14", Cut(Outbox, "recover", lambda _, __: 0)),
    _ablation("no look at the lease before the bytes", "T6", Cut(Lease, "is_short", False)),
    _ablation("the last report wins", "T7 I6", Cut(arrivals, "join", _join_the_last)),
    _ablation("reports that match nothing are dropped", "T7", Cut(Arrivals, "apply_reports", _keep_matched_only)),
    _ablation("reports that came first are not matched again", "T7", Cut(Arrivals, "rematch", _nothing)),
    _ablation("any doubt of that number will do", "T7 I8", Cut(arrivals, "only_doubt", _any_doubt)),
    _ablation("a shared account settles doubts", "T7 I8", Cut(Outbox, "apply_reports", _apply_as_unshared)),
    _ablation("a report is any account's", "I8", Cut(MemoryRows, "accepted_as", _accepted_by_any)),
    _ablation("silence about an accept without an id", "I3", Cut(Standing, "moves_on", _move_on_from_anything)),
    _ablation(
        "silence counts at once",
        "I3",
        Cut(Standing, "report_due_at", _due_at_once),
        Cut(submit, "ask_again_at", _nothing),
    ),
    _ablation("INTENT without a claim", "I4", Cut(store, "stands", lambda *_: True)),
    _ablation("copies are not counted", "I5", Cut(Standing, "copies", 0)),
    _ablation("an answer is read again and again", "I6", Cut(MemoryRows, "mark_read", _nothing)),
    _ablation("answers are read before they are stored", "I7 T7", Cut(poll, "perform", _perform_then_spool)),
    _ablation("what cannot be read is dropped", "I7", Cut(Arrivals, "quarantine", _read_and_forget)),
    _ablation(
        "nobody looks at the expiry",
        "I9",
        Cut(ask, "decide", _decide_in_time),
        Cut(submit, "_in_time", _all_are_in_time),
    ),
    _ablation("keys are not looked up", "I11", Cut(MemoryRows, "key_owners", lambda _, __: {})),
    _ablation("one key for two bodies", "I11", Cut(accepting, "_same_message", _same_message_whatever)),
    _ablation("changes leave no audit row", "I12", Cut(MemoryRows, "add_transitions", _nothing)),
    _ablation("a plugin's words are repeated", "I13", Cut(registry._Plugin, "_call", _quote)),
    _ablation("nobody asks about what waits", "I14", Cut(Outbox, "awaiting", lambda *_: ())),
    *ACCOUNT_ABLATIONS,
)
