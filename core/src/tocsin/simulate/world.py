"""One simulated world: workers, clients and vendors around one store, in virtual time, one event after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from tocsin.delivery.arrive import StoringSink
from tocsin.delivery.fleet import Fleet
from tocsin.delivery.parts import Parts
from tocsin.delivery.submit import Arrival, Departure
from tocsin.delivery.transports import Transports
from tocsin.errors import AnswerError
from tocsin.model.account import Account, Limits
from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.outcome import Refused, SendResult
from tocsin.model.phone import E164
from tocsin.model.quality import Change
from tocsin.model.report import Batch, Report
from tocsin.model.submission import Submission
from tocsin.outbox.health import Health
from tocsin.outbox.record import Attempt
from tocsin.outbox.store import Outbox
from tocsin.policy.route import Route, RuleChanges
from tocsin.registry import Registry, VendorPlugin
from tocsin.simulate.actor import Actor
from tocsin.simulate.auditor import Auditor
from tocsin.simulate.checks import Checks
from tocsin.simulate.client import SimClient
from tocsin.simulate.dice import dice_of
from tocsin.simulate.outsiders import Outsiders
from tocsin.simulate.physician import Physician
from tocsin.simulate.plugin import SimPlugin, SimRequest, SimSettings, SimTransport
from tocsin.simulate.reports import hand_out
from tocsin.simulate.rows import SimRows
from tocsin.simulate.scales import Scales
from tocsin.simulate.scenario import PLACES, Blow, Scenario, Sending, VendorPlan
from tocsin.simulate.seen import Kind
from tocsin.simulate.timeline import START, Timeline
from tocsin.simulate.vendor import Answer, SimVendor
from tocsin.simulate.waking import Waking
from tocsin.simulate.worker import SimWorker
from tocsin.wire.http import HttpResponse

PHONES = tuple(E164(f"+861390000000{place}") for place in range(PLACES))
_SEND_FAULTS = 0.04
_LAST_POLL_S = 250 * 3600.0
"""Long after all windows are closed every account is polled once more: what a dead poller left behind is read then."""


class World:
    """A world at its beginning. `tocsin.simulate.life` lets it live.

    Args:
        scenario: what is to happen.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.timeline = Timeline()
        self.seen: Counter[Kind] = Counter()
        self.rows = SimRows(self._boundary)
        self.store = Outbox(self.rows, self._is_dead)
        self.dead: set[HolderId] = set()
        self.checks = Checks(self)
        self.auditor = Auditor(self)
        self.physician = Physician(self)
        self.scales = Scales(self)
        self.rows.books.onlooker = self
        self._actor: Actor | None = None
        self._polled_again: set[AccountId] = set()
        self._answers: list[Answer | Batch[Report] | Refused] = []
        self._accounts = {AccountId(plan.name): _account(plan) for plan in scenario.vendors}
        self.vendors = {
            AccountId(plan.name): SimVendor(plan, self._accounts[AccountId(plan.name)], self)
            for plan in scenario.vendors
        }
        self.fleet = self._make_fleet()
        self._dice = dice_of(f"world {scenario.seed}")
        self.workers = [SimWorker(self, number) for number in range(scenario.workers)]
        self.clients = [SimClient(self, sending) for sending in scenario.sendings]
        self.waking = Waking(self, self._dice)
        self.outsiders = Outsiders(self)
        for vendor in self.vendors.values():
            self.expect_reports(vendor, _LAST_POLL_S)
        for blow in scenario.blows:
            self.timeline.after(blow.at_s, f"worker {blow.worker} is struck: {blow.strike}", self._blow(blow))

    # who is where

    def parts(self, dice: Random) -> Parts:
        """Return the parts that a process works with."""
        return Parts(
            fleet=self.fleet,
            store=self.store,
            transports=Transports(
                lambda: SimTransport(self), lambda account: StoringSink(self.store, self.timeline, account)
            ),
            clock=self.timeline,
            dice=dice.random,
        )

    def account(self, name: AccountId) -> Account:
        """Return an account."""
        return self._accounts[name]

    def vendor(self, account: AccountId) -> SimVendor:
        """Return the vendor of an account."""
        return self.vendors[account]

    def phone(self, place: int) -> E164:
        """Return the number at a place."""
        return PHONES[place]

    def place_of(self, to: E164) -> int:
        """Return the place of a number."""
        return PHONES.index(to)

    def text_of(self, sending: Sending) -> str:
        """Return the text of a message: every message has its own."""
        return f"text number {sending.number}"

    def due(self, sending: Sending) -> datetime | None:
        """Return when a message asks to be sent; None for at once."""
        if not sending.delay_s or sending.now:
            return None
        return START + timedelta(seconds=sending.at_s + sending.delay_s)

    def delivery_of(self, attempt: AttemptId) -> DeliveryId:
        """Return the delivery of an attempt, by its name alone."""
        return DeliveryId(attempt.rsplit(".", 1)[0])

    def message_of(self, sending: Sending) -> MessageId | None:
        """Return the message that the store has of a sending, acknowledged or not."""
        return self.checks.message_with(self.text_of(sending))

    # what happens

    def saw(self, kind: Kind) -> None:
        """Count a fault."""
        self.seen[kind] += 1

    def violated(self, invariant: str, where: str, what: str) -> None:
        """End this world: something happened that must not."""
        self.checks.fail(invariant, where, what)

    @contextmanager
    def stage(self, actor: Actor) -> Iterator[None]:
        """Let boundaries be an actor's, for a while."""
        before, self._actor = self._actor, actor
        try:
            yield
        finally:
            self._actor = before

    def gone(self, holder: HolderId) -> None:
        """Let a holder's lock be free."""
        self.dead.add(holder)

    def acknowledged(self, sending: Sending, message: MessageId) -> None:
        """Note that a client was told that its message is accepted."""
        self.checks.acknowledged(sending, message)

    def carry(self, departure: Departure, run: Callable[[], SendResult]) -> SendResult:
        """Run an exchange at once; its vendor knows how long the answer takes."""
        self.vendor(departure.account.id).delay_s = 0.0
        return run()

    def begins(self, attempts: tuple[Attempt, ...]) -> None:
        """Look on while a request gets its INTENT."""
        self.auditor.begins(attempts)
        self.physician.begins(attempts)

    def fares(self, before: Health, after: Health) -> None:
        """Look on while the health of an account changes."""
        self.physician.fares(before, after)

    def moves(self, changes: tuple[Change, ...]) -> None:
        """Look on while weights change."""
        self.scales.moves(changes)

    def settled(self, arrivals: list[Arrival]) -> None:
        """Note that outcomes were committed."""
        self.checks.settled(arrivals)

    def before_request(self, account: AccountId, submission: Submission) -> None:
        """Be asked for a request: a plugin may fail over that, and say what nobody may repeat."""
        if self.vendor(account).happens(_SEND_FAULTS):
            self.saw(Kind.SEND_FAULT)
            raise RuntimeError(f"a defect over {submission.to[0].full}, {submission.texts[0]}")

    def meet(self, request: SimRequest) -> HttpResponse:
        """Let a vendor meet a request, and number what it answers.

        Raises:
            TransportError: no answer comes.
        """
        vendor = self.vendor(request.account)
        if request.submission is not None:
            attempts = self.checks.leaving(request.account, request.submission)
            self._answers.append(vendor.submit(request.submission, attempts))
        else:
            rows, answer = hand_out(vendor, self)
            self._answers.append(answer)
            self.checks.handed(len(self._answers) - 1, rows, answer)
        return HttpResponse(status=200, body=str(len(self._answers) - 1).encode())

    def decode_send(self, answer: HttpResponse) -> SendResult:
        """Decode the answer to a submit."""
        found = self._answers[int(answer.body)]
        if isinstance(found, Exception):
            raise found
        if not isinstance(found, SendResult):
            raise AnswerError("not an answer to a submit")
        return found

    def decode_reports(self, answer: HttpResponse) -> Batch[Report] | Refused:
        """Decode the answer to a poll: by then it is on the disk (I7)."""
        self.checks.decoding(answer.body)
        found = self._answers[int(answer.body)]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, SendResult):
            raise AnswerError("not an answer to a poll")
        return found

    def listen(self, vendor: SimVendor, delivery: DeliveryId) -> None:
        """Poll once more when a report is overdue: silence counts only where somebody listened."""
        timeout = self.checks.rules_of(delivery).report_timeout
        if timeout is not None:
            self.expect_reports(vendor, timeout.total_seconds() + 1.0)

    def expect_reports(self, vendor: SimVendor, delay_s: float) -> None:
        """Let some worker poll a vendor, a while after something may be there."""
        pause_s = self._dice.choice((0.0, 0.1, 3.0, 15.0))
        self.timeline.after(delay_s + pause_s, f"poll {vendor.id}", lambda: self.waking.poll(vendor.id))

    def poll_again(self, account: AccountId) -> None:
        """Let some worker poll a vendor again after a poll that failed."""
        if account in self._polled_again:
            return
        self._polled_again.add(account)

        def again() -> None:
            self._polled_again.discard(account)
            self.waking.poll(account)

        self.timeline.after(self._dice.choice((5.0, 30.0, 120.0)), f"poll {account} again", again)

    def _boundary(self, name: str) -> None:
        if self._actor is not None:
            self._actor.reach(name)

    def _is_dead(self, holder: HolderId) -> bool:
        return self.scenario.locks and holder in self.dead

    def _blow(self, blow: Blow) -> Callable[[], None]:
        return lambda: self.workers[blow.worker].meet(blow.strike, blow.measure)

    def _make_fleet(self) -> Fleet:
        plugins = {plan.name: VendorPlugin(plan.name, SimPlugin(plan, self), "1") for plan in self.scenario.vendors}
        house = self.scenario.house
        changes = RuleChanges(
            when_in_doubt=self.scenario.when_in_doubt,
            max_copies=self.scenario.max_copies,
            expires_after=None if house.expires_s is None else timedelta(seconds=house.expires_s),
        )
        route = Route(
            name="all",
            strategy=house.strategy,
            accounts=tuple(self._accounts),
            weights={AccountId(plan.name): plan.terms.weight for plan in self.scenario.vendors},
            changes=changes,
        )
        usual = FleetLimits()
        return Fleet(
            limits=FleetLimits(
                per_recipient=usual.per_recipient if house.overall is None else house.overall,
                critical_per_recipient=usual.critical_per_recipient if house.overall is None else house.overall,
                spend_per_day=house.cap,
            ),
            opt_out=OptOut(exempt=house.exempt),
            budgets=house.budgets,
            registry=Registry(vendors=plugins, middleware=(), unavailable=()),
            accounts=self._accounts,
            routes=(route,),
        )


def _account(plan: VendorPlan) -> Account:
    terms = plan.terms
    return Account(
        id=AccountId(plan.name),
        vendor=plan.name,
        base_url="http://vendor.invalid",
        settings=SimSettings(),
        price=terms.price,
        limits=Limits(
            max_recipients=plan.roomy,
            submits=terms.submits,
            per_recipient=terms.per_recipient,
            limit_scope="account" if terms.by_account else "number",
            spend_per_day=terms.cap,
        ),
        balance_floor=terms.floor,
        shared=plan.shared,
    )
