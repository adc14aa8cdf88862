"""The hook contract: each hook is documented with its signature, and the registry reaches it as specified."""

import ast
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tocsin import hookspecs
from tocsin.model.outcome import NotSent
from tocsin.plugin import (
    E164,
    Account,
    AccountId,
    Alert,
    AlertRequest,
    AlertStatus,
    Capabilities,
    Exchange,
    HttpRequest,
    Message,
    Notice,
    OutcomeNotice,
    PushRequest,
    SourceKind,
    Submission,
    Vendor,
    VerifiedPush,
    hookimpl,
)
from tocsin.registry import MiddlewarePlugin, SourcePlugin, VendorPlugin

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = E164("+8613900000000")
ACCOUNT = Account(id=AccountId("main"), vendor="example", base_url="http://127.0.0.1", settings=None)
SUBMISSION = Submission(to=(NUMBER,), texts=("disk full【Example】",))
MESSAGE = Message(id="m1", to=(NUMBER,), text="disk full", cls="alert", accepted_at=NOW)
NOTICE = OutcomeNotice(delivery="m1.1", account=ACCOUNT.id, outcome=NotSent(cause="refused"), at=NOW)
PUSH = PushRequest(method="POST", path="", headers=(), query=(), body=b"", peer="127.0.0.1")
CAPABILITIES = Capabilities(max_recipients=1, interfaces=("only",))
VENDOR = Vendor(name="example", title="Example", settings=object, base_url=None, capabilities=CAPABILITIES)

POST = AlertRequest(headers=(), query=(), body=b"{}")
ALERT = Alert(fingerprint="a", status=AlertStatus.FIRING, name="disk full")
KIND = SourceKind(name="example", title="Example")


def exchange() -> Exchange:
    return Exchange(HttpRequest(url="http://127.0.0.1/"), decode=bytes)


VENDOR_CALLS = {
    "describe_vendor": ({}, VENDOR),
    "capabilities": ({"account": ACCOUNT}, CAPABILITIES),
    "fits": ({"account": ACCOUNT, "submission": SUBMISSION}, "no room"),
    "send": ({"account": ACCOUNT, "submission": SUBMISSION, "now": NOW}, exchange()),
    "query_balance": ({"account": ACCOUNT, "now": NOW}, exchange()),
    "fetch_reports": ({"account": ACCOUNT, "now": NOW}, exchange()),
    "fetch_mo": ({"account": ACCOUNT, "now": NOW}, exchange()),
    "verify_push": ({"account": ACCOUNT, "push": PUSH, "now": NOW}, VerifiedPush()),
    "open_transport": ({"account": ACCOUNT, "sink": object()}, object()),
}
MIDDLEWARE_CALLS = {
    "rewrite_message": ({"message": MESSAGE}, MESSAGE),
    "observe_outcome": ({"notice": NOTICE}, None),
}
SOURCE_CALLS = {
    "describe_source": ({}, KIND),
    "read_alerts": ({"settings": object(), "request": POST, "now": NOW}, Notice(alerts=(ALERT,))),
}
"""For each hook the arguments that it is called with here, and what the plugin answers."""


def specified(hooks: type) -> dict[str, inspect.Signature]:
    return {name: inspect.signature(hook) for name, hook in vars(hooks).items() if isinstance(hook, staticmethod)}


def recording(calls: dict) -> tuple[SimpleNamespace, dict]:
    """Make a plugin that implements all hooks of `calls` with their own signatures, and notes what reaches them."""
    seen: dict[str, dict] = {}
    plugin = SimpleNamespace()
    for name, (arguments, answer) in calls.items():
        names = ", ".join(arguments)
        scope = {"seen": seen, "answer": answer}
        exec(f"def {name}({names}):\n    seen['{name}'] = dict(locals())\n    return answer", scope)
        setattr(plugin, name, hookimpl(scope[name]))
    return plugin, seen


def test_every_hook_is_documented_with_its_signature():
    """The headings of the hook reference are the hooks' signatures as the source has them, in the source's order."""
    source = ast.parse(Path(hookspecs.__file__).read_text(encoding="utf-8"))
    hooks = [node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)]
    signatures = [
        f"{hook.name}({', '.join(one.arg for one in hook.args.args)}) -> {ast.unparse(hook.returns)}" for hook in hooks
    ]
    reference = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")

    assert re.findall(r"^### `(.+)`$", reference, re.MULTILINE) == signatures


@pytest.mark.parametrize(
    ("hooks", "calls"),
    [
        (hookspecs.VendorHooks, VENDOR_CALLS),
        (hookspecs.MiddlewareHooks, MIDDLEWARE_CALLS),
        (hookspecs.SourceHooks, SOURCE_CALLS),
    ],
)
def test_every_hook_is_exercised(hooks, calls):
    """This module calls each specified hook with each of its arguments, and none that is not specified."""
    assert {name: list(arguments) for name, (arguments, _) in calls.items()} == {
        name: list(signature.parameters) for name, signature in specified(hooks).items()
    }


@pytest.mark.parametrize("hook", [hook for hook in VENDOR_CALLS if hook != "describe_vendor"])
def test_vendor_hook_is_reached(hook):
    """The registry hands a vendor's hook the arguments that it was given, and gives back what the hook returned."""
    plugin, seen = recording(VENDOR_CALLS)
    arguments, answer = VENDOR_CALLS[hook]
    vendor = VendorPlugin("example", plugin, "1.0")

    assert getattr(vendor, hook)(**arguments) is answer
    assert seen[hook] == arguments
    assert set(seen) == {"describe_vendor", hook}, "a hook that nobody called was called"


def test_vendor_describes_itself_once():
    """`describe_vendor` is called when the plugin is loaded, and kept."""
    plugin, seen = recording(VENDOR_CALLS)

    assert VendorPlugin("example", plugin, "1.0").vendor is VENDOR
    assert set(seen) == {"describe_vendor"}


@pytest.mark.parametrize("hook", MIDDLEWARE_CALLS)
def test_middleware_hook_is_reached(hook):
    """The registry hands a middleware's hook the arguments that it was given, and gives back what the hook returned."""
    plugin, seen = recording(MIDDLEWARE_CALLS)
    arguments, answer = MIDDLEWARE_CALLS[hook]

    assert getattr(MiddlewarePlugin("example", plugin, "1.0"), hook)(**arguments) is answer
    assert seen == {hook: arguments}


def test_source_hooks_are_reached():
    """A source describes itself once; what it is given to read reaches it, and what it makes of it comes back."""
    plugin, seen = recording(SOURCE_CALLS)
    arguments, answer = SOURCE_CALLS["read_alerts"]
    source = SourcePlugin("example", plugin, "1.0")

    assert source.kind is KIND
    assert set(seen) == {"describe_source"}
    assert source.read_alerts(**arguments) is answer
    assert seen["read_alerts"] == arguments
