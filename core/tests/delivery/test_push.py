"""What becomes of a push: durable first, read by the plugin, applied as far as it is trusted, answered as it wishes."""

import pytest

from tocsin.delivery.push import Pushes, as_push, as_raw
from tocsin.errors import CommitUnknown
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_vendor_number
from tocsin.model.push import PushRefused, PushReply, PushRequest, Trust, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.plugin import hookimpl
from tocsin.testing.vendor import ExampleVendor, answer_send

NUMBER = "13900000000"
STORED, NOT_STORED = PushReply(body=b"thanks"), PushReply(body=b"again")
REPORT = Report(vendor_id=VendorId("77"), to=parse_vendor_number(NUMBER), state=ReportState.DELIVERED)
REPLY = InboundMessage(sender=parse_vendor_number(NUMBER), text="TD", vendor_id=VendorId("5"))
PEER, TOKEN = Trust.TOKEN_AND_PEER, Trust.TOKEN


class Pushing(ExampleVendor):
    """A vendor whose pushes hold what a test says.

    Attributes:
        seen: the pushes that it was shown.
        verdict: what it says of each; an exception is raised.
    """

    def __init__(self, *rows, unparsed=()):
        super().__init__("vendor-one")
        self.seen = []
        self.verdict = VerifiedPush(
            reports=Batch(rows=tuple(one for one in rows if isinstance(one, Report)), unparsed=unparsed),
            inbound=Batch(rows=tuple(one for one in rows if isinstance(one, InboundMessage))),
            when_stored=STORED,
            when_not_stored=NOT_STORED,
        )

    @hookimpl
    def verify_push(self, push):
        self.seen.append(push)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


def request(body=b"raw", **changes):
    return PushRequest(
        **{"method": "POST", "path": "", "headers": (), "query": (), "peer": "::1", **changes}, body=body
    )


@pytest.fixture
def house_with(house_of):
    """A house whose first account is pushed to, with one message that its vendor took."""

    def make(vendor, **details):
        answers = iter([answer_send(Accepted(VendorId("77")))])
        house = house_of(lambda _: next(answers), vendors={"one": vendor}, **details)
        house.send()
        house.account = house.accounts["one"]
        return house

    return make


def state(house):
    (delivery,) = house.outbox.deliveries(Filter())
    return delivery.state


def stored(house):
    reports, inbound = house.outbox.evidence(None)
    return len(reports), len(inbound)


@pytest.mark.parametrize(("trust", "closed"), [(PEER, State.DELIVERED), (TOKEN, State.SUBMITTED)])
def test_a_push_is_stored_applied_and_answered(house_with, lines, trust, closed):
    """The raw push is kept with its tier; what it says counts as that tier does; the vendor hears its own word."""
    vendor = Pushing(REPORT, REPLY)
    house = house_with(vendor)

    reply = Pushes(house.parts).take(house.account, request(), trust)

    assert reply == STORED
    assert house.raw_bodies()[-1:] == [b"raw"]
    assert (state(house), stored(house)) == (closed, (1, 1))
    (line,) = lines.of("tocsin.push.stored")
    assert (line["account"], line["kind"], line["count"], line["quarantined"]) == ("one", trust.name.lower(), "2", "0")


def test_it_is_durable_before_the_plugin_sees_it(house_with):
    """When the plugin is asked, the push stands in the store."""
    there = []

    class Looking(Pushing):
        @hookimpl
        def verify_push(self, push):
            there.append(house.raw_bodies()[-1])
            return self.verdict

    looking = Looking(REPORT)
    house = house_with(looking)
    Pushes(house.parts).take(house.account, request(b"kept"), PEER)

    assert there == [b"kept"]


def test_an_opt_out_with_a_token_alone_is_an_alarm(house_with, lines):
    """It silences nobody, and somebody is told; from an allowed peer it is obeyed, and told as any."""
    house = house_with(Pushing(REPLY))
    pushes = Pushes(house.parts)

    pushes.take(house.account, request(), TOKEN)
    assert house.outbox.accounts.all_opted_out() == ()
    assert [line["reason"] for line in lines.of("tocsin.alarm")] == ["opt-out-unproved"]

    pushes.take(house.account, request(), PEER)
    assert len(house.outbox.accounts.all_opted_out()) == 1
    assert len(lines.of("tocsin.recipient.opted_out")) == 1


def test_a_push_that_is_refused_is_kept(house_with, lines):
    """What is not the vendor's form is quarantined, and answered 400: to try again would mend nothing."""
    vendor = Pushing()
    vendor.verdict = PushRefused(why="not the form")
    house = house_with(vendor)

    reply = Pushes(house.parts).take(house.account, request(b"forged"), PEER)

    assert reply.status == 400
    assert (house.raw_bodies()[-1:], house.quarantined()) == ([b"forged"], ["not the form"])
    assert [line["cause"] for line in lines.of("tocsin.push.quarantined")] == ["not the form"]
    assert house.outbox.unread(house.account.id, "pushed") == {}


