"""Finding the file, reading it whole, and what comes out of it."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tocsin.config import Gateway, Store, find_config, load_config, load_store
from tocsin.errors import ConfigError
from tocsin.model.account import Drill, Limits, Polling, Rate
from tocsin.model.hours import Hours
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.policy.route import InDoubt, OnUndelivered, RuleChanges, Size, Strategy

EXAMPLE = """
[store]
url = "sqlite:///tocsin.db"

[accounts.main]
vendor     = "winnerlook"
user_code  = "demo"
password   = { env = "WINNERLOOK_PASSWORD" }
channel    = "37"
base_url   = "http://sms.example.com"
insecure_http = "acknowledged"
interface  = "post"
encrypt    = false
signature  = "【Example】"
price      = "0.10"
limits     = { submits = ["50/s"], per_recipient = ["10/d"], max_recipients = 400, limit_scope = "account", \
spend_per_day = "50.5" }
hours      = "08:00-22:00 Asia/Shanghai"
poll       = { reports = "5s", inbound = "500ms", balance = "0s" }
balance_floor = "20"
shared     = false
validated_text = "soap"
push       = { token = { env = "MAIN_PUSH_TOKEN" }, allow = ["203.0.113.0/24"] }
drill      = { to = "13900000000", every = "6h", text = "are you there" }

[accounts.backup]
vendor    = "ipyy"
user_id   = "12"
account   = "demo"
password  = { env = "IPYY_PASSWORD" }
password_md5 = false
interface = "json"
reports   = "xml"

[groups]
oncall = ["+8613900000000", "13900000001"]

[[routes]]
name     = "otp"
match    = { class = "otp", prefix = ["+86"], tags.team = "db", source = "cli", country = "CN", \
hours = "22:00-06:00", size = { min = 1, max = 70 } }
strategy = "failover"
accounts = ["main", "backup"]
when_in_doubt = "resend-other"
evidence_wait = "8s"
report_timeout = "45s"
on_undelivered = "next"
expires_after = "5m"
max_copies = 2

[limits]
per_recipient = ["30/h", "100/d"]
critical_per_recipient = []
spend_per_day = 500

[opt_out]
words = ["STOP", " 退订 "]
exempt = ["otp", "critical"]

[gateway]
listen = "127.0.0.1:8470"
[[gateway.keys]]
name = "alertmanager"
sha256 = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
scopes = ["send:alert", "send:critical"]
"""


def test_every_key_of_the_contract_is_read(read, tmp_path):
    """Each key that the contract's example names ends in the value that it stands for."""
    config = read(EXAMPLE)

    main, backup = config.accounts["main"], config.accounts["backup"]
    assert config.source == str(tmp_path / "tocsin.toml")
    assert config.store == Store(path=tmp_path / "tocsin.db")
    assert (main.id, main.vendor, main.base_url) == ("main", "winnerlook", "http://sms.example.com")
    assert (main.signature, main.price, main.balance_floor) == ("【Example】", Decimal("0.10"), Decimal(20))
    assert main.poll == Polling(reports_s=5.0, inbound_s=0.5, balance_s=0.0)
    assert main.hours == Hours(start=time(8), end=time(22), zone=ZoneInfo("Asia/Shanghai"))
    assert (main.push.token.reveal(), main.push.allow) == ("third-canary", ("203.0.113.0/24",))
    assert (main.settings.password.reveal(), main.settings.channel) == ("first-canary", "37")
    assert main.drill == Drill(to=E164("+8613900000000"), every=timedelta(hours=6), text="are you there")
    assert (backup.hours, backup.limits.spend_per_day, backup.drill) == (None, None, None)
    assert (backup.settings.user_id, backup.settings.interface) == ("12", "json")
    assert config.groups == {"oncall": (E164("+8613900000000"), E164("+8613900000001"))}
    assert config.limits == FleetLimits(
        per_recipient=(Rate(30, 3_600), Rate(100, 86_400)), critical_per_recipient=(), spend_per_day=Decimal(500)
    )
    assert config.opt_out == OptOut(words=("STOP", "退订"), exempt=frozenset({MessageClass.OTP, MessageClass.CRITICAL}))
    assert (config.gateway.host, config.gateway.port) == ("127.0.0.1", 8470)
    assert config.gateway.keys[0].sha256.startswith("9f86d081")
    assert config.gateway.keys[0].scopes == ("send:alert", "send:critical")


