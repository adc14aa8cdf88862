"""Any life that deliveries may lead, in every kind of store at once: what is seen is the same, and the invariants hold.

The machine does what dispatch, reconcile and the polls do, in any order, with holders that die and answers that come
late. It asks the policy as they do.
"""

from contextlib import ExitStack

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tocsin.errors import KeyConflict
from tocsin.model.ids import AccountId, HolderId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.record import Filter, Settlement, Verdict
from tocsin.outbox.state import AttemptState, Event, State
from tocsin.policy.decide import decide
from tocsin.policy.decision import AwaitReport, CloseWindow, Expire, GiveUp, Park, Submit, Undelivered, Wait
from tocsin.policy.explain import explain
from tocsin.policy.judge import Candidate
from tocsin.policy.route import CLASS_RULES
from tocsin.policy.standing import Standing

ACCOUNTS = AccountId("main"), AccountId("backup")
CANDIDATES = tuple(Candidate(account=account) for account in ACCOUNTS)
FEW = 3
"""So many deliveries that each goes far, and that they get into each other's way."""

CLOSES = {
    GiveUp: Event.GIVE_UP,
    Park: Event.PARK,
    Expire: Event.EXPIRE,
    Undelivered: Event.REPORTED_FAILED,
    CloseWindow: Event.WINDOW_CLOSED,
}

numbers = st.sampled_from(["13900000001", "13900000002"])
holders = st.sampled_from([HolderId("a"), HolderId("b")])
positions = st.integers(0, 1000)
proofs = st.sampled_from([NotSent("dns"), *(Refused(reason) for reason in (
    Reason.KEYWORD, Reason.BALANCE, Reason.INVALID_NUMBER, Reason.RETRY_ONCE, Reason.SPLIT))])  # fmt: skip


