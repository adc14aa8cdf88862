"""Extra operations: run by name, settled by asking where their own answer was lost."""

import pytest

from tocsin.delivery.call import call
from tocsin.errors import AnswerError, InvalidInput, NotFound, PluginError, Reached, TransportError
from tocsin.model.account import Argument, Operation
from tocsin.model.outcome import Reason, Refused
from tocsin.plugin import Exchange, HttpRequest, Vendor, hookimpl
from tocsin.testing.vendor import ExampleSettings, ExampleVendor
from tocsin.wire.http import HttpResponse

UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
LOST = TransportError(reached=Reached.MAYBE, cause="reset")
FINE = HttpResponse(status=200, body=b"fine")


def asks(page, found):
    """Return a maker of an exchange that finds that; an answer that is not fine is outside the grammar."""

    def decode(answer):
        if answer.body != b"fine":
            raise AnswerError("not fine")
        return found

    return lambda account, arguments, now: Exchange(HttpRequest(url=f"http://vendor.invalid/{page}"), decode)


def refuse_argument(account, arguments, now):
    raise ValueError("expected a new password of at most 20 characters")


def lack_a_charset(account, arguments, now):
    "é".encode("ascii")


OPERATIONS = {
    "foreign": Operation(title="foreign", exchange=lack_a_charset),
    "keywords": Operation(title="words", exchange=asks("words", ("促销", "free"))),
    "refused": Operation(title="refused", exchange=asks("refused", Refused(Reason.AUTHENTICATION, "-3"))),
    "picky": Operation(title="picky", exchange=refuse_argument),
    "change": Operation(
        title="change",
        arguments=(Argument(name="new", title="New password", secret=True),),
        exchange=asks("change", {"changed": True}),
        settle=asks("settle", {"changed": False}),
    ),
}


class Operating(ExampleVendor):
    """The example vendor, with operations."""

    @hookimpl
    def describe_vendor(self):
        return Vendor(
            name="vendor-one",
            title="Example",
            settings=ExampleSettings,
            base_url="http://vendor.invalid",
            capabilities=self._capabilities,
            operations=OPERATIONS,
        )


@pytest.fixture
def house_with(house_of):
    """Build a house whose world gives these answers."""
    return lambda *world: house_of(world, vendors={"one": Operating("vendor-one")})


def run(house, name, **arguments):
    return call(house.parts, house.accounts["one"], name, arguments)


def pages(house):
    return [request.url.rpartition("/")[2] for request in house.transport.requests]


def test_the_refused_words_are_kept(house_with):
    """What the operation called keywords found is the account's list from then on."""
    house = house_with(FINE)

    assert run(house, "keywords") == ("促销", "free")
    assert house.outbox.keywords(house.accounts["one"].id) == ("促销", "free")


def test_a_refusal_is_a_value(house_with):
    """What the vendor refuses comes back as such, and nothing is kept."""
    assert run(house_with(FINE), "refused") == Refused(Reason.AUTHENTICATION, "-3")


@pytest.mark.parametrize(
    "answer", [LOST, HttpResponse(status=200, body=b"<html>")], ids=["answer lost", "answer unreadable"]
)
def test_a_lost_answer_is_settled_by_asking(house_with, answer):
    """Where nobody knows what became of an operation, the vendor is asked."""
    house = house_with(answer, FINE)

    assert run(house, "change", new="x") == {"changed": False}
    assert pages(house) == ["change", "settle"]


def test_what_never_left_is_not_asked_about(house_with):
    """A request that did not leave changed nothing: the failure is told as it is."""
    house = house_with(UNREACHED)

    with pytest.raises(TransportError):
        run(house, "change", new="x")
    assert pages(house) == ["change"]


def test_a_question_that_fails_too_leaves_it_unknown(house_with):
    """Where asking fails as well, its failure is told: nobody knows."""
    with pytest.raises(TransportError) as failure:
        run(house_with(LOST, LOST), "change", new="x")

    assert failure.value.reached is Reached.MAYBE


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("nothing", {}, NotFound),
        ("change", {}, InvalidInput),
        ("change", {"new": "x", "old": "y"}, InvalidInput),
        ("keywords", {"x": "1"}, InvalidInput),
        ("picky", {}, InvalidInput),
    ],
)
def test_what_cannot_be_run_is_said_and_not_sent(house_with, name, arguments, error):
    """An unknown operation, a missing, strange or impossible argument: one sentence, and no request."""
    house = house_with()

    with pytest.raises(error):
        run(house, name, **arguments)
    assert pages(house) == []


def test_a_character_that_cannot_be_sent_is_not_quoted(house_with):
    """A charset that lacks a character of an argument is the plugin's fault; the argument may be a secret."""
    with pytest.raises(PluginError) as failure:
        run(house_with(), "foreign")

    assert "xe9" not in str(failure.value)
    assert "é" not in str(failure.value)