def test_every_key_of_a_route_is_read(read):
    """A route's match, accounts and knobs end in the values that the policy decides by."""
    (route,) = read(EXAMPLE).routes

    assert (route.name, route.strategy, route.accounts) == ("otp", Strategy.FAILOVER, ("main", "backup"))
    assert (route.match.classes, route.match.tags) == ((MessageClass.OTP,), {"team": "db"})
    assert (route.match.prefixes, route.match.country_prefixes, route.match.sources) == (("+86",), ("+86",), ("cli",))
    assert (route.match.hours.start.hour, route.match.hours.end.hour, route.match.hours.zone.key) == (22, 6, "UTC")
    assert (route.match.size, route.weights) == (Size(least=1, most=70), {})
    assert route.changes == RuleChanges(
        when_in_doubt=InDoubt.RESEND_OTHER,
        evidence_wait=timedelta(seconds=8),
        report_timeout=timedelta(seconds=45),
        on_undelivered=OnUndelivered.NEXT,
        expires_after=timedelta(minutes=5),
        max_copies=2,
    )


def test_given_limits_override_the_vendors_one_by_one(read):
    """A limit that the account gives replaces the vendor's default; the others stay."""
    limits = read(EXAMPLE.replace('submits = ["50/s"], ', "")).accounts["main"].limits

    assert limits == Limits(
        submits=(Rate(20, 1),), per_recipient=(Rate(10, 86_400),), max_recipients=400, limit_scope="account",
        spend_per_day=Decimal("50.5"),
    )  # fmt: skip


@pytest.mark.parametrize("strategy", Strategy, ids=lambda strategy: strategy.value)
def test_every_strategy_is_accepted_with_names_alone(read, strategy):
    """Each word is a strategy; the accounts keep the order written, and all weigh the same where weights count."""
    (route,) = read(EXAMPLE.replace('"failover"', f'"{strategy.value}"')).routes

    assert (route.strategy, route.accounts) == (strategy, ("main", "backup"))
    assert route.weights == ({"main": 100, "backup": 100} if strategy is Strategy.WEIGHTED else {})


@pytest.mark.parametrize(
    ("accounts", "weights"),
    [
        ('{ account = "main", weight = 70 }, { account = "backup", weight = 0 }', {"main": 70, "backup": 0}),
        ('"backup", { account = "main", weight = 1000 }', {"backup": 100, "main": 1000}),
        ('{ account = "main" }, { account = "backup", weight = 30 }', {"main": 100, "backup": 30}),
    ],
)
def test_weights_are_kept_in_the_order_written(read, accounts, weights):
    """A weighted route has a weight for each of its accounts: 100 where none is given, 0 for a stand-in."""
    text = EXAMPLE.replace('"failover"', '"weighted"').replace('"main", "backup"', accounts)
    (route,) = read(text).routes

    assert list(route.weights.items()) == list(weights.items())
    assert route.accounts == tuple(weights)


@pytest.mark.parametrize(
    ("written", "size"),
    [("{ min = 71 }", Size(least=71)), ("{ max = 0 }", Size(most=0)), ("{ min = 7, max = 7 }", Size(least=7, most=7))],
)
def test_an_end_of_a_size_may_be_left_open(read, written, size):
    """One end of a size is enough, and both may be the same."""
    assert read(EXAMPLE.replace("{ min = 1, max = 70 }", written)).routes[0].match.size == size


def test_an_empty_list_of_words_lets_nobody_opt_out_by_a_word(read):
    """An empty list is kept, and is not the same as one that is left out."""
    assert read("[opt_out]\nwords = []").opt_out == OptOut(words=())


def test_an_empty_file_is_a_configuration(read, tmp_path):
    """Nothing is required: no account, no route, the store beside the file, the gateway on its default address."""
    config = read("")

    assert (config.accounts, config.groups, config.routes) == ({}, {}, ())
    assert config.store == Store(path=tmp_path / "tocsin.db")
    assert config.gateway == Gateway()
    assert (config.limits, config.opt_out) == (FleetLimits(), OptOut())


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///other.db", "other.db"), ("sqlite:///data/t.db", "data/t.db"), ("sqlite:////srv/t.db", "/srv/t.db")],
)
def test_a_relative_store_is_relative_to_the_file(read, tmp_path, url, path):
    """Three slashes name a path beside the configuration, four an absolute one."""
    assert read(f'[store]\nurl = "{url}"').store.path == tmp_path / path


@pytest.mark.parametrize(("spool", "path"), [("spool", "spool"), ("/srv/spool", "/srv/spool")])
def test_a_spool_is_relative_to_the_file(read, tmp_path, spool, path):
    """A spool is named by its path; a relative one starts beside the configuration."""
    assert read(f'[store]\nspool = "{spool}"').store == Store(path=tmp_path / "tocsin.db", spool=tmp_path / path)


