"""What is said of a wrong configuration, word for word."""

from __future__ import annotations

import sys
import types

import pytest

_IPYY = 'vendor = "ipyy"\nuser_id = "12"\naccount = "demo"\npassword = { env = "IPYY_PASSWORD" }\n'
_ACCOUNT = "[accounts.main]\n" + _IPYY
_TWO = _ACCOUNT + "[accounts.backup]\n" + _IPYY
_ROUTE = _TWO + '[[routes]]\naccounts = ["main"]\n'
_WEIGHTED = _TWO + '[[routes]]\nstrategy = "weighted"\n'
_UNWEIGHTED = ("failover", "round-robin", "cheapest", "best", "broadcast")
_WINNERLOOK = (
    '[accounts.main]\nvendor = "winnerlook"\nuser_code = "u"\nchannel = "37"\n'
    'password = { env = "WINNERLOOK_PASSWORD" }\n'
)
_KEY = '[[gateway.keys]]\nname = "k"\nscopes = ["send:alert"]\nsha256 = "' + "0" * 64 + '"\n'
_PLAIN_HTTP = 'expected "acknowledged": over plain http, password, numbers and texts travel unencrypted'
_URL = "expected an address such as https://sms.example.com, without user, query or fragment"
_SQLITE = "expected sqlite:///tocsin.db (beside this file) or sqlite:////var/lib/tocsin/tocsin.db"
_DURATION = "expected a duration such as 8s, 5m or 4h, in quotes"
_RATE = "expected a rate such as 50/s, 3/3m or 10/d, in quotes"
_NETWORK = "expected an address or a network such as 203.0.113.0/24, with no bits behind its mask"
_HOURS = 'expected hours such as "22:00-06:00 Asia/Shanghai"'
_PREFIX = 'expected the beginning of an international number, such as "+86"'
_BUDGET = "expected an amount above 0"
_NUMBER = 'expected a phone number such as "+8613900000000"'

STORE = [
    (
        '[store]\nurl = "postgresql://db/x"',
        "store.url: postgresql:// is not available yet; expected sqlite:///tocsin.db",
    ),
    ('[store]\nurl = "sqlite:///:memory:"', f"store.url: {_SQLITE}"),
    ('[store]\nurl = "sqlite:///"', f"store.url: {_SQLITE}"),
    ('[store]\nurl = "sqlite://x.db"', f"store.url: {_SQLITE}"),
    ('[store]\nurl = "sqlite:///x.db?mode=ro"', f"store.url: {_SQLITE}"),
    ('[store]\nspool = "a\\u0000b"', "store.spool: expected the path of a directory, such as /var/spool/tocsin"),
    ('[store]\nkey = { env = "K" }', "store.key: encryption at rest is not available yet; leave it out"),
    ('[store]\nulr = "x"', 'store.ulr: unknown key; did you mean "url"?'),
]