def test_a_plugin_that_breaks_is_our_trouble(house_with, lines):
    """What it raises is quoted nowhere; the push is kept, and the vendor told to come again."""
    vendor = Pushing()
    vendor.verdict = ValueError("canary")
    house = house_with(vendor)

    reply = Pushes(house.parts).take(house.account, request(), PEER)

    assert reply.status == 503
    assert len(house.quarantined()) == 1
    assert [line["reason"] for line in lines.of("tocsin.alarm")] == ["push-unread"]
    assert "canary" not in str(lines.all()) + str(house.quarantined())


def test_a_vendor_that_pushes_nothing_refuses(house_with):
    """A plugin without the hook takes no pushes; what came is kept all the same."""
    house = house_with(ExampleVendor("vendor-one"))

    assert Pushes(house.parts).take(house.account, request(), PEER).status == 400
    assert len(house.quarantined()) == 1


@pytest.mark.parametrize("failing", ["spool", "push"])
def test_a_store_that_fails_is_told_in_the_vendor_s_words(house_with, failing_rows, lines, failing):
    """Whether the push or what it says cannot be stored: the vendor hears what makes it try again."""
    rows = failing_rows()
    house = house_with(Pushing(REPORT), rows=rows)
    pushes = Pushes(house.parts)
    rows.fails = lambda name: name == failing

    assert pushes.take(house.account, request(), PEER) == NOT_STORED
    assert [line["reason"] for line in lines.of("tocsin.alarm")] == ["push-not-stored"]

    rows.fails = lambda _: False
    assert pushes.read_left_behind(house.account) == (1 if failing == "push" else 0)
    assert state(house) is (State.DELIVERED if failing == "push" else State.SUBMITTED)


@pytest.mark.parametrize("verdict", [PushRefused(why="x"), ValueError("x")], ids=["refused", "broken"])
def test_where_the_vendor_has_no_words_it_is_503(house_with, failing_rows, verdict):
    """A push that nobody can read, and that cannot be stored, is answered as our own trouble."""
    rows, vendor = failing_rows(), Pushing()
    vendor.verdict = verdict
    house = house_with(vendor, rows=rows)
    rows.fails = lambda name: name in ("spool", "quarantine")

    assert Pushes(house.parts).take(house.account, request(), PEER).status == 503


@pytest.mark.parametrize("failing", ["spool", "push"])
def test_after_a_commit_of_unknown_outcome_somebody_is_told(house_with, failing_rows, failing):
    """Whoever runs the gateway learns of it, once for each, and ends it."""

    class Unknown(failing_rows):
        def _reach(self, boundary):
            if self.fails(boundary.partition(":")[0]):
                raise CommitUnknown("nobody knows")

    rows, told = Unknown(), []
    house = house_with(Pushing(REPORT), rows=rows)
    rows.fails = lambda name: name == failing

    assert Pushes(house.parts, lambda: told.append(1)).take(house.account, request(), PEER) == NOT_STORED
    assert told == [1]


def test_it_is_read_again_as_it_came(house_with):
    """What is spooled is what the plugin is shown, then and later; what is for somebody else is in neither."""
    came = request(
        b"\x00\xff",
        method="POST",
        headers=(("content-type", "text/xml"), ("authorization", "canary"), ("cookie", "canary"), ("x-n", "好")),
        query=(("a", ""), ("b", "c&d=é"), ("a", "2")),
        peer="203.0.113.9",
    )
    account = house_with(Pushing()).account

    again = as_push(as_raw(account, came, TOKEN))

    assert again == PushRequest(
        method="POST",
        path="",
        headers=(("content-type", "text/xml"), ("x-n", "好")),
        query=came.query,
        body=came.body,
        peer="203.0.113.9",
    )
    assert as_raw(account, again, TOKEN) == as_raw(account, came, TOKEN)
    assert "canary" not in repr(as_raw(account, came, TOKEN).headers)


def test_the_plugin_is_shown_what_is_kept(house_with):
    """Not the headers that are for somebody else, nor anything of the address."""
    vendor = Pushing(REPORT)
    house = house_with(vendor)
    Pushes(house.parts).take(house.account, request(headers=(("cookie", "x"), ("host", "h"))), PEER)

    (seen,) = vendor.seen
    assert (seen.headers, seen.path) == ((("host", "h"),), "")


def test_what_is_left_behind_is_read_once_whoever_reads_it(house_with):
    """Two that look at the same time store it once, and each is content."""

    class Meanwhile(Pushing):
        @hookimpl
        def verify_push(self, push):
            self.seen.append(push)
            if len(self.seen) == 1:
                Pushes(house.parts).read_left_behind(house.account)
            return self.verdict

    house = house_with(Meanwhile(REPORT, REPLY))
    house.outbox.spool(as_raw(house.account, request(), PEER), house.clock.now())
    assert Pushes(house.parts).read_left_behind(house.account) == 1

    assert (stored(house), state(house)) == ((1, 1), State.DELIVERED)
    assert Pushes(house.parts).read_left_behind(house.account) == 0
