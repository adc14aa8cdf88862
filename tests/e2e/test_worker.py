"""`tocsin worker`: what `send` has queued is delivered by it, beside whatever other commands do meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest

from tocsin.sandbox import Fault

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"
OTHER = "13900000002"


def numbers(count, start=0):
    return [f"139{position:08}" for position in range(start, start + count)]


def words(to):
    return [word for number in to for word in ("--to", number)]


def queue(terminal, to=(NUMBER,), text=TEXT, *more):
    """Queue a message; return its id."""
    ran = terminal.call("send", "--json", *words(to), "--text", text, *more)
    assert ran.status == 0, ran.err
    return ran.json["id"]


def only(terminal):
    """Return the one delivery as `list` shows it."""
    (delivery,) = terminal.call("list", "--json").json
    return delivery


def attempts(terminal, message):
    (delivery,) = terminal.call("status", "--json", message).json["deliveries"]
    return [(one["account"], one["state"], one["report"]) for one in delivery["attempts"]]


def test_what_was_queued_is_delivered(terminal, quick, vendor, working):
    """Queued before the worker began and while it works: submitted, reported, delivered, one copy each."""
    quick(vendor)
    queue(terminal)
    worker = working()
    queue(terminal, [OTHER], "load is high")

    assert terminal.become("delivered", "delivered") == ["delivered", "delivered"]
    ended = worker.end()

    assert (ended.status, ended.out) == (0, "")
    assert [vendor.ledger.copies(NUMBER, SIGNED), vendor.ledger.copies(OTHER, "load is high【Example】")] == [1, 1]


def test_it_shares_the_store_with_every_other_command(terminal, quick, winnerlook, ipyy, working):
    """Processes that send, look and cancel beside it find nothing locked, and nobody gets a second copy."""
    quick(winnerlook, ipyy)
    seen = queue(terminal)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    never = [queue(terminal, [number], "never", "--at", later) for number in numbers(3, 500)]
    worker = working()
    commands = [
        *(("send", "--to", number, "--text", f"text {number}") for number in numbers(5, 100)),
        *[("list", "--json")] * 2,
        *[("status", seen)] * 2,
        *(("cancel", message) for message in never),
    ]

    with ThreadPoolExecutor(4) as together:
        ran = list(together.map(lambda command: terminal.run(*command), commands))

    assert [(one.status, one.err) for one in ran] == [(0, "")] * len(commands)
    assert terminal.become(*["delivered"] * 6, *["cancelled"] * 3) == ["cancelled"] * 3 + ["delivered"] * 6
    assert worker.end().status == 0
    for number in numbers(5, 100):
        assert winnerlook.ledger.copies(number, f"text {number}【Example】") == 1
    assert not [entry for entry in winnerlook.ledger.received if entry.text.startswith("never")]
    assert ipyy.ledger.submits == ()


WAITS = {
    "delivered": ({}, (), 0, "delivered"),
    "undelivered": ({"reports": "failed"}, ("--class", "notice"), 1, "undelivered"),
    "refused": ({"fault": Fault("code", value="-5", times=None)}, (), 1, "failed"),
    "no report": ({"reports": "never"}, (), 3, "submitted"),
    "parked": ({"fault": Fault("reset", when="after"), "reports": "never"}, ("--class", "notice"), 3, "parked"),
    "under way": ({"fault": Fault("silence")}, ("--class", "notice"), 3, "sending"),
    "dark": ({"dark": True}, (), 3, "queued"),
}


@pytest.mark.parametrize("case", WAITS)
def test_waiting_tells_how_it_ended(terminal, quick, winnerlook, working, case):
    """`send --wait`: 0 delivered, 1 refused or undelivered, 3 still open or in doubt when its time is over."""
    world, more, status, state = WAITS[case]
    quick(winnerlook, more='evidence_wait = "100ms"\n')
    if "reports" in world:
        winnerlook.reports(world["reports"])
    if "fault" in world:
        winnerlook.inject(world["fault"])
    if "dark" in world:
        winnerlook.go_dark()
    working()

    ran = terminal.call(
        "send",
        "--wait",
        "3s" if state in ("submitted", "sending", "queued") else "30s",
        "--json",
        "--to",
        NUMBER,
        "--text",
        TEXT,
        *more,
    )

    assert (ran.status, [one["state"] for one in ran.json["deliveries"]]) == (status, [state])


def test_waiting_tells_that_nobody_was_reached(terminal, quick, winnerlook, ipyy, working):
    """Both vendors are dark until the message's time is over: expired, exit 4, proof that no byte left."""
    quick(winnerlook, ipyy, more='expires_after = "2s"\n')
    winnerlook.go_dark()
    ipyy.go_dark()
    working()

    ran = terminal.call("send", "--wait", "30s", "--json", "--to", NUMBER, "--text", TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (4, "expired")
    assert {state for _, state, _ in attempts(terminal, ran.json["id"])} == {"not_sent"}


def test_waiting_without_a_worker_ends_with_its_time(terminal, winnerlook):
    """Nobody works here: the message is queued, and the exit status says that it is open."""
    terminal.configure(winnerlook)

    ran = terminal.call("send", "--wait", "100ms", "--json", "--to", NUMBER, "--text", TEXT)

    assert (ran.status, ran.json["deliveries"][0]["state"]) == (3, "queued")


@pytest.mark.parametrize("wait", ["soon", "5", "-1s", ""])
def test_a_wait_that_is_none_is_refused(terminal, winnerlook, wait):
    """A word that is no duration is a usage error, and nothing is accepted."""
    terminal.configure(winnerlook)

    ran = terminal.call("send", "--wait", wait, "--to", NUMBER, "--text", TEXT)

    assert (ran.status, terminal.states()) == (2, [])


def test_what_is_scheduled_leaves_at_its_time(terminal, quick, vendor, working):
    """`--at`: nothing leaves before, and then it is sent at once, by vendors that can schedule and that cannot."""
    quick(vendor)
    working()
    at = datetime.now(UTC) + timedelta(seconds=3)
    queue(terminal, [NUMBER], TEXT, "--at", at.isoformat())

    assert terminal.states() == ["queued"]
    assert terminal.become("delivered") == ["delivered"]

    (submit,) = vendor.ledger.submits
    assert at <= submit.at <= at + timedelta(seconds=5)
    assert submit.planned == ""


def test_what_nobody_sent_in_time_expires(terminal, quick, winnerlook, start_worker):
    """No worker ran while it was wanted: the next one says so, and sends nothing."""
    quick(winnerlook, more='expires_after = "100ms"\n')
    message = queue(terminal)

    ended = start_worker("--drain").ended()

    assert (ended.status, terminal.states()) == (0, ["expired"])
    assert winnerlook.ledger.submits == ()
    assert "expired before it could be sent" in terminal.call("explain", message).out


def test_drain_ends_by_itself(terminal, quick, winnerlook, start_worker):
    """With nothing to do it ends at once; with something, when that is done; it fetches no reports."""
    quick(winnerlook)
    assert start_worker("--drain").ended().status == 0
    queue(terminal, numbers(3))

    assert start_worker("--drain").ended().status == 0

    assert terminal.states() == ["submitted"] * 3
    assert len(winnerlook.ledger.submits) == 1


def test_one_text_of_many_messages_leaves_in_few_requests(terminal, quick, vendor, start_worker):
    """1,200 recipients over three messages of one text: as few requests as the vendor takes numbers in one."""
    quick(vendor)
    for part in range(3):
        (terminal.home / "list").write_text("\n".join(numbers(400, part * 400)), encoding="ascii")
        queue(terminal, ["@list"], TEXT, "--class", "bulk")

    assert start_worker("--drain").ended().status == 0

    assert len(vendor.ledger.submits) == ceil(1200 / 500)
    assert sorted(entry.number for entry in vendor.ledger.received) == numbers(1200)


def test_texts_of_many_messages_leave_in_one_request(terminal, quick, winnerlook, start_worker):
    """Each message its own text to its own number: winnerlook takes them in one IndividualSm, each to its number."""
    quick(winnerlook)
    for position, number in enumerate(numbers(7)):
        queue(terminal, [number], f"text {position}")

    assert start_worker("--drain").ended().status == 0

    (submit,) = winnerlook.ledger.submits
    assert submit.operation.startswith("IndividualSm")
    assert dict(zip(submit.numbers, submit.texts, strict=True)) == {
        number: f"text {position}【Example】" for position, number in enumerate(numbers(7))
    }


def test_texts_go_apart_where_the_vendor_takes_one_for_all(terminal, quick, ipyy, start_worker):
    """ipyy takes one text for all: a request for each."""
    quick(ipyy)
    for position, number in enumerate(numbers(4)):
        queue(terminal, [number], f"text {position}")

    assert start_worker("--drain").ended().status == 0

    assert sorted(submit.text for submit in ipyy.ledger.submits) == [f"text {n}【Example】" for n in range(4)]


def test_a_personalised_group_with_an_extension_goes_apart(terminal, quick, winnerlook, start_worker):
    """IndividualSm takes no extension number: what has one leaves alone, and nothing is refused for it."""
    quick(winnerlook)
    for position, number in enumerate(numbers(12)):
        queue(terminal, [number], f"text {position}", "--extension", "7")

    assert start_worker("--drain").ended().status == 0

    assert terminal.states() == ["submitted"] * 12
    assert {submit.extension for submit in winnerlook.ledger.submits} == {"7"}
    assert len(winnerlook.ledger.submits) == 12


def test_a_dark_vendor_costs_no_time(terminal, quick, winnerlook, ipyy, working):
    """While the first vendor is dark the second has its messages at once; lit up again, the first has the next."""
    quick(winnerlook, ipyy)
    winnerlook.go_dark()
    working()
    queue(terminal)
    assert terminal.become("delivered") == ["delivered"]
    assert ipyy.ledger.copies(NUMBER, SIGNED) == 1

    winnerlook.light_up()
    queue(terminal, [OTHER], "load is high")

    assert terminal.become("delivered", "delivered") == ["delivered", "delivered"]
    assert winnerlook.ledger.texts_to(OTHER) == ("load is high【Example】",)


def test_while_both_vendors_are_dark_it_waits(terminal, quick, winnerlook, ipyy, working):
    """Nobody is reached: queued, tried again with pauses; lit up again, one of them gets it, once."""
    quick(winnerlook, ipyy)
    winnerlook.go_dark()
    ipyy.go_dark()
    working()
    message = queue(terminal)
    assert winnerlook.ledger.submits == ()
    while len(attempts(terminal, message)) < 4:
        assert only(terminal)["state"] in ("queued", "claimed", "sending")

    ipyy.light_up()

    assert terminal.become("delivered") == ["delivered"]
    assert ipyy.ledger.copies(NUMBER, SIGNED) == 1
    assert winnerlook.ledger.received == ()


def test_silence_moves_an_alert_on(terminal, quick, winnerlook, ipyy, working):
    """No report in the route's time: the other vendor gets a copy, and its report is the end; both are on record."""
    quick(winnerlook, ipyy, more='report_timeout = "1s"\n')
    winnerlook.reports("never")
    working()
    message = queue(terminal)

    assert terminal.become("delivered") == ["delivered"]

    assert attempts(terminal, message) == [("winnerlook", "accepted", None), ("ipyy", "accepted", "delivered")]
    assert "no report came in time" in terminal.call("explain", message).out


def test_silence_about_a_notice_is_shown(terminal, quick, winnerlook, ipyy, working):
    """A notice has one copy: it stays with its vendor, and `list` and `status` say that its report is overdue."""
    quick(winnerlook, ipyy, more='report_timeout = "1s"\n')
    winnerlook.reports("never")
    working()
    message = queue(terminal, [NUMBER], TEXT, "--class", "notice")
    assert not only(terminal)["report_overdue"]

    while not only(terminal)["report_overdue"]:
        assert only(terminal)["state"] in ("queued", "claimed", "sending", "submitted")

    assert only(terminal)["state"] == "submitted"
    (shown,) = terminal.call("status", "--json", message).json["deliveries"]
    assert shown["report_overdue"] is True
    assert ipyy.ledger.submits == ()


def test_a_failed_report_moves_an_alert_on(terminal, quick, winnerlook, ipyy, working):
    """The first vendor's carrier did not deliver: the second vendor does."""
    quick(winnerlook, ipyy)
    winnerlook.reports("failed")
    working()
    message = queue(terminal)

    assert terminal.become("delivered") == ["delivered"]

    assert attempts(terminal, message) == [("winnerlook", "accepted", "undelivered"), ("ipyy", "accepted", "delivered")]
    assert [vendor.ledger.copies(NUMBER, SIGNED) for vendor in (winnerlook, ipyy)] == [0, 1]


def test_a_late_report_of_the_first_copy_counts(terminal, quick, winnerlook, ipyy, working):
    """Silence moved it on; then the first vendor's report comes after all: delivered, two copies on record."""
    quick(winnerlook, ipyy, more='report_timeout = "1s"\n')
    winnerlook.reports("late", polls=15)
    ipyy.reports("never")
    working()
    message = queue(terminal)

    assert terminal.become("delivered") == ["delivered"]

    assert attempts(terminal, message) == [("winnerlook", "accepted", "delivered"), ("ipyy", "accepted", None)]
    assert [vendor.ledger.copies(NUMBER, SIGNED) for vendor in (winnerlook, ipyy)] == [1, 1]


def test_replies_are_fetched_while_it_works(terminal, quick, vendor, working):
    """Its polls bring what people answer."""
    quick(vendor)
    worker = working()
    vendor.reply(NUMBER, "yes")

    assert worker.has_said("kind=inbound")
    while not terminal.call("inbox", "--json").json:
        assert worker.process.poll() is None
    assert terminal.call("inbox", "--json").json[0]["text"] == "yes"


def test_an_account_that_wants_no_polls_is_not_polled(terminal, vendor, working):
    """`poll = 0s` for each kind: the worker delivers, and asks that vendor for nothing."""
    never = 'poll = { reports = "0s", inbound = "0s", balance = "0s" }\nsignature'
    terminal.configure(vendor, swap={"signature": never})
    worker = working()
    queue(terminal)

    assert terminal.become("submitted") == ["submitted"]
    ended = worker.end()

    assert (ended.status, "tocsin.poll" in ended.err) == (0, False)


def test_a_vendor_without_polling_hooks_is_sent_by(terminal, install, winnerlook, working):
    """A plugin that can send, and be asked nothing, keeps no poller; the worker delivers, and ends when it is told."""
    source = """
        import attrs
        import tocsin_winnerlook
        from tocsin.plugin import hookimpl
        from tocsin_winnerlook import capabilities, fits, send

        @hookimpl
        def describe_vendor():
            return attrs.evolve(tocsin_winnerlook.describe_vendor(), name="mute")
        """
    install("acme-mute", {"tocsin.vendors": "mute = mute"}, mute=source)
    terminal.configure(winnerlook, swap={'vendor = "winnerlook"': 'vendor = "mute"'})
    assert terminal.run("send", "--to", NUMBER, "--text", TEXT).status == 0
    worker = working()

    assert winnerlook.ledger.wait_until(lambda page: bool(page.received), timeout_s=30)
    assert worker.has_said("tocsin.send.accepted")
    ended = worker.end()

    assert (ended.status, "tocsin.poll" in ended.err) == (0, False)
    (shown,) = json.loads(terminal.run("list", "--json").out)
    assert shown["state"] == "submitted"