ACCOUNTS = [
    ("[accounts]\nmain = 1", "accounts.main: expected a table such as { key = … }"),
    ("[accounts.main]", "accounts.main.vendor: missing; expected the name of a vendor"),
    (
        '[accounts.main]\nvendor = "winerlook"\nwhatever = 1',
        'accounts.main.vendor: no vendor is named "winerlook"; did you mean "winnerlook"?',
    ),
    (
        '[accounts.main]\nvendor = "x"',
        'accounts.main.vendor: no vendor is named "x"; there is "homeless", "ipyy", "winnerlook"',
    ),
    (
        _ACCOUNT.replace("main", '"a b"'),
        "accounts.\"a b\": expected a name of letters, digits, '_', '-' and '.'",
    ),
    (_ACCOUNT.replace('account = "demo"', ""), "accounts.main.account: missing; the vendor ipyy needs it"),
    (_ACCOUNT.replace('"12"', "12"), 'accounts.main.user_id: expected a text in quotes, such as "…"'),
    (_ACCOUNT.replace('"12"', '"twelve"'), "accounts.main.user_id: expected digits"),
    (_ACCOUNT + 'password_md5 = "yes"', "accounts.main.password_md5: expected true or false, without quotes"),
    (_ACCOUNT + "pasword_md5 = true", 'accounts.main.pasword_md5: unknown key; did you mean "password_md5"?'),
    (_ACCOUNT + "zzz = 1", "accounts.main.zzz: unknown key"),
    (_ACCOUNT + 'signature = "Example"', "accounts.main.signature: expected a signature such as 【Example】"),
    (_ACCOUNT + "shared = 1", "accounts.main.shared: expected true or false, without quotes"),
    (
        _ACCOUNT + "price = 0.1",
        'accounts.main.price: expected the amount in quotes, such as "0.10": a fraction without quotes is not exact',
    ),
    (_ACCOUNT + 'price = "ten"', 'accounts.main.price: expected an amount such as "0.10" or 20'),
    (_ACCOUNT + 'price = "-1"', "accounts.main.price: expected a price of 0 or more"),
    (_ACCOUNT + "balance_floor = true", 'accounts.main.balance_floor: expected an amount such as "0.10" or 20'),
    (_ACCOUNT + 'limits = { submits = "50/s" }', "accounts.main.limits.submits: expected a list such as [ … ]"),
    (_ACCOUNT + 'limits = { submits = ["1/s", "0/s"] }', f"accounts.main.limits.submits[1]: {_RATE}"),
    (_ACCOUNT + 'limits = { submits = ["1/s", "1/s"] }', "accounts.main.limits.submits[1]: stands in the list twice"),
    (
        _ACCOUNT + "limits = { max_recipients = 0 }",
        "accounts.main.limits.max_recipients: expected a whole number from 1 to 10000, without quotes",
    ),
    (
        _ACCOUNT + 'limits = { limit_scope = "acount" }',
        'accounts.main.limits.limit_scope: expected one of number, account; did you mean "account"?',
    ),
    *(
        (_ACCOUNT + f"limits = {{ spend_per_day = {amount} }}", "accounts.main.limits.spend_per_day: " + _BUDGET)
        for amount in ("0", '"-1"', '"0.00"')
    ),
    (_ACCOUNT + 'hours = "always"', f"accounts.main.hours: {_HOURS}"),
    (_ACCOUNT + "drill = {}", "accounts.main.drill.to: missing; expected a number of your own"),
    (_ACCOUNT + 'drill = { to = "1" }', 'accounts.main.drill.to: expected a phone number such as "+8613900000000"'),
    (
        _ACCOUNT + 'drill = { to = "13900000000", every = "59s" }',
        "accounts.main.drill.every: expected a duration of at least 1m: each drill is a real message",
    ),
    (
        _ACCOUNT + 'drill = { to = "13900000000", evry = "1h" }',
        'accounts.main.drill.evry: unknown key; did you mean "every"?',
    ),
    (_ACCOUNT + 'hours = { from = "08:00" }', 'accounts.main.hours.to: missing; expected a time such as "06:00"'),
    (_ACCOUNT + "poll = { reports = 5 }", f"accounts.main.poll.reports: {_DURATION}"),
    (_ACCOUNT + 'poll = { reports = "never" }', f"accounts.main.poll.reports: {_DURATION}"),
    (_ACCOUNT + 'poll = { report = "5s" }', 'accounts.main.poll.report: unknown key; did you mean "reports"?'),
    (_ACCOUNT + 'push = { allow = ["203.0.113.1/24"] }', f"accounts.main.push.allow[0]: {_NETWORK}"),
    (_ACCOUNT + "push = { allow = [7] }", f"accounts.main.push.allow[0]: {_NETWORK}"),
    ('[gateway]\ntrusted_proxies = ["10.0.0.1/8"]', f"gateway.trusted_proxies[0]: {_NETWORK}"),
    (_WINNERLOOK, f"accounts.main.insecure_http: {_PLAIN_HTTP}"),
    (_WINNERLOOK + "insecure_http = true", f"accounts.main.insecure_http: {_PLAIN_HTTP}"),
    (
        _WINNERLOOK + 'insecure_http = "acknowledged"\ninterface = "soap"',
        'accounts.main.interface: expected one of post, get, soap11, soap12; did you mean "soap12"?',
    ),
    (_ACCOUNT + 'base_url = "http://sms.example.com"', f"accounts.main.insecure_http: {_PLAIN_HTTP}"),
    *(
        (_ACCOUNT + f'base_url = "{url}"', f"accounts.main.base_url: {_URL}")
        for url in (
            "sms.example.com",
            "ftp://sms.example.com",
            "https://",
            "https://user:canary@sms.example.com",
            "https://sms.example.com/?key=canary",
            "https://sms.example.com/#x",
            "https://sms.example.com:port",
            "https://sms.example.com:0",
            "https://[::1",
            "https://sms.example.com/a b",
        )
    ),
    (
        _ACCOUNT.replace('"ipyy"', '"homeless"'),
        "accounts.main.base_url: missing; the vendor homeless has no address of its own",
    ),
]

