"""Attacks on the way in: tokens, accounts, paths, methods."""

from __future__ import annotations

import time
from statistics import median

from .attack import Result, attack
from .bodies import delivered, form
from .ground import TOKENS, Ground
from .wire import Answer, head, request

TOKEN = TOKENS["bare"]
METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
UNKNOWN = ("/push/bare/wrong-token-of-the-same-length", "/push/nobody/token", "/push/mute/token")


def knock(ground: Ground, *tokens: str, account: str = "bare") -> Result:
    """Push a report of a target with other tokens than the right one."""
    target = ground.target(account if account in TOKENS else "bare")
    return Result([ground.peer.post(f"/push/{account}/{one}", delivered(target)) for one in tokens], target)


@attack
def token_wrong(ground: Ground) -> Result:
    return knock(ground, "wrong", TOKEN[:-1] + "x", "x" + TOKEN[1:], "0", "*", "Secret(***)", "***", "None")


@attack
def token_prefix(ground: Ground) -> Result:
    return knock(ground, TOKEN[:-1], TOKEN[:1], TOKEN[: len(TOKEN) // 2], TOKEN[1:])


@attack
def token_longer(ground: Ground) -> Result:
    return knock(ground, TOKEN + "x", TOKEN * 2, TOKEN + "%20", "%20" + TOKEN, TOKEN + "%0A", TOKEN + ";x", TOKEN + ".")


@attack
def token_of_other_account(ground: Ground) -> Result:
    return knock(ground, *(token for name, token in TOKENS.items() if name != "bare"))


@attack
def token_other_case(ground: Ground) -> Result:
    return knock(ground, TOKEN.upper(), TOKEN.title(), TOKEN.swapcase())


@attack
def token_empty(ground: Ground) -> Result:
    paths = ("/push/bare/", "/push/bare", "/push/mute/", "/push//", "/push/", "/push")
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def token_huge(ground: Ground) -> Result:
    return knock(ground, "x" * 60_000, TOKEN + "x" * 60_000)


@attack
def token_not_ascii(ground: Ground) -> Result:
    return knock(ground, "%C3%A9", "%E4%BB%A4%E7%89%8C", "%F0%9F%94%94", TOKEN + "%C2%A0")


@attack
def token_in_query_or_header(ground: Ground) -> Result:
    path = f"/push/bare/x?token={TOKEN}&account=bare"
    carriers = (f"Authorization: Bearer {TOKEN}", f"X-Token: {TOKEN}", f"Cookie: token={TOKEN}")
    return Result([ground.peer.post(path, b"x", *carriers), ground.peer.post("/push/bare/x", TOKEN.encode())])


@attack
def account_unknown(ground: Ground) -> Result:
    names = ("nobody", "BARE", "bare%20", "b%C3%A4re", "*", "0", "__class__", "%F0%9F%94%94")
    return Result([ground.peer.post(f"/push/{name}/{TOKEN}", b"x") for name in names])


@attack
def account_without_push(ground: Ground) -> Result:
    return Result([ground.peer.post(f"/push/mute/{one}", b"x") for one in ("x", "None", "***", TOKEN)])


@attack
def uniform_404(ground: Ground) -> Result:
    answers = [ground.peer.post(path, b"x") for path in UNKNOWN]
    assert len({_undated(one) for one in answers}) == 1
    return Result(answers)


def _undated(answer: Answer) -> bytes:
    lines = answer.head.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"date:")) + b"\r\n\r\n" + answer.body


@attack
def uniform_effort(ground: Ground) -> Result:
    requests = {path: request("POST", path, b"x") for path in UNKNOWN}
    took: dict[str, list[float]] = {path: [] for path in requests}
    answers: list[Answer] = []
    for _ in range(300):
        for path, one in requests.items():
            with ground.peer.wire() as wire:
                began = time.perf_counter()
                wire.send(one)
                answers.append(wire.answer())
                took[path].append(time.perf_counter() - began)
    medians = [median(times) for times in took.values()]
    assert max(medians) < 1.25 * min(medians), medians
    return Result(answers)


