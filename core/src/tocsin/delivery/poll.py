"""Destructive polls: what a vendor answers is gone there, so it is durable here before anything reads it (T7)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from tocsin import observe
from tocsin.delivery.parts import Parts
from tocsin.delivery.salvage import keep_answer
from tocsin.errors import AnswerError, CommitUnknown, PluginError, Reached, StoreFailed, TocsinError, TransportError
from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.ids import HolderId
from tocsin.model.optout import word_in
from tocsin.model.outcome import Refused
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage, Report
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import Listening, RawAnswer
from tocsin.wire.http import Exchange, HttpResponse
from tocsin.wire.perform import decode, perform

MOST_PAGES = 100
"""Full pages that one call asks for after another. A vendor that never ends is asked again by the next call."""

Row = TypeVar("Row", Report, InboundMessage)


class PollBusy(TocsinError):
    """Somebody else polls the account just now. Ask again when they have done."""


class TooSoon(TocsinError):
    """The vendor wants more time between two balance queries. Ask again in `wait_s` seconds; nothing was sent."""

    def __init__(self, account: Account, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"account {account.id} may ask its balance again in {math.ceil(wait_s)} s")


def query_balance(parts: Parts, account: Account) -> Balance | Refused:
    """Ask an account's balance. To keep it is the caller's.

    Raises:
        TooSoon: the vendor wants more time between two queries.
        TransportError: nobody was reached, or no whole answer came.
        AnswerError: the answer is outside the vendor's grammar.
        PluginError: the plugin cannot.
    """
    plugin = parts.fleet.registry.plugin_for(account)
    every_s = plugin.capabilities(account).balance_every_s
    if every_s and (wait_s := parts.store.reserve_balance(account.id, every_s, parts.clock.now())):
        raise TooSoon(account, wait_s)
    exchange = plugin.query_balance(account, parts.clock.now())
    return perform(exchange, parts.transports.of(account, plugin))


def fetch_reports(parts: Parts, account: Account, holder: HolderId) -> tuple[Report, ...] | Refused:
    """Fetch, store and apply delivery reports; return every row, matched or not.

    Raises:
        PollBusy: somebody else polls the account.
        TransportError, AnswerError, PluginError: as for `query_balance`; what had come is stored.
    """
    plugin = parts.fleet.registry.plugin_for(account)

    def apply(raw: RawId, batch: Batch[Report]) -> None:
        parts.store.apply_reports(raw, batch, shared=account.shared, now=parts.clock.now())

    def run() -> tuple[Report, ...] | Refused:
        return _all_pages(parts, account, "reports", lambda: plugin.fetch_reports(account, parts.clock.now()), apply)

    return _listen(parts, account, holder, "reports", run)


def fetch_mo(parts: Parts, account: Account, holder: HolderId) -> tuple[InboundMessage, ...] | Refused:
    """Fetch and store inbound messages; return them. Raises as `fetch_reports` does."""
    plugin = parts.fleet.registry.plugin_for(account)

    def apply(raw: RawId, batch: Batch[InboundMessage]) -> None:
        words = parts.fleet.opt_out.words
        parts.store.apply_inbound(raw, batch, parts.clock.now(), words)
        if count := sum(bool(word_in(message.text, words)) for message in batch.rows):
            observe.log.warning(observe.OPTED_OUT, account=account.id, count=count)

    def run() -> tuple[InboundMessage, ...] | Refused:
        return _all_pages(parts, account, "inbound", lambda: plugin.fetch_mo(account, parts.clock.now()), apply)

    return _listen(parts, account, holder, "inbound", run)


def _listen(
    parts: Parts, account: Account, holder: HolderId, kind: str, run: Callable[[], tuple[Row, ...] | Refused]
) -> tuple[Row, ...] | Refused:
    """Poll under the account's lease, and write down how it went.

    The commit that takes the lease is the canary: a store that cannot write never asks a vendor.
    """
    asked_at = parts.clock.now()
    if not parts.store.begin_poll(account.id, holder, asked_at):
        raise PollBusy(f"account {account.id} is being polled by another process")
    heard = Listening(account=account.id, kind=kind, asked_at=asked_at, trouble="interrupted")
    try:
        answer = run()
        if isinstance(answer, Refused):
            heard = attrs.evolve(heard, trouble=f"refused: {answer.reason.label}")
        else:
            heard = attrs.evolve(heard, heard_at=asked_at, trouble="")
    except TransportError as error:
        heard = attrs.evolve(heard, trouble=error.cause, gaps=int(error.reached is Reached.MAYBE))
        raise
    except (AnswerError, PluginError) as error:
        heard = attrs.evolve(heard, trouble=str(error))
        raise
    finally:
        parts.store.end_poll(account.id, holder, heard)
    return answer


def _all_pages(
    parts: Parts,
    account: Account,
    kind: str,
    ask: Callable[[], Exchange[Batch[Row] | Refused]],
    apply: Callable[[RawId, Batch[Row]], None],
) -> tuple[Row, ...] | Refused:
    """Ask until a page is not full. A refusal after some pages ends them: what came is stored, and is returned."""
    rows = _left_behind(parts, account, kind, ask, apply)
    for _ in range(MOST_PAGES):
        answer, raw = _one_page(parts, account, kind, ask())
        if isinstance(answer, Refused):
            parts.store.quarantine(raw, f"refused: {answer.reason.label}", parts.clock.now())
            return tuple(rows) if rows else answer
        apply(raw, answer)
        counts = {"count": len(answer.rows), "quarantined": len(answer.unparsed)}
        observe.log.info(observe.POLL_DONE, kind=kind, account=account.id, **counts)
        rows.extend(answer.rows)
        if not answer.more:
            break
    return tuple(rows)


def _left_behind(
    parts: Parts,
    account: Account,
    kind: str,
    ask: Callable[[], Exchange[Batch[Row] | Refused]],
    apply: Callable[[RawId, Batch[Row]], None],
) -> list[Row]:
    """Read and apply the answers that a poll spooled before its process died: the vendor will not repeat them."""
    rows: list[Row] = []
    for raw, left in parts.store.unread(account.id, kind).items():
        try:
            answer = _reread(ask(), left)
        except (AnswerError, PluginError) as error:
            parts.store.quarantine(raw, str(error), parts.clock.now())
            continue
        if isinstance(answer, Batch):
            apply(raw, answer)
            rows.extend(answer.rows)
        else:
            parts.store.quarantine(raw, "holds no rows", parts.clock.now())
    return rows


def _one_page(
    parts: Parts, account: Account, kind: str, exchange: Exchange[Batch[Row] | Refused]
) -> tuple[Batch[Row] | Refused, RawId]:
    """Run one poll; each answer is spooled before it is decoded, and one that cannot be read is quarantined."""
    transport = parts.transports.of(account, parts.fleet.registry.plugin_for(account))
    spooled: list[RawId] = []

    def spool(answer: Any) -> None:
        spooled.append(_spool(parts, _raw(account, kind, answer)))

    try:
        return perform(exchange, transport, spool), spooled[-1]
    except TransportError as error:
        if error.reached is Reached.MAYBE:
            observe.log.warning(observe.REPORT_GAP, kind=kind, account=account.id, cause=error.cause)
        raise
    except (AnswerError, PluginError) as error:
        if spooled:
            parts.store.quarantine(spooled[-1], str(error), parts.clock.now())
        observe.log.error(observe.POLL_FAILED, kind=kind, account=account.id, cause=str(error))
        raise


def _spool(parts: Parts, raw: RawAnswer) -> RawId:
    """Store an answer that the vendor will not repeat: as long as somebody holds on, it is tried again."""
    while True:
        try:
            return parts.store.spool(raw, parts.clock.now())
        except CommitUnknown:
            keep_answer(parts, raw)
            raise
        except StoreFailed as error:
            names = {"kind": raw.kind, "account": raw.account}
            observe.log.error(observe.ALARM, reason="store-failed", cause=str(error), **names)
            if not parts.hold_on():
                observe.log.error(observe.REPORT_GAP, cause="store-failed", **names)
                raise


def _raw(account: Account, kind: str, answer: Any) -> RawAnswer:
    """Return an answer as it is spooled: an HTTP one so that it can be read again, any other its bytes."""
    body, fault = getattr(answer, "body", b""), getattr(answer, "fault", None)
    raw = RawAnswer(account=account.id, kind=kind, trust=Trust.POLL, body=body, fault=fault)
    if isinstance(answer, HttpResponse):
        raw = attrs.evolve(raw, status=answer.status, headers=answer.headers)
    return raw


def _reread(exchange: Exchange[Batch[Row] | Refused], raw: RawAnswer) -> Batch[Row] | Refused | None:
    """Decode a spooled answer; None for one that leads to a further request, or came by a transport of its own."""
    if raw.status is None:
        return None
    answer = HttpResponse(status=raw.status, headers=raw.headers, body=raw.body, fault=raw.fault)
    step = decode(exchange, answer)
    return None if isinstance(step, Exchange) else step