GROUPS = [
    ("[groups]\noncall = []", "groups.oncall: expected at least one item in the list"),
    ('[groups]\noncall = "13900000000"', "groups.oncall: expected a list such as [ … ]"),
    ('[groups]\noncall = ["13900000000", "12345"]', f"groups.oncall[1]: {_NUMBER}"),
    (
        "[groups]\noncall = [13900000000]",
        'groups.oncall[0]: expected a phone number in quotes, such as "+8613900000000"',
    ),
    ('[groups]\noncall = ["13900000000", "+8613900000000"]', "groups.oncall[1]: stands in the list twice"),
]

ROUTES = [
    ("routes = 1", "routes: expected a list such as [ … ]"),
    ("routes = [1]", "routes[0]: expected a table such as { key = … }"),
    (
        _TWO + "[[routes]]",
        'routes[0].accounts: missing; expected a list of account names such as ["main", "backup"]',
    ),
    (_TWO + "[[routes]]\naccounts = []", "routes[0].accounts: expected at least one item in the list"),
    (
        _TWO + '[[routes]]\naccounts = ["main", "bakup"]',
        'routes[0].accounts[1]: no account is named "bakup"; did you mean "backup"?',
    ),
    (
        _TWO + '[[routes]]\naccounts = ["x"]',
        'routes[0].accounts[0]: no account is named "x"; there is "backup", "main"',
    ),
    ('[[routes]]\naccounts = ["x"]', 'routes[0].accounts[0]: no account is named "x"; there is none'),
    (_TWO + '[[routes]]\naccounts = ["main", "main"]', "routes[0].accounts[1]: stands in the list twice"),
    (
        _ROUTE + 'strategy = "fail-over"',
        "routes[0].strategy: expected one of failover, weighted, round-robin, cheapest, best, broadcast; "
        'did you mean "failover"?',
    ),
    (
        _WEIGHTED + 'accounts = [{ account = "main", weight = 70 }, { account = "bakup" }]',
        'routes[0].accounts[1].account: no account is named "bakup"; did you mean "backup"?',
    ),
    (
        _WEIGHTED + "accounts = [{ weight = 70 }]",
        "routes[0].accounts[0].account: missing; expected the name of an account",
    ),
    (
        _WEIGHTED + 'accounts = [{ account = "main", wieght = 70 }]',
        'routes[0].accounts[0].wieght: unknown key; did you mean "weight"?',
    ),
    *(
        (
            _WEIGHTED + f'accounts = [{{ account = "main", weight = {weight} }}]',
            "routes[0].accounts[0].weight: expected a whole number from 0 to 1000, without quotes",
        )
        for weight in ("-1", "1001", "0.5", "true", '"70"')
    ),
    (
        _WEIGHTED + 'accounts = [{ account = "main", weight = 0 }, { account = "backup", weight = 0 }]',
        "routes[0].accounts: expected at least one weight above 0",
    ),
    (
        _WEIGHTED + 'accounts = ["main", { account = "main", weight = 70 }]',
        "routes[0].accounts[1]: stands in the list twice",
    ),
    (_WEIGHTED + "accounts = [7]", 'routes[0].accounts[0]: expected a text in quotes, such as "…"'),
    (_WEIGHTED + 'accounts = "main"', "routes[0].accounts: expected a list such as [ … ]"),
    *(
        (
            _TWO + f'[[routes]]\n{strategy}\naccounts = ["main", {{ account = "backup", weight = 70 }}]',
            'routes[0].accounts: expected no weight: only strategy = "weighted" draws by it',
        )
        for strategy in ("", *(f'strategy = "{word}"' for word in _UNWEIGHTED))
    ),
    (
        _WEIGHTED.replace("weighted", "wieghted") + 'accounts = [{ account = "main", weight = 70 }]',
        "routes[0].strategy: expected one of failover, weighted, round-robin, cheapest, best, broadcast; "
        'did you mean "weighted"?',
    ),
    (
        _ROUTE + 'when_in_doubt = "park"',
        "routes[0].when_in_doubt: expected one of hold, resend-same, resend-other",
    ),
    (_ROUTE + "evidence_wait = 8", f"routes[0].evidence_wait: {_DURATION}"),
    (_ROUTE + 'expires_after = "0s"', "routes[0].expires_after: expected a duration that is longer than none"),
    (_ROUTE + 'expires_after = "900d"', "routes[0].expires_after: expected a duration of at most 366d"),
    (_ROUTE + "max_copies = 10", "routes[0].max_copies: expected a whole number from 1 to 9, without quotes"),
    (_ROUTE + "max_copies = true", "routes[0].max_copies: expected a whole number from 1 to 9, without quotes"),
    (_ROUTE + 'on_undelivered = "skip"', "routes[0].on_undelivered: expected one of next, stop"),
    (_ROUTE + 'escalate_to = "boss"', "routes[0].escalate_to: not available yet; leave it out"),
    (_ROUTE + "ack_required = true", "routes[0].ack_required: not available yet; leave it out"),
    (_ROUTE + 'evidence_wiat = "8s"', 'routes[0].evidence_wiat: unknown key; did you mean "evidence_wait"?'),
    (_ROUTE + _ROUTE.removeprefix(_TWO), 'routes[1]: never reached: the route "route-1" before it takes all'),
    (
        _ROUTE + 'name = "a"\nmatch = { class = "otp" }\n[[routes]]\nname = "a"\naccounts = ["main"]',
        'routes[1].name: another route is named "a"',
    ),
]