def test_the_store_and_the_groups_are_read_by_themselves(tmp_path):
    """Who is in a hurry learns where the store is, and who is in a group, whatever else the file holds."""
    path = tmp_path / "tocsin.toml"
    path.write_text(
        'routes = 1\n[store]\nspool = "s"\n[groups]\nops = ["13900000001"]\n[accounts.a]\nvendor = "none"\n'
    )
    store, groups = load_store(path)
    assert (store.spool, groups) == (tmp_path / "s", {"ops": (E164("+8613900000001"),)})
    path.write_text("")
    assert load_store(path) == (Store(path=tmp_path / "tocsin.db"), None)
    path.write_text("[store]\nspool = 1\n[groups]\nops = []\n")
    with pytest.raises(ConfigError, match=r"store\.spool(.|\n)*groups\.ops"):
        load_store(path)


def test_a_trailing_slash_of_an_address_is_dropped(read):
    """Requests append paths to the address, so it ends without a slash."""
    config = read(EXAMPLE.replace('"http://sms.example.com"', '"https://proxy.example.net:8443/sms/"'))

    assert config.accounts["main"].base_url == "https://proxy.example.net:8443/sms"


def test_a_route_without_a_name_is_called_by_its_place(read):
    """An unnamed route is `route-N`, counted from 1."""
    assert read(EXAMPLE.replace('name     = "otp"', "")).routes[0].name == "route-1"


def test_findings_come_all_at_once(findings):
    """One run names every fault of the file, in every section."""
    text = EXAMPLE
    for old, new in [
        ("sqlite:///", "mysql://"),
        ('channel    = "37"', 'channel = "x"'),
        ("203.0.113.0/24", "203.0.113.7/24"),
        ("13900000001", "911"),
        ('"backup"]', '"bakup"]'),
        ("127.0.0.1:8470", "8470"),
        ("spend_per_day = 500", "spend_per_day = -500"),
        ('"critical"]\n\n[gateway]', '"crisis"]\n\n[gateway]'),
    ]:
        text = text.replace(old, new)

    assert [finding.split(":")[0] for finding in findings(text)] == [
        "store.url",
        "accounts.main.push.allow[0]",
        "accounts.main.channel",
        "groups.oncall[1]",
        "routes[0].accounts[1]",
        "gateway.listen",
        "limits.spend_per_day",
        "opt_out.exempt[1]",
    ]


def test_an_error_names_the_file_before_each_finding(tmp_path):
    """The text of the error is one line per finding, each beginning with the file's name."""
    path = tmp_path / "tocsin.toml"
    path.write_text("store = 1\nrouts = 2\n")

    with pytest.raises(ConfigError) as caught:
        load_config(path, vendors={}, environ={})

    assert str(caught.value).splitlines() == [
        f"{path}: store: expected a table such as {{ key = … }}",
        f'{path}: routs: unknown key; did you mean "routes"?',
    ]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"a = ", "expected TOML: Invalid value (at end of document)"),
        (b'a = "\xff"', "expected UTF-8 text"),
        (b"a = " + b"[" * 100_000, "expected TOML that is nested less deeply"),
    ],
    ids=["grammar", "charset", "depth"],
)
def test_a_file_that_is_no_toml_is_one_finding(tmp_path, content, finding):
    """What tomllib cannot read is a finding, whatever it raises."""
    path = tmp_path / "tocsin.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_config(path, vendors={}, environ={})

    assert caught.value.findings == (finding,)


def test_a_byte_order_mark_is_no_fault(read):
    """An editor's byte order mark does not make the file unreadable."""
    assert read("\ufeff[groups]").groups == {}


def test_the_option_goes_before_the_variable_before_the_directory(tmp_path):
    """`--config` wins over `$TOCSIN_CONFIG`, which wins over ./tocsin.toml; an empty variable is none."""
    for name in ("tocsin.toml", "variable.toml", "option.toml"):
        (tmp_path / name).touch()

    assert find_config("option.toml", {"TOCSIN_CONFIG": "variable.toml"}, tmp_path) == tmp_path / "option.toml"
    assert find_config(None, {"TOCSIN_CONFIG": str(tmp_path / "variable.toml")}, Path("/")).name == "variable.toml"
    assert find_config(None, {"TOCSIN_CONFIG": ""}, tmp_path) == tmp_path / "tocsin.toml"


def test_a_missing_file_is_one_sentence_that_suggests_init(tmp_path):
    """Both ways in say the same of a missing file, and how to get one."""
    with pytest.raises(ConfigError) as found:
        find_config(None, {}, tmp_path)
    with pytest.raises(ConfigError) as loaded:
        load_config(tmp_path / "tocsin.toml", vendors={}, environ={})

    assert found.value.findings == loaded.value.findings
    assert len(found.value.findings) == 1
    assert "`tocsin init`" in found.value.findings[0]


def test_a_directory_is_no_configuration(tmp_path):
    """What cannot be read as a file is a finding with the system's reason."""
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, vendors={}, environ={})

    assert caught.value.findings == ("cannot be read: Is a directory",)
