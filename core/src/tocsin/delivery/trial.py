"""Puts a fleet into the state of a policy test, in a store of its own in memory, and asks what the policy says.

The store is brought there through its own operations: requests that leave and are settled, balances that are heard, an
operator's word. So a case cannot describe what no store could hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat

from tocsin.delivery.fleet import Fleet
from tocsin.delivery.whatif import Answer, Question, what_if
from tocsin.errors import NoRoute
from tocsin.model.account import Account
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, HolderId, MessageId, VendorId, delivery_id
from tocsin.model.message import Message
from tocsin.model.optout import OptedOut
from tocsin.model.outcome import Accepted, Sticky
from tocsin.model.phone import E164, parse_number
from tocsin.model.quality import FULL, Change, prefix_of
from tocsin.outbox.health import Answer as Heard
from tocsin.outbox.health import Sample
from tocsin.outbox.memory import open_memory
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Acceptance, Filter, Intent, NewDelivery, Settlement
from tocsin.outbox.spending import Request
from tocsin.policy.case import AccountState, Breaker, Case, Found

_HOLDER = HolderId("trial")
_ELSEWHERE = parse_number("+10000000")
"""Somebody else's number, which no case can mean: nobody has it."""

_FAILURES = 5
_AGES = {Breaker.OPEN: timedelta(seconds=1), Breaker.HALF_OPEN: timedelta(seconds=60)}
"""How long ago an account's requests failed, so that its breaker stands so now."""


def find_out(fleet: Fleet, case: Case) -> Found:
    """Return what the policy says of a case."""
    store = open_memory()
    for name, state in case.states.items():
        _bring_about(store, fleet.account(name), state, case)
    if case.opted_out:
        store.accounts.opt_out(OptedOut(number=case.to, at=case.at))
    try:
        return _found(what_if(fleet, store, _question(case)))
    except NoRoute as error:
        return Found(route=None, why=str(error))


def _question(case: Case) -> Question:
    return Question(
        to=case.to,
        text=case.text,
        cls=case.cls,
        at=case.at,
        tags=case.tags,
        source=case.source,
        tried=tuple(name for name, state in case.states.items() if state.tried),
    )


def _found(answer: Answer) -> Found:
    return Found(route=answer.route.name, accounts=answer.chosen, why=answer.decision.why, judgements=answer.judgements)


def _bring_about(store: Store, account: Account, state: AccountState, case: Case) -> None:
    """Bring a store to where the account stands so."""
    _use(store, account.id, state, case)
    store.settle((), case.at, tuple(_samples(account.id, state, case.at)))
    if state.balance is not None:
        balance = Balance(amount=state.balance, unit=Unit.CNY, as_of=case.at)
        store.accounts.hear_balance(account.id, balance, account.balance_floor, case.at)
    if state.quality is not None:
        change = Change(
            account=account.id,
            prefix=prefix_of(case.to),
            before=FULL,
            after=state.quality,
            reason="the case says so",
            at=case.at,
        )
        store.accounts.save_changes((change,))
    if state.disabled:
        store.accounts.disable(account.id, case.at)


def _samples(account: AccountId, state: AccountState, at: datetime) -> Iterator[Sample]:
    """Yield what requests came to, the oldest first."""
    if state.breaker in _AGES:
        failed_at = at - _AGES[state.breaker]
        for _ in range(_FAILURES):
            yield Sample(account=account, at=failed_at, began_at=failed_at, answer=Heard.FAILED)
    for sticky, is_so in ((Sticky.DRAINED, state.drained), (Sticky.FORCED_OPEN, state.refused)):
        if is_so:
            yield Sample(account=account, at=at, began_at=at, answer=Heard.NEUTRAL, sticky=sticky)


def _use(store: Store, account: AccountId, state: AccountState, case: Case) -> None:
    """Let requests leave through an account, each with one message, and be accepted."""
    to = (_ELSEWHERE,) * state.submits + (case.to,) * state.recipient or (_ELSEWHERE,) * bool(state.spent)
    costs = chain((state.spent,), repeat(Decimal(0)))
    if not to:
        return
    message = store.accept(_acceptance(account, to, case), case.at)
    deliveries = store.deliveries(Filter(message=message))
    requests = [
        Request(
            account=account,
            cls=case.cls,
            intents=(Intent(delivery=one.id, epoch=one.epoch, account=account, explanation={}, cost=cost),),
        )
        for one, cost in zip(deliveries, costs, strict=False)
    ]
    attempts = [one for leaving in store.intend(requests, case.at) for one in leaving]
    taken = Accepted(VendorId("taken"))
    store.settle(tuple(Settlement(attempt=one.id, epoch=1, outcome=taken) for one in attempts), case.at)


def _acceptance(account: AccountId, to: tuple[E164, ...], case: Case) -> Acceptance:
    message = Message(
        id=MessageId(f"used-{account.replace('.', '-')}"), to=to, text=case.text, cls=case.cls, accepted_at=case.at
    )
    deliveries = tuple(
        NewDelivery(
            id=delivery_id(message.id, position),
            to=one,
            route="used",
            due_at=case.at,
            expires_at=case.at + timedelta(days=1),
        )
        for position, one in enumerate(to, start=1)
    )
    return Acceptance(message=message, deliveries=deliveries, fingerprint="", holder=_HOLDER)
