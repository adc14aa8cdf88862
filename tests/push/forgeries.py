"""Attacks by what is said: whose address it is, what became of a message, what was answered, and all of it again."""

from __future__ import annotations

import threading
import time

from tocsin.sandbox import Fault

from ..waiting import until
from .attack import Result, attack
from .bodies import delivered, failed, form, reply, reply_row, row, xml
from .ground import PROXY, VENDORS, Ground, Target
from .wire import Answer, Peer

ALLOWED = "203.0.113.9"
"""An address on the allow-list of `far`."""

STRANGER = "198.51.100.7"


def forwarded(ground: Ground, *headers: str, peer: Peer | None = None) -> Result:
    """Push to `far`, whose list does not hold the peer, that a target arrived."""
    target = ground.target("far")
    return Result([ground.push("far", delivered(target), *headers, peer=peer or ground.proxy)], target)


@attack
def forwarded_by_untrusted(ground: Ground) -> Result:
    more = ("X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "X-Originating-IP")
    headers = [f"X-Forwarded-For: {ALLOWED}", *(f"{name}: {ALLOWED}" for name in more), f"Via: {ALLOWED}"]
    return forwarded(ground, *headers, peer=ground.peer)


@attack
def forwarded_underscore(ground: Ground) -> Result:
    return forwarded(ground, f"X_Forwarded_For: {ALLOWED}", peer=ground.peer)


@attack
def forwarded_chain(ground: Ground) -> Result:
    return forwarded(ground, f"X-Forwarded-For: {ALLOWED}, {STRANGER}, {PROXY}")


@attack
def forwarded_twice(ground: Ground) -> Result:
    return forwarded(ground, f"X-Forwarded-For: {ALLOWED}", f"X-Forwarded-For: {STRANGER}")


@attack
def forwarded_garbage(ground: Ground) -> Result:
    return forwarded(ground, f"X-Forwarded-For: {ALLOWED}, unknown, {PROXY}")


@attack
def forwarded_many(ground: Ground) -> Result:
    return forwarded(ground, f"X-Forwarded-For: {f'{ALLOWED},' * 4000}{STRANGER}")


@attack
def forwarded_mapped(ground: Ground) -> Result:
    return forwarded(ground, f"X-Forwarded-For: {ALLOWED}, ::ffff:{STRANGER}, ::ffff:{PROXY}")


@attack
def forwarded_underscore_through_proxy(ground: Ground) -> Result:
    # the server moves its last header elsewhere, so there is one more behind it
    return forwarded(ground, f"X-Forwarded-For: {STRANGER}", f"X_Forwarded_For: {ALLOWED}", "X-Last: x")


@attack
def forged_delivered_token_alone(ground: Ground) -> Result:
    before = ground.ask("SELECT coalesce(max(at), 0) FROM poll_wanted WHERE account = 'bare' AND kind = 'reports'")
    target = ground.target()
    answer = ground.push("bare", delivered(target))
    wanted = ground.ask("SELECT max(at) FROM poll_wanted WHERE account = 'bare' AND kind = 'reports'")
    assert wanted > before
    return Result([answer], target)


@attack
def forged_delivered_guessed_ids(ground: Ground) -> Result:
    target = ground.target()
    around = range(int(target.vendor_id) - 500, int(target.vendor_id) + 500)
    return Result([ground.push("bare", xml(*(row(target.number, str(one)) for one in around)))], target)


@attack
def forged_delivered_outside_allow(ground: Ground) -> Result:
    return forwarded(ground, peer=ground.peer)


@attack
def forged_delivered_wrong_id(ground: Ground) -> Result:
    target = ground.target("main")
    return Result([ground.push("main", form(target.number, "2114364418256720099"))], target)


@attack
def forged_failed_token_alone(ground: Ground) -> Result:
    target = ground.target()
    return Result([ground.push("bare", failed(target))], target)


@attack
def forged_doubt_token_alone(ground: Ground) -> Result:
    target = ground.target(doubtful=True)
    assert ground.state(target) == "in_doubt"
    return Result([ground.push("bare", delivered(target))], target)


@attack
def forged_before_the_answer(ground: Ground) -> Result:
    vendor, number = ground.vendors[VENDORS["bare"]], ground.number()
    vendor.inject(Fault("delay", operation="submit", when="after", value="1.5"))
    found: list[Target] = []
    sending = threading.Thread(target=lambda: found.append(ground.target(number=number)))
    sending.start()
    taken = until(lambda: [one for one in vendor.ledger.submits if one.numbers == (number,)])
    answer = ground.push("bare", xml(row(number, taken[0].vendor_id)))
    assert not found, "the vendor has answered already"
    sending.join()
    return Result([answer], found[0])


@attack
def forged_opt_out_token_alone(ground: Ground) -> Result:
    number = ground.number()
    answer = ground.push("bare", xml(reply_row(number, "TD")))
    assert ground.ask("SELECT count(*) FROM opt_out WHERE number = ?", f"+86{number}") == 0
    return Result([answer])


@attack
def forged_for_other_user(ground: Ground) -> Result:
    target = ground.target("main")
    return Result([ground.push("main", form(target.number, target.vendor_id, user="other"))], target)


@attack
def forged_second_field(ground: Ground) -> Result:
    target = ground.target("main")
    said = f"account=demo&account=other&GetReport={target.vendor_id},{target.number},DELIVRD|"
    return Result([ground.push("main", said.encode())], target)


@attack
def forged_report_in_reply(ground: Ground) -> Result:
    target = ground.target("main")
    text = f"&account=demo&GetReport={target.vendor_id},{target.number},DELIVRD|"
    return Result([ground.push("main", reply(ground.number(), text))], target)


@attack
def polls_in_a_flood(ground: Ground) -> Result:
    target = ground.target()
    before = len(_polls(ground))
    answers = []
    for _ in range(50):
        answers.append(ground.push("bare", delivered(target)))
        time.sleep(0.08)
    until(lambda: len(_polls(ground)) > before)
    assert len(_polls(ground)) <= before + 2
    return Result(answers, target)


def _polls(ground: Ground) -> list[object]:
    return [*ground.service.said("tocsin.poll.done", account="bare", kind="reports")]


@attack
def replay_reports(ground: Ground) -> Result:
    target = ground.target("backup")
    return Result([ground.push("backup", delivered(target)) for _ in range(20)], target)


@attack
def replay_failed_after_delivered(ground: Ground) -> Result:
    target = ground.target("backup")
    return Result([ground.push("backup", said(target)) for said in (delivered, failed)], target)


@attack
def replay_replies(ground: Ground) -> Result:
    body = reply(ground.number(), "coming")
    return Result([ground.push("main", body) for _ in range(20)])


@attack
def replay_raises_nothing(ground: Ground) -> Result:
    number = ground.number()
    body = xml(reply_row(number, "TD"))
    answers: list[Answer] = [ground.push("bare", body) for _ in range(2)]
    assert ground.ask("SELECT count(*) FROM opt_out WHERE number = ?", f"+86{number}") == 0
    assert ground.ask("SELECT trust FROM inbound WHERE sender = ?", f"+86{number}") == 1
    return Result(answers)


@attack
def secrets_in_headers(ground: Ground) -> Result:
    canary = "canary-of-the-proxy"
    ground.secrets.add(canary)
    headers = (f"Authorization: Basic {canary}", f"Cookie: session={canary}", f"Proxy-Authorization: {canary}")
    answer = ground.push("bare", xml(row(ground.number(), "910003")), *headers)
    kept = ground.ask("SELECT headers FROM raw WHERE kind = 'pushed' ORDER BY id DESC LIMIT 1")
    assert canary not in kept
    assert "token" not in kept
    return Result([answer])
