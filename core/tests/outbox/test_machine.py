"""Any life that deliveries may lead, in every kind of store at once: what is seen is the same, and the invariants hold.

The machine does what a pass of `send --now`, a worker's desk, its look at what waits, the polls and an operator do, in
any order, with several holders that die, answers that come late, and decisions that are carried out long after they
were made. It asks the policy as they do, and says yes wherever the policy does.
"""

import sys
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tocsin.errors import KeyConflict
from tocsin.model.ids import AccountId, HolderId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.claims import LEASE
from tocsin.outbox.evidence import EVIDENCE_WINDOW
from tocsin.outbox.gauges import Tally
from tocsin.outbox.record import Filter, Listening, Settlement, Verdict
from tocsin.outbox.spending import Request
from tocsin.outbox.state import AttemptState, Event, State
from tocsin.policy.decide import decide
from tocsin.policy.decision import AwaitReport, CloseWindow, Expire, GiveUp, Later, Park, Submit, Undelivered, Wait
from tocsin.policy.explain import explain
from tocsin.policy.judge import Candidate
from tocsin.policy.route import CLASS_RULES
from tocsin.policy.standing import Standing, ask_again_at

ACCOUNTS = AccountId("main"), AccountId("backup"), AccountId("third")
HOLDERS = HolderId("a"), HolderId("b"), HolderId("c")
WAITING = State.QUEUED, State.IN_DOUBT, State.SUBMITTED
UNDER_WAY = *WAITING, State.CLAIMED, State.SENDING
FEW = 3
"""So many deliveries at a time that each goes far, and that they get into each other's way."""

CLOSES = {
    GiveUp: Event.GIVE_UP,
    Park: Event.PARK,
    Expire: Event.EXPIRE,
    Undelivered: Event.REPORTED_FAILED,
    CloseWindow: Event.WINDOW_CLOSED,
}

numbers = st.sampled_from(["13900000001", "13900000002"])
holders = st.sampled_from(HOLDERS)
accounts = st.sampled_from(ACCOUNTS)
positions = st.integers(0, 1000)
dice = st.sampled_from([0, 0.5, 1])
reasons = (Reason.KEYWORD, Reason.BALANCE, Reason.INVALID_NUMBER, Reason.RETRY_ONCE, Reason.SPLIT, Reason.THROTTLED)
proofs = st.sampled_from([NotSent("dns"), *map(Refused, reasons)])
outcomes = st.sampled_from(["taken", "unknown", "uncorrelated"]) | proofs
beginnings = st.lists(outcomes, min_size=1, max_size=2)
classes = st.sampled_from([*MessageClass, MessageClass.ALERT, MessageClass.CRITICAL])
reported = st.sampled_from([*ReportState, ReportState.FAILED, ReportState.FAILED])