class Life(RuleBasedStateMachine):
    """Deliveries in two stores."""

    def __init__(self, open_kind, check):
        super().__init__()
        self._stack = ExitStack()
        self.desks = [self._stack.enter_context(open_kind(kind)) for kind in ("memory", "sqlite")]
        self._check = check
        self.vendor_ids = {}
        self.reported, self.rung_nobody = set(), set()
        self.flights = []

    def both(self, act):
        """Do the same with each store; both must answer the same."""
        first, second = (act(desk) for desk in self.desks)
        assert first == second
        return first

    @property
    def desk(self):
        """One of them, to look at."""
        return self.desks[0]

    def deliveries(self, state=None):
        return self.desk.outbox.deliveries(Filter(state=state))

    def pick(self, deliveries, position):
        return deliveries[position % len(deliveries)]

    @precondition(lambda self: len(self.deliveries()) < FEW)
    @rule(
        to=st.lists(numbers, min_size=1, max_size=2, unique=True),
        cls=st.sampled_from([MessageClass.ALERT, MessageClass.OTP, MessageClass.NOTICE]),
        holder=st.none() | holders,
        key=st.sampled_from([None, None, "k"]),
    )
    def accept(self, to, cls, holder, key):
        """A message comes in."""

        def act(desk):
            given = desk.acceptance(*to, cls=cls, holder=holder, key=key, fingerprint=f"{to} {cls}")
            try:
                return desk.outbox.accept(given, desk.now)
            except KeyConflict:
                return None

        self.both(act)

    @precondition(lambda self: self.deliveries())
    @rule(holder=holders, position=positions)
    def submit(self, holder, position):
        """One round of dispatch: what can be claimed is closed, or goes out."""
        message = self.pick(self.deliveries(), position).message
        claimed = self.both(lambda desk: desk.outbox.claim(message, holder, desk.now))
        wanted = {account: [] for account in ACCOUNTS}
        for delivery in claimed:
            if delivery.state is not State.CLAIMED:
                continue
            decision = self.decide(delivery)
            if isinstance(decision, Submit):
                wanted[decision.account].append(delivery)
            else:
                self.close(delivery, decision)
        for account, group in wanted.items():
            if group:
                attempts = self.both(lambda desk, to=group, by=account: desk.intend(*to, account=by))
                self.flights.append((attempts, {one.id: one.epoch for one in group}))
                self.vendor_ids[attempts[0].submit] = VendorId(str(len(self.vendor_ids)))

    def decide(self, delivery):
        cls = self.desk.outbox.message(delivery.message).cls
        standing = Standing(
            rules=CLASS_RULES[cls], expires_at=delivery.expires_at, attempts=self.desk.attempts(delivery.id)
        )
        return decide(standing, CANDIDATES, self.desk.now)

    def close(self, delivery, decision):
        verdict = Verdict(
            seen=delivery,
            events=self.events(delivery, decision),
            due_at=getattr(decision, "until", None),
            report_overdue=getattr(decision, "overdue", False),
            explanation=explain(decision),
        )
        self.both(lambda desk: desk.outbox.close_out((verdict,), desk.now))

    def events(self, delivery, decision):
        """What takes a delivery from where it stands to where the policy wants it."""
        if isinstance(decision, Wait):
            return (Event.LOST,) if delivery.state is State.CLAIMED else ()
        taken = isinstance(decision, Undelivered | CloseWindow | AwaitReport) and delivery.state is not State.SUBMITTED
        return (Event.ACCEPTED,) * taken + tuple(event for kind, event in CLOSES.items() if isinstance(decision, kind))

    @precondition(lambda self: self.flights)
    @rule(position=positions, outcome=proofs | st.sampled_from(["taken", "unknown"]), keep=st.booleans())
    def answer(self, position, outcome, keep):
        """A vendor's answer comes, in time or after the lease is lost."""
        attempts, epochs = self.flights.pop(position % len(self.flights))
        submit = attempts[0].submit
        said = {"taken": Accepted(self.vendor_ids[submit]), "unknown": Unknown("reset")}
        if outcome not in said and submit in self.reported:
            outcome = "unknown"  # what a vendor reports on, it has taken
        if outcome not in said:
            self.rung_nobody.add(submit)
        settlements = tuple(
            Settlement(attempt=one.id, epoch=epochs[one.delivery], outcome=said.get(outcome, outcome), keep=keep)
            for one in attempts
        )
        self.both(lambda desk: desk.outbox.settle(settlements, desk.now))

    @precondition(lambda self: self.deliveries(State.IN_DOUBT))
    @rule(holder=holders, position=positions)
    def resolve(self, holder, position):
        """Reconcile looks at a doubt."""
        delivery = self.pick(self.deliveries(State.IN_DOUBT), position)
        match decision := self.decide(delivery):
            case Wait():
                return
            case Submit():
                self.both(lambda desk: desk.outbox.reopen((delivery,), desk.now))
            case _:
                self.close(delivery, decision)

    @precondition(lambda self: self.attempts())
    @rule(position=positions, state=st.sampled_from(ReportState), shared=st.booleans())
    def report(self, position, state, shared):
        """A report of some submit comes, before its answer or after, under the id that the vendor gave it."""
        attempt = self.pick(self.attempts(), position)
        number = self.desk.find(attempt.delivery).to.full
        vendor_id = self.vendor_ids[attempt.submit]
        self.reported.add(attempt.submit)
        self.both(lambda desk: desk.report(state, vendor_id, number, account=attempt.account, shared=shared))

    def attempts(self):
        """All attempts that a vendor may have taken: of others it reports nothing."""
        every = (attempt for one in self.deliveries() for attempt in self.desk.attempts(one.id))
        return [attempt for attempt in every if attempt.submit not in self.rung_nobody]

    @rule(holder=holders, dies=st.booleans())
    def leave(self, holder, dies):
        """A holder gives its claims back, or its process dies and somebody finds out."""

        def act(desk):
            if not dies:
                return desk.outbox.release(holder, desk.now)
            desk.dead.add(holder)
            moved = desk.outbox.recover(desk.now)
            desk.dead.clear()
            return moved

        self.both(act)

    @rule(seconds=st.sampled_from([61, 3600]))
    def wait(self, seconds):
        """Time goes by, and leases with it."""
        for desk in self.desks:
            desk.wait(seconds=seconds)
        self.both(lambda desk: desk.outbox.recover(desk.now))

    @invariant()
    def both_show_the_same(self):
        """Every delivery, attempt, story and piece of evidence is the same in both stores."""
        for delivery in self.both(lambda desk: desk.outbox.deliveries(Filter())):
            self.both(lambda desk, one=delivery: desk.snapshot(one.id))
        self.both(lambda desk: desk.outbox.evidence(None))

    @invariant()
    def the_invariants_hold(self):
        """I2 to I5, I8 and I12, and what a state says of its attempts."""
        self._check(self.desk.outbox)
        for delivery in self.deliveries():
            attempts = self.desk.attempts(delivery.id)
            assert all(one.vendor_id in (None, self.vendor_ids[one.submit]) for one in attempts), "another one's report"
            if delivery.state is State.IN_DOUBT:
                assert attempts[-1].state is AttemptState.UNKNOWN
            if any(one.report is ReportState.DELIVERED for one in attempts):
                assert delivery.state in (State.DELIVERED, State.SENDING)

    def teardown(self):
        self._stack.close()


def test_any_life_keeps_the_invariants_and_looks_the_same_in_every_store(open_kind, invariants):
    """Whatever happens in whatever order, each store shows the same, and I2 to I5, I8 and I12 hold at every step."""
    run_state_machine_as_test(
        lambda: Life(open_kind, invariants),
        settings=settings(
            deadline=None,
            max_examples=40,
            stateful_step_count=40,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
