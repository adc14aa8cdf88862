"""What a soak sends, and what its vendors do to it: drawn from a seed before anything starts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import attrs

from tocsin.sandbox import Fault

VENDORS = ("winnerlook", "ipyy")

_CLASSES = {"alert": 40, "otp": 20, "critical": 15, "notice": 15, "bulk": 10}
_RECIPIENTS = (1, 1, 1, 1, 1, 1, 1, 1, 2, 4)
_NUMBERS = 3000

# winnerlook: login, balance, no channel, blacklist, invalid number. ipyy: login, balance, no channel, bad number.
_CODES = {"winnerlook": ("-3", "-7", "-8", "-14", "-16"), "ipyy": ("1005", "1111", "1106", "1108")}

ROUTES = """\
[[routes]]
name = "fast"
match = { class = ["otp", "critical"] }
accounts = ["winnerlook", "ipyy"]
evidence_wait = "500ms"
report_timeout = "4s"

[[routes]]
name = "alert"
match = { class = "alert" }
accounts = ["ipyy", "winnerlook"]
evidence_wait = "1s"
report_timeout = "5s"

[[routes]]
name = "held"
accounts = ["winnerlook", "ipyy"]
evidence_wait = "2s"
"""
LIMITS = "[limits]\nper_recipient = []\ncritical_per_recipient = []\n"
UNLIMITED = "limits = { per_recipient = [] }\n"
"""Limits would only make it wait: what they are worth is proved elsewhere."""

POLL = 'poll = { reports = "400ms", inbound = "2s", balance = "5s" }\n'


@attrs.frozen(kw_only=True)
class Said:
    """One message that a client accepts: as often as need be, under the same key."""

    key: str
    to: tuple[str, ...]
    text: str
    cls: str


@attrs.frozen
class Mode:
    """What one vendor's carrier does to one number."""

    vendor: str
    number: str
    mode: str


def messages(count: int, dice: Random) -> tuple[Said, ...]:
    """Draw messages: each has a text of its own, most have one recipient."""
    classes, weights = zip(*_CLASSES.items(), strict=True)
    return tuple(
        Said(
            key=f"soak-{index}",
            to=tuple(dict.fromkeys(number(dice.randrange(_NUMBERS)) for _ in range(dice.choice(_RECIPIENTS)))),
            text=f"disk full on db{index}",
            cls=dice.choices(classes, weights)[0],
        )
        for index in range(count)
    )


def number(index: int) -> str:
    """Return an invented number."""
    return f"139{index:08}"


def modes(dice: Random) -> tuple[Mode, ...]:
    """Draw the numbers whose reports fail, do not come, or come late: each vendor's carrier has its own."""
    return tuple(
        Mode(vendor, number(index), mode)
        for vendor in VENDORS
        for mode, share in (("failed", 0.04), ("never", 0.04), ("late", 0.10))
        for index in dice.sample(range(_NUMBERS), int(_NUMBERS * share))
    )


@attrs.frozen
class Trouble:
    """One thing that goes wrong with a vendor.

    Args:
        after_s: how long after the one before it.
        fault: what is injected; None where the vendor goes dark.
        dark_s: for how long it does.
    """

    after_s: float
    vendor: str
    fault: Fault | None = None
    dark_s: float = 0.0


def troubles(dice: Random) -> Iterator[Trouble]:
    """Draw what goes wrong, for as long as somebody asks."""
    while True:
        vendor, after_s = dice.choice(VENDORS), dice.expovariate(1 / 0.5)
        if dice.random() < 0.06:
            yield Trouble(after_s, vendor, dark_s=dice.uniform(0.3, 2.5))
        else:
            yield Trouble(after_s, vendor, _fault(vendor, dice))


def _fault(vendor: str, dice: Random) -> Fault:
    operation = dice.choices(("submit", "reports", "inbound", "balance"), (70, 20, 5, 5))[0]
    kinds: dict[str, Any] = {
        "reset": (22, {"when": dice.choice(("before", "after"))}),
        "close": (8, {"when": dice.choice(("before", "after"))}),
        "code": (14, {"value": dice.choice(_CODES[vendor] if operation == "submit" else _CODES[vendor][:1])}),
        "delay": (20, {"value": f"{dice.uniform(0.05, 1.5):.2f}"}),
        "status": (8, {"value": dice.choice(("500", "502", "503"))}),
        "html": (4, {}),
        "empty": (6, {}),
        "garbage": (4, {}),
        "truncated": (6, {}),
        "truncated-close": (4, {}),
        "cut-headers": (3, {}),
        "silence": (1, {}),
    }
    kind = dice.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
    return Fault(kind, operation=operation, times=dice.choice((1, 1, 2, 4)), **kinds[kind][1])
