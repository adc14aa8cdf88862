"""What the rehearsal's tests share: two accounts with an invented vendor, and scenarios of a few lines."""

import pytest

from tocsin.config import Config, Gateway, Store
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.policy.route import Route, Strategy
from tocsin.registry import Registry, VendorPlugin
from tocsin.rehearse.rehearsal import rehearse
from tocsin.rehearse.scenario import Behaviour, Scenario, Spread, Traffic
from tocsin.rehearse.staging import as_scripted
from tocsin.testing.vendor import ExampleSettings, ExampleVendor

_ALWAYS = Behaviour(latency=Spread(0.2, 0.2), delivers=1.0, phone_delay=Spread(2.0, 2.0), report_delay=Spread(1.0, 1.0))


@pytest.fixture
def always():
    """A vendor of which everything is known before: an answer after 0.2 s, a phone after 2 s, a report after 3 s."""
    return _ALWAYS


@pytest.fixture
def registry():
    """One vendor, `example`."""
    return Registry(vendors={"example": VendorPlugin("example", ExampleVendor(), "1")}, middleware=(), unavailable=())


@pytest.fixture
def configured(tmp_path):
    """Return a function that makes a configuration of accounts by the names given, on one route in that order."""

    def configure(*names, prices=(), changes=None, strategy=Strategy.FAILOVER, source="tocsin.toml", **account):
        priced = dict(zip(names, prices, strict=False))
        accounts = {
            AccountId(name): Account(
                id=AccountId(name),
                vendor="example",
                base_url="http://vendor.invalid",
                settings=ExampleSettings(),
                price=priced.get(name),
                **account,
            )
            for name in names
        }
        knobs = {} if changes is None else {"changes": changes}
        return Config(
            source=source,
            store=Store(path=tmp_path / "nobody-opens-this.db"),
            accounts=accounts,
            groups={},
            routes=(Route(name="all", accounts=tuple(accounts), strategy=strategy, **knobs),),
            gateway=Gateway(),
        )

    return configure


@pytest.fixture
def scenario_of():
    """Return a function that makes a scenario: so many messages to ten phones, evenly over so many minutes."""
    phones = tuple(E164(f"+861390000000{place}") for place in range(10))

    def make(*troubles, count=30, minutes=30, cls=MessageClass.ALERT, vendors=None, settles_s=4 * 3600.0):
        length_s = minutes * 60.0
        traffic = Traffic(cls=cls, text="disk full on db{n}", count=count, from_s=0.0, until_s=length_s, to=phones)
        return Scenario(
            name="test",
            title="a test",
            duration_s=length_s,
            settles_s=settles_s,
            traffic=(traffic,),
            vendors={"all": _ALWAYS} if vendors is None else vendors,
            troubles=troubles,
        )

    return make


@pytest.fixture
def rehearsed(registry):
    """Return a function that rehearses a scenario with a configuration."""

    def run(config, scenario, seed=1):
        return rehearse(as_scripted(config, registry, scenario, seed))

    return run