@attack
def expect_continue_unknown(ground: Ground) -> Result:
    return Result(
        [ground.peer.ask(head("POST", path, "Content-Length: 9", "Expect: 100-continue")) for path in UNKNOWN]
    )


@attack
def big_body_unknown(ground: Ground) -> Result:
    with ground.peer.wire() as wire:
        wire.send(head("POST", "/push/nobody/x", f"Content-Length: {10**10}"))
        answer = wire.answer()
        for _ in range(1000):
            wire.send(b"x" * 65536)
        assert wire.answer().status == "closed"
    return Result([answer])


@attack
def path_dots(ground: Ground) -> Result:
    paths = (
        f"/push/./bare/{TOKEN}",
        f"/push/bare/./{TOKEN}",
        f"/push/bare/x/../{TOKEN}",
        f"/push/mute/../bare/{TOKEN}",
        f"/push/mute/%2e%2e/bare/{TOKEN}",
        f"/push/bare/{TOKEN}/..",
        f"/push/bare/{TOKEN}/%2e",
        f"/v1/../push/bare/{TOKEN}",
    )
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def path_slashes(ground: Ground) -> Result:
    paths = (
        f"/push//bare/{TOKEN}",
        f"/push/bare//{TOKEN}",
        f"/push/bare/{TOKEN}/x",
        f"/push\\bare\\{TOKEN}",
        f"/push/bare%5C{TOKEN}",
    )
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def path_encoded_slash(ground: Ground) -> Result:
    paths = (
        f"/push/mute%2F{TOKEN}",
        f"/push/mute%2Fbare/{TOKEN}",
        f"/push/bare/x%2F{TOKEN}",
        f"/push/bare/{TOKEN}%2Fx",
    )
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def path_nul(ground: Ground) -> Result:
    paths = (f"/push/bare/{TOKEN}%00", f"/push/bare%00/{TOKEN}", f"/push/bare/%00{TOKEN}", f"/push/bare/{TOKEN}\0")
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def path_not_utf8(ground: Ground) -> Result:
    paths = ("/push/bare/%FF%FE", f"/push/bare/{TOKEN}%80", "/push/%C0%AE/x", "/push/bare/%ED%A0%80", "/push/bare/\xff")
    return Result([ground.peer.post(path, b"x") for path in paths])


@attack
def path_line_break(ground: Ground) -> Result:
    forged = "%0Aevent=tocsin.push.stored%20account=canary-of-the-path"
    ground.secrets.add("canary-of-the-path")
    return Result(
        [ground.peer.post(f"/push/{one}", b"x") for one in (f"bare/x{forged}", f"x{forged}/x", f"x/%0D{forged}")]
    )


@attack
def path_absolute_form(ground: Ground) -> Result:
    wrong = request("POST", "http://evil.example.com/push/bare/wrong", b"x")
    other = request("POST", f"http://evil.example.com/push/mute/{TOKEN}", b"x")
    return Result(ground.peer.ask_each([wrong, other]))


@attack
def method_get(ground: Ground) -> Result:
    body = form("13900000000").decode()
    paths = (f"{ground.path('main')}?{body}", ground.path("bare"), "/push/bare/wrong", "/push/nobody/x")
    return Result([ground.peer.ask(request("GET", path)) for path in paths])


@attack
def method_others(ground: Ground) -> Result:
    paths = (ground.path("bare"), "/push/bare/wrong")
    asked = [(method, path) for method in METHODS for path in paths]
    return Result([ground.peer.ask(request(method, path), has_body=method != "HEAD") for method, path in asked])


@attack
def method_override(ground: Ground) -> Result:
    overrides = ("X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST")
    path = f"{ground.path('bare')}?_method=POST"
    return Result([ground.peer.ask(request(method, path, b"x", *overrides)) for method in ("GET", "PUT")])


@attack
def method_unknown(ground: Ground) -> Result:
    path = ground.path("bare")
    asked = ("BREW", "post", "POSTPOST", "PROPFIND", "PRI", "P@ST")
    answers = [ground.peer.ask(request(method, path, b"x")) for method in asked]
    return Result([*answers, ground.peer.ask(head("CONNECT", "127.0.0.1:22"))])
