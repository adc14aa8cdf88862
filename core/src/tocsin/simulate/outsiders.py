"""Operators and recipients: what they do to the store from outside, and the truth about what they did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tocsin.model.ids import AccountId
from tocsin.model.phone import E164
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage
from tocsin.outbox.record import RawAnswer
from tocsin.simulate.seen import Kind
from tocsin.simulate.terms import Deed, Errand

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_WATCH_S = 60.0
_WATCHED_S = 3600.0


class Outsiders:
    """Whoever runs the errands of a scenario.

    Attributes:
        disabled: accounts that an operator has taken out of use.
        opted_out: numbers that want no more.
        resuming: the account that an operator is just putting back.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.disabled: set[AccountId] = set()
        self.opted_out: set[E164] = set()
        self.resuming: AccountId | None = None
        for errand in world.scenario.house.errands:
            if errand.account is None or errand.account in world.vendors:
                whom = errand.account or f"place {errand.place}"
                world.timeline.after(errand.at_s, f"somebody {errand.deed}: {whom}", partial(self._run, errand))
        if world.scenario.house.storm:
            for number in range(1, int(_WATCHED_S / _WATCH_S)):
                world.timeline.after(number * _WATCH_S, "watch", self._watch)

    def _run(self, errand: Errand) -> None:
        match errand.deed, errand.account:
            case Deed.DISABLE, account if account is not None:
                self._disable(account)
            case Deed.RESUME, account if account is not None:
                self._resume(account)
            case Deed.TOP_UP, account if account is not None:
                self._top_up(account)
            case Deed.OPT_OUT, _:
                self._opt_out(self._world.phone(errand.place))
            case _:
                self._opt_in(self._world.phone(errand.place))

    def _disable(self, account: AccountId) -> None:
        self._world.saw(Kind.DISABLED)
        self._world.store.accounts.disable(account, self._world.timeline.now())
        self.disabled.add(account)

    def _resume(self, account: AccountId) -> None:
        self._world.saw(Kind.RESUMED)
        self.disabled.discard(account)
        self.resuming = account
        self._world.store.accounts.resume(account, self._world.timeline.now())
        self.resuming = None

    def _top_up(self, name: AccountId) -> None:
        """Let the account have money, and its balance be asked."""
        self._world.saw(Kind.TOPPED_UP)
        vendor = self._world.vendor(name)
        vendor.top_up()
        if (balance := vendor.balance) is not None:
            floor = vendor.account.balance_floor
            self._world.store.accounts.hear_balance(name, balance, floor, self._world.timeline.now())

    def _opt_out(self, to: E164) -> None:
        """Write the word to some account of ours."""
        self._world.saw(Kind.OPTED_OUT)
        store, now, account = self._world.store, self._world.timeline.now(), next(iter(self._world.vendors))
        raw = store.spool(RawAnswer(account=account, kind="inbound", trust=Trust.POLL, body=b"TD"), now)
        batch = Batch(rows=(InboundMessage(sender=to, text="td."),))
        store.apply_inbound(raw, batch, now, self._world.fleet.opt_out.words)
        self.opted_out.add(to)

    def _opt_in(self, to: E164) -> None:
        self._world.saw(Kind.OPTED_IN)
        self._world.store.accounts.opt_in(to)
        self.opted_out.discard(to)

    def _watch(self) -> None:
        self._world.waking.watch()
        self._world.scales.look()
