"""What each account would send of a message, and what stands in its way."""

import attrs
import pytest

from tocsin.delivery.fleet import Fleet, submission_for
from tocsin.delivery.survey import Survey
from tocsin.delivery.transports import Transports
from tocsin.errors import NotFound, PluginError
from tocsin.model.account import Capabilities, Limits
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.model.submission import Attachment
from tocsin.outbox.record import Filter
from tocsin.plugin import hookimpl
from tocsin.policy.route import CLASS_RULES
from tocsin.registry import Registry, VendorPlugin
from tocsin.testing import ScriptedTransport
from tocsin.testing.vendor import ExampleVendor

TO = parse_number("13900000000")
FILE = Attachment("a.gif", b"GIF89a")
STRICT = Capabilities(max_recipients=7, interfaces=("post",), signature_required=True)


def obstacles(house, **details):
    message = house.prepare(holder=None, **details).message
    fleet = house.parts.fleet
    return [fleet.offer(name, message, TO).obstacles for name in fleet.routes[0].accounts]


def survey_of(house, **changes):
    """Return the candidates of a delivery that is queued, or stands otherwise."""
    name = house.parts.store.accept(house.prepare(holder=None), house.clock.now())
    (delivery,) = house.parts.store.deliveries(Filter(message=name))
    survey = Survey(house.parts.fleet, house.parts.store, house.clock.now(), (TO,))
    return survey.candidates(attrs.evolve(delivery, **changes), house.parts.store.message(name))


@pytest.mark.parametrize(
    ("text", "attachments", "sent"),
    [
        ("disk full", (), "disk full【Example】"),
        ("disk full【Other】", (), "disk full【Other】"),
        ("disk full", (FILE,), "disk full"),
        ("", (FILE,), ""),
    ],
    ids=["unsigned", "signed", "MMS", "MMS without a text"],
)
def test_what_an_account_would_send(house_of, text, attachments, sent):
    """The account's signature is appended where the text has none; a multimedia message is left alone."""
    house = house_of()
    message = house.prepare(text=text, attachments=attachments, extension="12", subject="s").message

    submission = submission_for(house.accounts["one"], message, (TO,))

    assert submission.texts == (sent,)
    assert (submission.extension, submission.subject, submission.attachments) == ("12", "s", attachments)


@pytest.mark.parametrize(
    ("text", "signature", "attachments", "hindered"),
    [
        ("disk full", "【Example】", (), False),
        ("disk full【Other】", "", (), False),
        ("disk full", "", (), True),
        ("disk full", "", (FILE,), False),
    ],
    ids=["the account's", "the text's own", "neither", "MMS"],
)
def test_a_missing_signature_is_refused_locally(house_of, text, signature, attachments, hindered):
    """Where the vendor demands a signature and there is none, the account is no candidate; an MMS is exempt."""
    house = house_of(vendors={"one": ExampleVendor("strict", STRICT)}, accounts=("one",), signature=signature)

    ((*found,),) = obstacles(house, text=text, attachments=attachments)

    assert bool(found) == hindered
    assert not found or "signature" in found[0]


def test_every_obstacle_is_named(house_of):
    """What the signature rule and what the plugin says stand together, in the order of the route."""
    vendors = {"one": ExampleVendor("strict", STRICT, unfit="it is too long")}
    house = house_of(vendors=vendors, signature="")

    assert [len(one) for one in obstacles(house)] == [2, 0]


def test_an_account_without_a_plugin_is_an_obstacle(house_of):
    """An account whose plugin is unavailable, or that the configuration has no more, hinders nobody else."""
    house = house_of()
    message = house.prepare().message
    fleet = house.parts.fleet
    accounts = {
        name: attrs.evolve(one, vendor="gone") if name == "one" else one for name, one in fleet.accounts.items()
    }
    fleet = attrs.evolve(fleet, accounts=accounts)

    broken, lost, healthy = (fleet.offer(AccountId(name), message, TO) for name in ("one", "lost", "two"))

    assert broken.obstacles == ("no plugin for vendor gone is installed (pip install tocsin-gone?)",)
    assert lost.obstacles == ("the configuration has this account no more",)
    assert healthy.obstacles == ()