MATCHES = [
    ("{ class = 1 }", "class: expected one of otp, critical, alert, notice, bulk"),
    (
        '{ class = ["otp", "alrt"] }',
        'class[1]: expected one of otp, critical, alert, notice, bulk; did you mean "alert"?',
    ),
    ("{ class = [] }", "class: expected at least one item in the list"),
    ("{ tags = { team = 1 } }", 'tags.team: expected a text in quotes, such as "…"'),
    ('{ prefix = "86" }', f"prefix: {_PREFIX}"),
    ('{ prefix = ["+86", "+0"] }', f"prefix[1]: {_PREFIX}"),
    ('{ country = "China" }', 'country: expected a country of two capital letters, such as "CN"'),
    ("{ source = 1 }", 'source: expected a text in quotes, such as "…"'),
    ('{ hours = "always" }', f"hours: {_HOURS}"),
    ("{ hours = 9 }", f"hours: {_HOURS}"),
    ("{ size = 70 }", "size: expected a table such as { key = … }"),
    ("{ size = {} }", "size: expected min, max or both, in characters"),
    ('{ size = { max = "70" } }', "size.max: expected a whole number from 0 to 100000, without quotes"),
    ("{ size = { min = -1 } }", "size.min: expected a whole number from 0 to 100000, without quotes"),
    ("{ size = { min = 71, max = 70 } }", "size.max: expected no less than min"),
    ("{ size = { min = 1, mx = 70 } }", 'size.mx: unknown key; did you mean "max"?'),
    ('{ hours = "22:00-25:00" }', 'hours: expected a time of day such as "22:00"'),
    ('{ hours = "22:00-06:00 Mars/Olympus" }', "hours: expected a time zone such as Asia/Shanghai"),
    ('{ hours = "22:00-06:00 Asia" }', "hours: expected a time zone such as Asia/Shanghai"),
    (
        '{ hours = "08:00-08:00" }',
        "hours: expected an end that differs from the start; without hours, it is open all day",
    ),
    ('{ hours = { from = "22:00" } }', 'hours.to: missing; expected a time such as "06:00"'),
    ('{ hours = { from = "22:00", to = 6 } }', 'hours.to: expected a time of day such as "22:00"'),
    ('{ hours = { from = "22:00", to = "06:00", zon = "UTC" } }', 'hours.zon: unknown key; did you mean "zone"?'),
    ('{ clas = "otp" }', 'clas: unknown key; did you mean "class"?'),
]

GATEWAY = [
    ('[gateway]\nlisten = "127.0.0.1"', 'gateway.listen: expected address and port such as "127.0.0.1:8470"'),
    ('[gateway]\nlisten = "127.0.0.1:65536"', 'gateway.listen: expected address and port such as "127.0.0.1:8470"'),
    (_KEY.replace('name = "k"', ""), "gateway.keys[0].name: missing; expected a name for the key"),
    (_KEY.replace("0" * 64, "0"), "gateway.keys[0].sha256: expected the SHA-256 of the key, 64 hexadecimal digits"),
    (
        _KEY.replace("send:alert", "send:alrt"),
        "gateway.keys[0].scopes[0]: expected a scope: "
        "send:otp, send:critical, send:alert, send:notice, send:bulk, read, cancel",
    ),
    (_KEY + _KEY, 'gateway.keys[1].name: another key is named "k"'),
]

