"""Both vendors' own sides push to a real gateway beside a real worker, in every form that they know."""

from __future__ import annotations

import os
import signal

import pytest
import urllib3

from tocsin import Tocsin
from tocsin.delivery.push import as_raw
from tocsin.model.ids import AccountId
from tocsin.model.push import PushRequest, Trust
from tocsin.outbox.record import Filter, RawAnswer
from tocsin.sandbox import start

from ..gateway_process import LISTENING, ServiceProcess, running, serving_process
from ..waiting import until
from .bodies import form, reply_row, report, xml

ALLOWED = ', allow = ["127.0.0.0/8"]'
TOKEN = "token-of-the-vendor"
USERS = {"winnerlook": 'user_code = "demo"\nchannel = "37"', "ipyy": 'user_id = "12"\naccount = "demo"'}
NUMBER = "13900000001"


class House:
    """One account of a vendor, and `tocsin serve` on it."""

    def __init__(self, home, vendor, allow):
        self.home, self.vendor = home, vendor
        self.configure(allow)
        self.service = None

    def configure(self, allow):
        text = f"""
allow_inline_secrets = true

[gateway]
listen = "127.0.0.1:0"

[accounts.main]
vendor = "{self.vendor.vendor}"
{USERS[self.vendor.vendor]}
password = "demo-password"
base_url = "{self.vendor.base_url}"
insecure_http = "acknowledged"
signature = "【Example】"
poll = {{ reports = "1h", inbound = "1h", balance = "0s" }}
push = {{ token = "{TOKEN}"{allow} }}

[[routes]]
name = "all"
accounts = ["main"]
"""
        (self.home / "tocsin.toml").write_text(text, encoding="utf-8")

    @property
    def url(self):
        return f"{self.service.url}/push/main/{TOKEN}"

    def send(self):
        """Have a message submitted; return a look at where it stands."""
        with Tocsin.from_config(self.home / "tocsin.toml") as tocsin:
            (delivery,) = tocsin.deliver_now(to=[NUMBER], text="disk full").deliveries
        return lambda: self.look(lambda tocsin: tocsin.deliveries(Filter(delivery=delivery.id))[0].state.value)

    def look(self, ask):
        with Tocsin.from_config(self.home / "tocsin.toml") as tocsin:
            return ask(tocsin)

    def store(self, ask):
        return self.look(lambda tocsin: ask(tocsin.parts.store))

    def polls(self, kind):
        return len(self.service.said("tocsin.poll.done", kind=kind))


@pytest.fixture
def house_of(tmp_path):
    """Run a service for a vendor; its first polls are over when it is there."""
    opened = []

    def make(vendor, allow=ALLOWED):
        sandbox = start(vendor)
        opened.append(sandbox.close)
        house = House(tmp_path, sandbox, allow)
        house.service = ServiceProcess(tmp_path, "serve")
        opened.append(house.service.close)
        house.service.wait_for(LISTENING)
        for kind in ("reports", "inbound"):
            house.service.wait_for("tocsin.poll.done", kind=kind)
        return house

    yield make
    for close in reversed(opened):
        close()


@pytest.mark.parametrize("vendor", ["winnerlook", "ipyy"])
def test_a_pushed_report_closes_a_delivery(house_of, vendor):
    """With token and allow-list, in each form of reports, the delivery is delivered, and the vendor is content."""
    house = house_of(vendor)
    forms = house.vendor.push_forms["reports"]
    assert len(forms) == 2
    for written in forms:
        state = house.send()
        assert state() == "submitted"

        (post,) = house.vendor.push_reports(house.url, form=written)

        assert (post.status, post.answer) == (200, b"1" if vendor == "ipyy" else b"")
        assert state() == "delivered", written
    tiers = [one.trust for one in house.store(lambda store: store.evidence(None)[0])]
    assert tiers == [Trust.TOKEN_AND_PEER] * len(forms)


@pytest.mark.parametrize("vendor", ["winnerlook", "ipyy"])
def test_with_a_token_alone_the_next_poll_comes_sooner(house_of, vendor):
    """Without an allow-list the delivery stays as it is, and the vendor is asked, an hour before its time."""
    house = house_of(vendor, allow="")
    state = house.send()
    before = house.polls("reports")

    (post,) = house.vendor.push_reports(house.url)

    assert post.status == 200
    assert until(lambda: house.polls("reports") > before)
    assert state() == "submitted"
    assert house.polls("inbound") == 1


