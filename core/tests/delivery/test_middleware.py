"""Cross-cutting plugins: what they may change, when they are told, and what their errors do."""

import attrs
import pytest

from tocsin.errors import KeyConflict, PluginError
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.outcome import Accepted, NotSent
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.plugin import hookimpl
from tocsin.policy.route import Match, Route
from tocsin.testing.vendor import ExampleVendor, answer_send, sent_text

TAKEN = answer_send(Accepted(VendorId("77")))


class Rewriter:
    """Changes every message in one way."""

    def __init__(self, change):
        self._change = change

    @hookimpl
    def rewrite_message(self, message):
        return self._change(message)


class Observer:
    """Hands every notice on."""

    def __init__(self, tell):
        self._tell = tell

    @hookimpl
    def observe_outcome(self, notice):
        self._tell(notice)


def with_text(text):
    return Rewriter(lambda message: attrs.evolve(message, text=f"{message.text}{text}"))


def test_a_rewritten_text_is_what_is_sent(house_of):
    """What middleware makes of a message is stored and sent, one after the other in their order."""
    house = house_of([TAKEN], middleware=(with_text(" [a]"), with_text(" [b]")))

    (delivery,) = house.send(text="disk full")

    assert house.outbox.message(delivery.message).text == "disk full [a] [b]"
    assert sent_text(house.transport.requests[0]) == "disk full [a] [b]【Example】"


def test_a_message_is_rewritten_before_it_is_routed(house_of):
    """A tag that middleware adds decides the route."""
    routes = (
        Route(name="db", match=Match(tags={"team": "db"}), accounts=(AccountId("two"),)),
        Route(name="rest", accounts=(AccountId("one"),)),
    )
    tagging = Rewriter(lambda message: attrs.evolve(message, tags={"team": "db"}))

    (delivery,) = house_of([TAKEN], middleware=(tagging,), routes=routes).send()

    assert (delivery.route, delivery.account) == ("db", "two")


def test_the_fingerprint_is_that_of_what_was_handed_in(house_of):
    """A key stands for what the caller sent: rewriting, also by another rule than before, makes it no other message."""
    texts = iter("ab")
    house = house_of(middleware=(Rewriter(lambda message: attrs.evolve(message, text=next(texts, "c"))),))
    first = house.accept(text="disk full", idempotency_key="k")

    assert house.accept(text="disk full", idempotency_key="k") == first
    with pytest.raises(KeyConflict):
        house.accept(text="a", idempotency_key="k")


def test_no_answer_leaves_the_message_as_it_is(house_of):
    """Middleware that answers None changes nothing."""
    assert house_of(middleware=(Rewriter(lambda _: None),)).prepare(text="disk full").message.text == "disk full"


@pytest.mark.parametrize(
    "change",
    [lambda message: 1 / 0, lambda message: "another", lambda message: attrs.evolve(message, id="another")],
    ids=["raises", "no message", "another message"],
)
def test_middleware_that_fails_rejects_the_message(house_of, change):
    """Better not accepted than accepted without what was asked for: nothing is stored, and the plugin is named."""
    house = house_of(middleware=(Rewriter(change),))

    with pytest.raises(PluginError, match="middleware-0"):
        house.accept()

    assert house.outbox.deliveries(Filter()) == ()


def test_observers_are_told_after_the_commit(house_of):
    """When an observer hears of an outcome, the store has it already."""
    told = []

    def look(notice):
        (delivery,) = house.outbox.deliveries(Filter())
        told.append((notice.account, type(notice.outcome), delivery.state, notice.at == house.clock.now()))

    house = house_of([TAKEN], middleware=(Observer(look),))
    house.send()

    assert told == [("one", Accepted, State.SUBMITTED, True)]


def test_each_outcome_of_each_recipient_is_told(house_of, clock):
    """Observers hear of every attempt, those that went nowhere included."""
    notices = []

    def fail(_):
        raise ValueError

    house = house_of([TAKEN], middleware=(Observer(notices.append),), vendors={"one": ExampleVendor("x", on_send=fail)})
    deliveries = house.send("13900000001", "13900000002")

    assert [(one.delivery, one.account, type(one.outcome)) for one in notices] == [
        *((one.id, "one", NotSent) for one in deliveries),
        *((one.id, "two", Accepted) for one in deliveries),
    ]


def test_an_observers_error_is_logged_and_changes_nothing(house_of, lines):
    """What an observer raises is a line in the log, which quotes nothing; other observers and the outcome stand."""
    heard = []

    def fail(notice):
        raise RuntimeError(f"secret of {notice}")

    house = house_of([TAKEN], middleware=(Observer(fail), Observer(heard.append)))
    (delivery,) = house.send()

    assert (delivery.state, len(heard)) == (State.SUBMITTED, 1)
    (line,) = lines.of("tocsin.middleware.observer_failed")
    assert line["plugin"] == "middleware-0"
    assert "secret" not in str(line)