class Life(RuleBasedStateMachine):
    """Deliveries in two stores."""

    def __init__(self, open_kind, check):
        super().__init__()
        self._stack = ExitStack()
        self.desks = [self._stack.enter_context(open_kind(kind)) for kind in ("memory", "sqlite")]
        self._check = check
        self.vendor_ids = {}
        self.reported, self.rung_nobody = set(), set()
        self.flights, self.plans, self.views, self.told = [], {}, [], []
        self.hindered = set()

    def both(self, act):
        """Do the same with each store; both must answer the same."""
        first, second = (act(desk) for desk in self.desks)
        assert first == second
        return first

    @property
    def desk(self):
        """One of them, to look at."""
        return self.desks[0]

    def deliveries(self, *states):
        return [one for one in self.desk.outbox.deliveries(Filter()) if not states or one.state in states]

    def pick(self, things, position):
        return things[position % len(things)]

    # what comes in

    @initialize(
        outcomes=st.lists(outcomes, min_size=1, max_size=2), cls=classes, holder=holders, to=numbers, drawn=dice
    )
    def begin(self, outcomes, cls, holder, to, drawn):
        """At the start some messages to one number have already met an outcome: so that a life soon goes far."""
        for outcome in outcomes:
            self.accept([to], cls, holder, key=None, due_in=timedelta(0))
            self.work(holder, when_due=False, may_wait=True, drawn=drawn, outcome=outcome)

    @precondition(lambda self: len(self.deliveries(*UNDER_WAY)) < FEW)
    @rule(
        to=st.lists(numbers, min_size=1, max_size=2, unique=True),
        cls=classes,
        holder=st.none() | holders,
        key=st.sampled_from([None, None, "k"]),
        due_in=st.sampled_from([timedelta(0), timedelta(seconds=30)]),
    )
    def accept(self, to, cls, holder, key, due_in):
        """A message comes in, claimed at once or left queued, perhaps for later."""

        def act(desk):
            given = desk.acceptance(
                *to, cls=cls, holder=holder, key=key, fingerprint=f"{to} {cls}", due_in=due_in,
                expires_in=due_in + CLASS_RULES[cls].expires_after)  # fmt: skip
            try:
                return desk.outbox.accept(given, desk.now)
            except KeyConflict:
                return None

        self.both(act)

    # the policy, and what is done about its word

    def decide(self, delivery, may_wait, drawn):
        heard = {one.account: one.heard_at for one in self.desk.outbox.listenings() if one.heard_at is not None}
        standing = Standing(
            rules=self.rules_of(delivery),
            expires_at=delivery.expires_at,
            attempts=self.desk.attempts(delivery.id),
            due_at=delivery.due_at,
            may_wait=may_wait,
            heard=heard,
        )
        candidates = tuple(Candidate(account=one, obstacles=("full",) * (one in self.hindered)) for one in ACCOUNTS)
        return decide(standing, candidates, self.desk.now, drawn)

    def rules_of(self, delivery):
        return CLASS_RULES[self.desk.outbox.message(delivery.message).cls]

    def close(self, *decided):
        """Write the policy's word on deliveries as they were seen."""
        verdicts = tuple(
            Verdict(
                seen=delivery,
                events=self.events(delivery, decision),
                due_at=getattr(decision, "until", None),
                report_overdue=getattr(decision, "overdue", False),
                explanation=explain(decision),
            )
            for delivery, decision in decided
        )
        return self.both(lambda desk: desk.outbox.close_out(verdicts, desk.now))

    def events(self, delivery, decision):
        """What takes a delivery from where it was seen to where the policy wants it."""
        if isinstance(decision, Wait | Later):
            return (self.back(delivery),) if delivery.state is State.CLAIMED else ()
        taken = isinstance(decision, Undelivered | CloseWindow | AwaitReport) and delivery.state is not State.SUBMITTED
        return (Event.ACCEPTED,) * taken + tuple(event for kind, event in CLOSES.items() if isinstance(decision, kind))

    def back(self, delivery):
        """What takes a claimed delivery back to where it waits."""
        copies = [one for one in self.desk.attempts(delivery.id) if one.state.may_ring]
        if not copies:
            return Event.RELEASE
        return Event.LOST if copies[-1].state is AttemptState.UNKNOWN else Event.ACCEPTED

    # holders

    @precondition(lambda self: self.deliveries(*UNDER_WAY))
    @rule(holder=holders, when_due=st.booleans(), may_wait=st.booleans(), drawn=dice, outcome=st.none() | outcomes)
    def work(self, holder, when_due, may_wait, drawn, outcome):
        """A worker's whole round, now or when something is due: it looks, claims, asks, and does at once as told.

        The vendor may answer at once.
        """
        if when_due:
            self.wait_until_something_is_due()
        self.look(100, drawn)
        fresh = [view for view in self.views if view[0] == self.desk.find(view[0].id)]
        for view in fresh:
            self.follow(self.views.index(view))
        under_way = list(self.flights)
        self.claim(holder, 100)
        self.plan(may_wait, drawn)
        self.depart(holder)
        for flight in [one for one in self.flights if one not in under_way and outcome is not None]:
            self.flights.remove(flight)
            self.settle(*flight, outcome, keep=True)

    @precondition(lambda self: self.deliveries(State.QUEUED))
    @rule(holder=holders, limit=st.integers(1, 3))
    def claim(self, holder, limit):
        """A worker claims of all that is due."""
        claimed = self.both(lambda desk: desk.outbox.claim_due(holder, limit, desk.now))
        assert [one.urgency for one in claimed] == sorted(one.urgency for one in claimed)
        assert all(one.due_at <= self.desk.now for one in claimed)

    @precondition(lambda self: self.deliveries(State.QUEUED))
    @rule(holder=holders, position=positions)
    def claim_one_message(self, holder, position):
        """A pass of `send --now` claims what is due of its message."""
        message = self.pick(self.deliveries(State.QUEUED), position).message
        self.both(lambda desk: desk.outbox.claim(message, holder, desk.now))

    @precondition(lambda self: self.deliveries(State.CLAIMED))
    @rule(may_wait=st.booleans(), drawn=dice)
    def plan(self, may_wait, drawn):
        """Each holder asks the policy about what it has claimed, and has no plan for yet."""
        for one in self.deliveries(State.CLAIMED):
            if (one.id, one.epoch) not in self.plans:
                self.plans[one.id, one.epoch] = (one, self.decide(one, may_wait, drawn))

    @precondition(lambda self: self.plans)
    @rule(holder=holders)
    def depart(self, holder):
        """A holder does what it has planned, however long ago: closes, or lets requests out in one transaction."""
        mine = {key: plan for key, plan in self.plans.items() if plan[0].holder == holder}
        for key in mine:
            del self.plans[key]
        submits = [plan for plan in mine.values() if isinstance(plan[1], Submit)]
        self.close(*(plan for plan in mine.values() if plan not in submits))
        self.submit([plan for plan in submits if self.desk.now < plan[0].expires_at])

    def submit(self, plans):
        """Let them out, by account; those to one number in a request each: a number never stands twice in one."""
        groups = {}
        for delivery, decision in plans:
            same = [group for group, held in groups.items() if delivery.to in {one.to for one, _ in held}]
            groups.setdefault((decision.account, len(same)), []).append((delivery, decision))

        def act(desk):
            requests = [
                Request(
                    account=account,
                    cls=MessageClass.ALERT,
                    intents=tuple(
                        attrs.evolve(*desk.intents(delivery, account=account).intents, explanation=explain(decision))
                        for delivery, decision in group
                    ),
                )
                for (account, _), group in groups.items()
            ]
            return desk.outbox.intend(requests, desk.now)

        epochs = {delivery.id: delivery.epoch for delivery, _ in plans}
        for attempts in self.both(act) if groups else ():
            if attempts:
                self.vendor_ids[attempts[0].submit] = VendorId(str(len(self.vendor_ids)))
                self.flights.append((attempts, epochs))

    @precondition(lambda self: self.flights)
    @rule(position=positions, outcome=outcomes, keep=st.booleans())
    def answer(self, position, outcome, keep):
        """A vendor's answer comes, in time or after the lease is lost."""
        self.settle(*self.flights.pop(position % len(self.flights)), outcome, keep)

    def settle(self, attempts, epochs, outcome, keep):
        submit = attempts[0].submit
        said = {
            "taken": Accepted(self.vendor_ids[submit]),
            "uncorrelated": Accepted(None),
            "unknown": Unknown("reset"),
        }
        if outcome not in said and submit in self.reported:
            outcome = "unknown"  # what a vendor reports on, it has taken
        if outcome not in said:
            self.rung_nobody.add(submit)
        known = said.get(outcome, outcome)
        settlements = tuple(
            Settlement(
                attempt=one.id,
                epoch=epochs[one.delivery],
                outcome=known,
                keep=keep,
                due_at=ask_again_at(self.rules_of(self.desk.find(one.delivery)), known, self.desk.now),
            )
            for one in attempts
        )
        self.both(lambda desk: desk.outbox.settle(settlements, desk.now))
        self.told.append(settlements)

    @precondition(lambda self: self.told)
    @rule(position=positions)
    def tell_again(self, position):
        """What a commit of unknown outcome may have lost is settled again; where it was not, that changes nothing."""
        before = [self.desk.snapshot(one.id) for one in self.deliveries()]
        self.both(lambda desk: desk.outbox.settle(self.pick(self.told, position), desk.now))
        assert [self.desk.snapshot(one.id) for one in self.deliveries()] == before

    @precondition(lambda self: self.deliveries(State.CLAIMED, State.SENDING))
    @rule(holder=holders, how=st.sampled_from(["renew", "renew", "release", "die"]))
    def live_or_leave(self, holder, how):
        """A holder gives its claims back, or dies and somebody finds out, or gives a sign of life."""

        def act(desk):
            if how == "renew":
                return desk.outbox.renew(holder, desk.now)
            if how == "release":
                return desk.outbox.release(holder, desk.now)
            desk.dead.add(holder)
            moved = desk.outbox.recover(desk.now)
            desk.dead.clear()
            return moved

        self.both(act)

    # what waits for evidence

    @precondition(lambda self: self.desk.outbox.awaiting(1, self.desk.now))
    @rule(limit=st.integers(1, 3), drawn=dice)
    def look(self, limit, drawn):
        """A worker asks the policy about what waits and is due by now."""
        for one in self.both(lambda desk: desk.outbox.awaiting(limit, desk.now)):
            self.views.append((one, self.decide(one, may_wait=True, drawn=drawn)))

    @precondition(lambda self: self.views)
    @rule(position=positions)
    def follow(self, position):
        """It does what the policy said, at once or when much has happened since; what holds no more changes nothing."""
        delivery, decision = self.views.pop(position % len(self.views))
        now = self.desk.find(delivery.id)
        if isinstance(decision, Submit):
            written = self.both(lambda desk: desk.outbox.reopen((delivery,), desk.now))
        else:
            written = self.close((delivery, decision))
        assert bool(written) == (now == delivery), "a stale word was taken, or a fresh one dropped"

    @precondition(lambda self: self.deliveries(State.PARKED))
    @rule(position=positions)
    def send_again(self, position):
        """An operator has another submit of what is parked; the policy is asked before it leaves."""
        parked = self.pick(self.deliveries(State.PARKED), position)
        assert self.both(lambda desk: desk.outbox.reopen((parked,), desk.now)) == (parked.id,)

    @precondition(lambda self: len(self.deliveries()) > FEW)
    @rule(position=positions)
    def cancel(self, position):
        """An operator withdraws a delivery: what nobody has in hand and no vendor has taken."""
        delivery = self.pick(self.deliveries(), position)
        cancelled = self.both(lambda desk: desk.outbox.cancel((delivery.id,), desk.now))
        assert bool(cancelled) == (delivery.state in (State.HELD, State.QUEUED, State.PARKED))

    # what vendors and time do

    @precondition(lambda self: self.attempts())
    @rule(position=positions, state=reported, shared=st.sampled_from([False, False, False, True]))
    def report(self, position, state, shared):
        """A report of some submit comes, before its answer or after, under the id that the vendor gave it."""
        attempt = self.pick(self.attempts(), position)
        number = self.desk.find(attempt.delivery).to.full
        vendor_id = self.vendor_ids[attempt.submit]
        self.reported.add(attempt.submit)
        self.both(lambda desk: desk.report(state, vendor_id, number, account=attempt.account, shared=shared))
        now = self.desk.find(attempt.delivery)
        (after,) = [one for one in self.desk.attempts(now.id) if one.id == attempt.id]
        if now.state is State.SUBMITTED and after.report is ReportState.FAILED is not attempt.report:
            assert now.due_at == self.desk.now, "nobody asks what a failed report leads to"

    def attempts(self):
        """All attempts that a vendor may have taken, while it may report on them: of others it reports nothing."""
        every = (attempt for one in self.deliveries() for attempt in self.desk.attempts(one.id))
        return [
            one
            for one in every
            if one.submit not in self.rung_nobody and self.desk.now - one.intended_at <= EVIDENCE_WINDOW
        ]

    @rule(account=accounts, how=st.sampled_from(["heard", "deaf", "hindered"]), gaps=st.integers(0, 1))
    def turn(self, account, how, gaps):
        """The reports of an account are fetched, or cannot be; or it can carry nothing for a while, or can again."""
        if how == "hindered":
            self.hindered ^= {account}
        else:
            self.hear(account, how == "heard", gaps)

    def hear(self, account, heard, gaps=0):
        now = self.desk.now
        went = Listening(account=account, kind="reports", asked_at=now, heard_at=now if heard else None, gaps=gaps)
        self.both(lambda desk: desk.outbox.note_poll(went))

    @rule(seconds=st.sampled_from([1, 1, 10, 10, 61, 61, 300, 3600]))
    def wait(self, seconds):
        """Time goes by, and leases with it."""
        self.go_on(timedelta(seconds=seconds))

    @rule()
    def wait_until_something_is_due(self):
        """Time goes by until the next delivery is due."""
        due_at = self.both(lambda desk: desk.outbox.next_due())
        self.go_on(max(timedelta(0), (due_at or self.desk.now) - self.desk.now))

    def go_on(self, time):
        for desk in self.desks:
            desk.now += time
        self.both(lambda desk: desk.outbox.recover(desk.now))

    def faults_stop(self, drawn):
        """Once every vendor answers and every poll is heard, all that is not parked comes to an end, within a bound."""
        self.flights, self.plans, self.views, self.hindered = [], {}, [], set()
        self.go_on(LEASE + timedelta(seconds=1))
        turns = 0
        while self.deliveries(*UNDER_WAY):
            turns += 1
            assert turns < 60, "it comes to no end"
            for account in ACCOUNTS:
                self.hear(account, heard=True)
            self.work(HOLDERS[0], when_due=True, may_wait=True, drawn=drawn, outcome="taken")

    # what holds at every step

    @invariant()
    def both_show_the_same(self):
        """Every delivery, attempt, story and piece of evidence is the same in both stores, and all that is due."""
        for delivery in self.both(lambda desk: desk.outbox.deliveries(Filter())):
            self.both(lambda desk, one=delivery: desk.snapshot(one.id))
        self.both(lambda desk: desk.outbox.evidence(None))
        self.both(lambda desk: desk.outbox.listenings())
        self.both(lambda desk: (desk.outbox.next_due(), desk.outbox.awaiting(100, desk.now)))
        self.both(lambda desk: [desk.outbox.held(holder) for holder in HOLDERS])
        self.both(lambda desk: desk.rows.holders())
        self.both(lambda desk: desk.outbox.gauges())

    @invariant()
    def what_is_counted_is_there(self):
        """The gauges are what a look at every delivery and every attempt finds; what ended twice counts twice."""
        gauges, deliveries = self.desk.outbox.gauges(), self.deliveries()
        assert gauges.open == Counter((one.state, one.account) for one in deliveries if not one.state.terminal)
        ended = Counter(Tally(one.account, one.state) for one in deliveries if one.state.terminal)
        attempts = [attempt for one in deliveries for attempt in self.desk.attempts(one.id)]
        ended += Counter(Tally(one.account, one.state) for one in attempts if one.state is not AttemptState.INTENT)
        again = Counter(gauges.tallies)
        again.subtract(ended)
        assert all(number >= 0 for number in again.values()), again
        changed = {State.DELIVERED, AttemptState.ACCEPTED}
        assert not [one for one, number in again.items() if number and one.state in changed], again
        queued = [one for one in deliveries if one.state is State.QUEUED]
        assert {(one.urgency, one.number) for one in gauges.backlog} == set(
            Counter(one.urgency for one in queued).items()
        )
        assert min((one.due_at for one in gauges.backlog), default=None) == min(
            (one.due_at for one in queued), default=None
        )

    @invariant()
    def the_invariants_hold(self):
        """I2 to I5, I8, I9 and I12, and what a state says of its attempts."""
        self._check(self.desk.outbox)
        reports = self.desk.reports()
        for delivery in self.deliveries():
            attempts = self.desk.attempts(delivery.id)
            for one in attempts:
                self.check_reports_of(one, reports)
            if delivery.state is State.IN_DOUBT:
                assert any(one.state is AttemptState.UNKNOWN for one in attempts)
            if any(one.report is ReportState.DELIVERED for one in attempts):
                assert delivery.state in (State.DELIVERED, State.SENDING)
            if delivery.state in (State.FAILED, State.EXPIRED):
                assert not any(one.state.may_ring for one in attempts), "a phone may ring for it"

    def check_reports_of(self, attempt, reports):
        """I8: what an attempt heard is the join of the reports of its account, id and number, and of no others."""
        assert attempt.vendor_id in (None, self.vendor_ids[attempt.submit]), "another one's report"
        named = (attempt.delivery, attempt.account, attempt.vendor_id)
        its = [one.report.state for one in reports if (one.delivery, one.account, one.report.vendor_id) == named]
        assert attempt.report == max(its, default=None)

    @invariant()
    def nothing_is_forgotten(self):
        """I1: what is under way is due some day, or has a holder whose death would be noticed."""
        known = self.desk.rows.holders()
        for delivery in self.deliveries(*UNDER_WAY):
            if delivery.state in WAITING:
                assert delivery.due_at <= max(self.desk.now, delivery.expires_at) + EVIDENCE_WINDOW
            else:
                assert delivery.holder in known

    def teardown(self):
        """Whatever happened, it comes to an end now; a life that was cut short by a fault has shown what it had to."""
        try:
            if sys.exc_info()[0] is None:
                self.faults_stop(drawn=0.5)
                self.both_show_the_same()
                self.the_invariants_hold()
        finally:
            self._stack.close()


def test_any_life_keeps_the_invariants_and_looks_the_same_in_every_store(open_kind, invariants):
    """Whatever happens in whatever order, each store shows the same; I1 to I5, I8, I9 and I12 hold at every step."""
    run_state_machine_as_test(
        lambda: Life(open_kind, invariants),
        settings=settings(
            max_examples=max(150, settings().max_examples),
            stateful_step_count=60,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