@pytest.mark.parametrize("vendor", ["winnerlook", "ipyy"])
def test_what_a_poll_brings_after_a_push_counts(house_of, vendor):
    """A vendor that only tells us to come and look is asked, and what it says then is believed."""
    house = house_of(vendor, allow="")
    state = house.send()
    with Tocsin.from_config(house.home / "tocsin.toml") as tocsin:
        (attempt,) = tocsin.parts.store.attempts((tocsin.deliveries(Filter())[0].id,)).popitem()[1]
    other = form(NUMBER, attempt.vendor_id) if vendor == "winnerlook" else report(NUMBER, attempt.vendor_id)

    push(house, other)

    assert until(lambda: state() == "delivered")
    tiers = {one.trust for one in house.store(lambda store: store.evidence(None)[0])}
    assert tiers == {Trust.TOKEN, Trust.POLL}


def push(house, body):
    return urllib3.request("POST", house.url, body=body, retries=False)


@pytest.mark.parametrize("vendor", ["winnerlook", "ipyy"])
@pytest.mark.parametrize("allow", [ALLOWED, ""], ids=["allowed", "token alone"])
def test_a_pushed_reply_is_an_inbound_message(house_of, vendor, allow):
    """In each form of replies it is there once, though it comes twice; an opt-out needs more than a token."""
    house = house_of(vendor, allow)
    forms = house.vendor.push_forms["replies"]
    assert len(forms) == (3 if vendor == "winnerlook" else 2)
    numbers = [f"1380000000{place}" for place, _ in enumerate(forms)]
    for number, written in zip(numbers, forms, strict=True):
        house.vendor.reply(number, "TD")
        (post,) = house.vendor.push_replies(house.url, form=written)
        push(house, post.push.body)

    inbound = house.store(lambda store: store.evidence(None)[1])
    heard = sorted((one.message.sender.full, one.message.text) for one in inbound)
    assert heard == [("+86" + number, "TD") for number in numbers]
    silenced = house.store(lambda store: sorted(one.number.full for one in store.accounts.all_opted_out()))
    assert silenced == (["+86" + number for number in numbers] if allow else [])


def test_an_opt_out_that_a_poll_proves_is_obeyed(house_of):
    """A push with a token alone makes us ask, and what the vendor says then is obeyed."""
    house = house_of("ipyy", allow="")
    house.vendor.reply(NUMBER, "TD")

    push(house, xml(reply_row(NUMBER, "TD")))

    assert until(lambda: house.store(lambda store: store.accounts.all_opted_out()))


def test_what_a_killed_gateway_left_is_read_by_the_next(tmp_path):
    """A push that was durable and not yet read when the process died is read when a gateway starts, once."""
    with start("ipyy") as vendor:
        house = House(tmp_path, vendor, ALLOWED)
        left_behind(house, xml(reply_row(NUMBER, "coming")))
        with running(tmp_path, "gateway") as service:
            service.wait_for("tocsin.push.recovered", account="main", count=1)
        with running(tmp_path, "gateway") as service:
            assert service.said("tocsin.push.recovered") == []

        assert [one.message.text for one in house.store(lambda store: store.evidence(None)[1])] == ["coming"]


def test_what_a_killed_gateway_left_is_read_by_a_worker(tmp_path):
    """Where no gateway is started again, the worker reads it."""
    with start("ipyy") as vendor:
        house = House(tmp_path, vendor, ALLOWED)
        left_behind(house, xml(reply_row(NUMBER, "coming")))
        worker = ServiceProcess(tmp_path, "worker")
        try:
            worker.wait_for("tocsin.push.recovered", account="main", count=1)
        finally:
            worker.close()

        assert [one.message.text for one in house.store(lambda store: store.evidence(None)[1])] == ["coming"]


def left_behind(house, body):
    """Leave a push as a gateway leaves it that dies between its two commits."""
    with Tocsin.from_config(house.home / "tocsin.toml") as tocsin:
        parts = tocsin.parts
        request = PushRequest(method="POST", path="", headers=(), query=(), body=body, peer="127.0.0.1")
        raw: RawAnswer = as_raw(parts.fleet.account(AccountId("main")), request, Trust.TOKEN_AND_PEER)
        parts.store.spool(raw, parts.clock.now())


def test_a_gateway_that_is_killed_forgets_no_push(house_of):
    """Whatever was answered before SIGKILL is there after it, and the next gateway goes on."""
    house = house_of("ipyy")
    numbers = [f"1380000{number:04}" for number in range(40)]
    answered = []
    for place, number in enumerate(numbers):
        if place == 20:
            os.kill(serving_process(house.service.pid_of("gateway")), signal.SIGKILL)
        answer = until(lambda one=number: _try(house, xml(reply_row(one, "coming"))))
        answered.append((number, answer.data))

    stored = [one.message.sender.full for one in house.store(lambda store: store.evidence(None)[1])]
    assert sorted(stored) == ["+86" + number for number in numbers]
    assert {data for _, data in answered} == {b"1"}


def _try(house, body):
    """Push as a vendor does that tries again where nobody answers."""
    try:
        return push(house, body)
    except urllib3.exceptions.HTTPError:
        return None
