"""Our SOAP client before a service that is built with somebody else's SOAP library (spyne), over real HTTP.

The service validates each request against the schema that it derives from the methods' signatures.
"""

from __future__ import annotations

import importlib.util
import json
import queue
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin.plugin import (
    E164,
    Accepted,
    Account,
    AccountId,
    Reason,
    Refused,
    Secret,
    Submission,
    Unit,
    Unknown,
    VendorId,
)
from tocsin.registry import build_registry
from tocsin.wire.perform import perform_send
from tocsin.wire.pool import HttpTransport

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("spyne") is None, reason="needs spyne, the foreign SOAP library"
)

DEADLINE_S = 10.0
PROGRAM = Path(__file__).with_name("soap_service.py")
TO = (E164("+8613900000000"), E164("+8613900000001"))
NUMBERS = "13900000000,13900000001"
PASSWORD = "<p&w>\"'"
NASTY = " a <b>&amp; ]]> \"q\" 'q' &#1;\t1\r\n2\n3\r \U0001f514 磁盘已满【Example】"
"""Markup, references, quotes, a tab, all three line ends, a character beyond the basic plane, blanks at the start."""

BATCH, TASK = VendorId("2114355899380234221"), VendorId("1504080852350206")


class Service:
    """The foreign service at work: where it listens, and what it understood."""

    def __init__(self, process):
        self.url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        self._calls = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(process.stdout,), daemon=True).start()

    def next_call(self):
        """Return the next call, as its method, the SOAPAction and the arguments."""
        call = self._calls.get(timeout=DEADLINE_S)
        return call["method"], call["action"], call["arguments"]

    def _listen(self, lines):
        for line in lines:
            self._calls.put(json.loads(line))


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def version(request):
    return request.param


@pytest.fixture(scope="module")
def service(version):
    command = [sys.executable, "-W", "ignore", str(PROGRAM), version]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield Service(process)
        finally:
            process.terminate()


@pytest.fixture
def submit(service, version):
    """Submit by the real path; return what came of it for the first recipient, and the balance that came with it."""
    ways = {
        "winnerlook": ("user_code", {"channel": "37", "interface": f"soap{version.replace('.', '')}"}),
        "ipyy": ("account", {"interface": "soap", "soap_version": version}),
    }

    def act(vendor, login="demo", text=NASTY, extension=""):
        plugin = build_registry().vendors[vendor]
        name, others = ways[vendor]
        settings = plugin.vendor.settings(**{name: login}, password=Secret(PASSWORD), **others)
        account = Account(id=AccountId("main"), vendor=vendor, base_url=service.url, settings=settings)
        submission = Submission(to=TO, texts=(text,), extension=extension)
        with closing(HttpTransport()) as transport:
            result = perform_send(plugin.send(account, submission, datetime.now(UTC)), transport, TO)
        assert len(set(result.outcomes.values())) == 1
        return result.outcomes[TO[0]], result.balance

    return act


def action(version, method):
    """What SOAP 1.1 says in a header of its own, and in quotes; SOAP 1.2 has none."""
    return f'"http://tempuri.org/{method}"' if version == "1.1" else ""


def test_winnerlook_arrives_as_written(service, version, submit):
    """SendMsg reaches a foreign service with every character as it was, and its batch number is read."""
    outcome, _ = submit("winnerlook")

    arguments = ["demo", PASSWORD, NUMBERS, NASTY, "37"]
    assert service.next_call() == ("SendMsg", action(version, "SendMsg"), arguments)
    assert outcome == Accepted(BATCH)


def test_winnerlook_extension_arrives(service, version, submit):
    """A submit with an extension number is sendMesExt, with the number in its sixth parameter."""
    outcome, _ = submit("winnerlook", extension="42")

    arguments = ["demo", PASSWORD, NUMBERS, NASTY, "37", "42"]
    assert service.next_call() == ("sendMesExt", action(version, "sendMesExt"), arguments)
    assert outcome == Accepted(BATCH)


def test_ipyy_arrives_as_written(service, version, submit):
    """SendSms reaches a foreign service with the fields of its object, and id and balance of the answer are read."""
    outcome, balance = submit("ipyy", extension="42")

    method, said_action, arguments = service.next_call()
    assert (method, said_action) == ("SendSms", action(version, "SendSms"))
    assert [argument or "" for argument in arguments] == ["demo", PASSWORD, NUMBERS, NASTY, "", "42"]
    assert outcome == Accepted(TASK)
    assert (str(balance.amount), balance.unit) == ("-4", Unit.MESSAGES)


@pytest.mark.parametrize(
    ("vendor", "refusal"),
    [
        ("winnerlook", Refused(Reason.KEYWORD, "-6", "促销")),
        ("ipyy", Refused(Reason.KEYWORD, "2107", "敏感词汇")),
    ],
)
def test_refusal_is_read(service, submit, vendor, refusal):
    """A failure code in a foreign service's answer is the refusal that the document says it is."""
    outcome, _ = submit(vendor, login="refused")

    service.next_call()
    assert outcome == refusal


@pytest.mark.parametrize("login", ["broken", "null"])
@pytest.mark.parametrize("vendor", ["winnerlook", "ipyy"])
def test_no_answer_of_the_vendor_proves_nothing(service, submit, vendor, login):
    """A fault, or a result that is null, is neither acceptance nor refusal."""
    outcome, _ = submit(vendor, login=login)

    service.next_call()
    assert isinstance(outcome, Unknown)