LIMITS = [
    ("limits = 1", "limits: expected a table such as { key = … }"),
    ('[limits]\nper_recipient = "60/h"', "limits.per_recipient: expected a list such as [ … ]"),
    ('[limits]\nper_recipient = ["60/h", "0/h"]', f"limits.per_recipient[1]: {_RATE}"),
    ('[limits]\ncritical_per_recipient = ["60"]', f"limits.critical_per_recipient[0]: {_RATE}"),
    ("[limits]\nspend_per_day = 0", f"limits.spend_per_day: {_BUDGET}"),
    ('[limits]\nspend_per_dya = "5"', 'limits.spend_per_dya: unknown key; did you mean "spend_per_day"?'),
    ('[opt_out]\nwords = "STOP"', "opt_out.words: expected a list such as [ … ]"),
    ('[opt_out]\nwords = ["STOP", "."]', 'opt_out.words[1]: expected a word such as "STOP"'),
    ('[opt_out]\nwords = ["STOP", "STOP"]', "opt_out.words[1]: stands in the list twice"),
    (
        '[opt_out]\nexempt = ["otp", "alrt"]',
        'opt_out.exempt[1]: expected one of otp, critical, alert, notice, bulk; did you mean "alert"?',
    ),
    ('[opt_out]\nword = ["STOP"]', 'opt_out.word: unknown key; did you mean "words"?'),
]

TOP = [
    ('allow_inline_secrets = "yes"', "allow_inline_secrets: expected true or false, without quotes"),
    ("account = 1", 'account: unknown key; did you mean "accounts"?'),
    ('"a\\u001b[2J" = 1', '"a\\u001b[2J": unknown key'),
]


@pytest.mark.parametrize(("text", "finding"), STORE + ACCOUNTS + GROUPS + ROUTES + GATEWAY + LIMITS + TOP)
def test_one_fault_is_one_finding(findings, text, finding):
    """A single fault gives a single finding: its key path, and what was expected in the user's words."""
    assert findings(text) == (finding,)


@pytest.mark.parametrize(("match", "finding"), MATCHES)
def test_one_fault_of_a_match_is_one_finding(findings, match, finding):
    """A match with a fault still asks for something, so that the next route is not called unreachable."""
    next_route = '\n[[routes]]\naccounts = ["main"]'

    assert findings(f"{_ROUTE}match = {match}{next_route}") == (f"routes[0].match.{finding}",)


def test_no_finding_shows_a_python_type(findings):
    """Findings speak of texts, numbers, lists and tables, never of str, int, dict or NoneType."""
    said = " ".join(" ".join(findings(text)) for text, _ in STORE + ACCOUNTS + GROUPS + ROUTES + GATEWAY + LIMITS + TOP)

    assert not {"str", "int", "dict", "bool", "NoneType", "float", "class"} & set(said.replace("'", " ").split())


@pytest.mark.parametrize(
    ("hours", "start", "end", "zone"),
    [
        ('"22:00-06:00"', "22:00", "06:00", "UTC"),
        ('"08:30-24:00 Asia/Shanghai"', "08:30", "00:00", "Asia/Shanghai"),
        ('{ from = "22:00", to = "06:00" }', "22:00", "06:00", "UTC"),
        ('{ from = 22:00:00, to = 06:00:00, zone = "Asia/Shanghai" }', "22:00", "06:00", "Asia/Shanghai"),
    ],
)
def test_hours_are_written_as_text_or_as_a_table(read, hours, start, end, zone):
    """Both notations give the same window; without a zone it is UTC; 24:00 is the midnight at the day's end."""
    window = read(f"{_ROUTE}match = {{ hours = {hours} }}").routes[0].match.hours

    assert (f"{window.start:%H:%M}", f"{window.end:%H:%M}", window.zone.key) == (start, end, zone)


def test_a_country_other_than_china_names_the_extra(findings, monkeypatch):
    """Without phonenumbers, core knows the calling code of mainland China alone and names the extra for the others."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    assert findings(f'{_ROUTE}match = {{ country = ["CN", "DE"] }}') == (
        """routes[0].match.country[1]: the calling code of "DE" needs an extra part: pip install 'tocsin[numbers]'""",
    )


def test_other_countries_are_known_to_phonenumbers(read, findings, monkeypatch):
    """With the library, a country is a prefix too, and an unknown one is a finding."""
    library = types.ModuleType("phonenumbers")
    library.country_code_for_region = {"DE": 49, "ZZ": 0}.__getitem__
    monkeypatch.setitem(sys.modules, "phonenumbers", library)

    assert read(f'{_ROUTE}match = {{ country = ["CN", "DE"] }}').routes[0].match.country_prefixes == ("+86", "+49")
    assert findings(f'{_ROUTE}match = {{ country = "ZZ" }}') == (
        'routes[0].match.country: no country is known as "ZZ"',
    )


def test_an_ipv6_address_listens_without_its_brackets(read):
    """The brackets belong to the notation, not to the address."""
    gateway = read('[gateway]\nlisten = "[::1]:0"').gateway

    assert (gateway.host, gateway.port) == ("::1", 0)