def test_a_plugin_that_breaks_while_it_judges_is_an_obstacle(house_of):
    """What a plugin raises in `fits` is told of its account, and quotes nothing."""

    class Broken(ExampleVendor):
        """Fails to judge."""

        @hookimpl
        def fits(self, submission):
            raise ValueError(submission.text)

    house = house_of(vendors={"one": Broken("broken")}, accounts=("one",))

    assert obstacles(house) == [("plugin broken: fits raised ValueError",)]


def test_a_route_that_is_gone_leaves_the_class(house_of):
    """A delivery whose route the configuration has no more is treated by its class alone, and has no candidates."""
    house = house_of()
    fleet = house.parts.fleet

    assert fleet.rules("gone", MessageClass.OTP) == CLASS_RULES[MessageClass.OTP]
    assert survey_of(house, route="gone") == ()


def test_the_largest_group_is_the_smaller_of_two_limits(house_of):
    """A submit holds what the account allows and the vendor can carry."""
    house = house_of(vendors={"one": ExampleVendor("strict", STRICT)})
    one, two = house.accounts["one"], house.accounts["two"]

    assert house.parts.fleet.max_group(one) == 7
    assert house.parts.fleet.max_group(attrs.evolve(one, limits=Limits(max_recipients=3))) == 3
    assert house.parts.fleet.max_group(two) == 100


def test_an_unknown_account_is_not_found():
    """Asking for an account that is not configured says so."""
    fleet = Fleet(registry=Registry(vendors={}, middleware=(), unavailable=()), accounts={}, routes=())

    with pytest.raises(NotFound, match="nobody"):
        fleet.account(AccountId("nobody"))


# transports


class Connected(ExampleVendor):
    """Opens a transport of its own for each account."""

    def __init__(self, name, fault=None):
        super().__init__(name)
        self._fault = fault
        self.opened = []

    @hookimpl
    def open_transport(self, account, sink):
        if self._fault is not None:
            raise self._fault
        self.opened.append((account.id, sink, ScriptedTransport()))
        return self.opened[-1][2]


def test_each_account_has_one_transport(house_of):
    """A plugin's own transport is opened once for each account, with that account's sink, and closed at the end."""
    house = house_of()
    own = Connected("own")
    plugin = VendorPlugin("own", own, "1")
    one, two = house.accounts["one"], house.accounts["two"]
    transports = Transports(ScriptedTransport, lambda account: f"sink of {account.id}")

    first, again, other = (transports.of(account, plugin) for account in (one, one, two))

    assert first is again is not other
    assert [(name, sink) for name, sink, _ in own.opened] == [("one", "sink of one"), ("two", "sink of two")]
    transports.close()
    assert (first.closed, other.closed) == (True, True)


def test_accounts_without_a_transport_of_their_own_share_one(house_of):
    """Where a plugin opens none, all its accounts share the default, which is made when it is first wanted."""
    made = []
    house = house_of()
    transports = Transports(lambda: made.append(ScriptedTransport()) or made[-1], lambda account: None)
    transports.close()
    assert made == []

    plugin = VendorPlugin("v", ExampleVendor("v"), "1")
    found = {id(transports.of(account, plugin)) for account in house.accounts.values()}

    assert found == {id(one) for one in made}
    assert len(made) == 1
    transports.close()
    assert made[0].closed


def test_a_transport_that_does_not_open_is_the_plugins_fault(house_of):
    """What a plugin raises while it opens a transport is its own fault, and is not quoted."""
    house = house_of()
    plugin = VendorPlugin("own", Connected("own", OSError("secret")), "1")

    with pytest.raises(PluginError, match=r"^plugin own: open_transport raised OSError$"):
        house.parts.transports.of(house.accounts["one"], plugin)
