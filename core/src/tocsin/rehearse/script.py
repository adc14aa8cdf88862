"""Reads a scenario: a TOML file, or one of those that come with tocsin. Every finding at once, as for `tocsin.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import attrs

from tocsin.config import units
from tocsin.config.findings import Findings, Unfit
from tocsin.config.table import Table
from tocsin.errors import ConfigError
from tocsin.model.outcome import Reason
from tocsin.model.phone import E164
from tocsin.policy.standing import SAME_TRY
from tocsin.rehearse.scenario import Behaviour, Kind, Rhythm, Scenario, Spread, Trouble
from tocsin.rehearse.script_traffic import read_traffic

SUFFIX = ".toml"
_SHARE = re.compile(r"(100|[0-9]{1,2}(\.[0-9]{1,3})?)%")
_REASONS = {reason.label: reason for reason in Reason if reason not in SAME_TRY}
_HOUR_S = 3600.0


def names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with tocsin."""
    return tuple(sorted(one.name.removesuffix(SUFFIX) for one in _built_in().iterdir() if one.name.endswith(SUFFIX)))


def find_scenario(name: str, groups: Mapping[str, tuple[E164, ...]]) -> Scenario:
    """Return a scenario by the name of one that comes with tocsin, or by the path of a file.

    Args:
        name: a built-in one's name counts more than a file's.
        groups: the configuration's recipients by the group's name.

    Raises:
        ConfigError: with every finding at once.
    """
    if name in names():
        return read_scenario(name, _built_in().joinpath(name + SUFFIX).read_text(encoding="utf-8"), groups)
    try:
        written = Path(name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        finding = f"no such file, and no scenario of that name; there is {', '.join(names())}"
    except OSError as error:
        finding = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        finding = "expected UTF-8 text"
    else:
        return read_scenario(name, written, groups)
    raise ConfigError(name, (finding,))


def read_scenario(name: str, written: str, groups: Mapping[str, tuple[E164, ...]]) -> Scenario:
    """Read a scenario from TOML. Takes and raises what `find_scenario` does."""
    findings = Findings()
    root = Table("", _parse(name, written), findings)
    duration_s = root.need("duration", _some_seconds, "a duration such as 1h") or 0.0
    settles_s = root.read("settles", _seconds)
    scenario = Scenario(
        name=name,
        title=root.read("title", units.text) or name,
        duration_s=duration_s,
        settles_s=_HOUR_S if settles_s is None else settles_s,
        traffic=tuple(one for table in root.tables("traffic") if (one := read_traffic(table, duration_s, groups))),
        vendors=_read_vendors(root.table("vendors")),
        troubles=tuple(each for table in root.tables("trouble") if (each := _read_trouble(table))),
    )
    begins = root.read("begins", _moment)
    if begins is not None:
        scenario = attrs.evolve(scenario, begins=begins)
    if not root.content.get("traffic"):
        root.note("traffic", "missing; expected at least one [[traffic]]")
    root.refuse_unasked()
    if findings.lines:
        raise ConfigError(name, tuple(findings.lines))
    return scenario


def _built_in() -> resources.abc.Traversable:
    return resources.files("tocsin.rehearse").joinpath("scenarios")


def _parse(name: str, written: str) -> dict[str, object]:
    try:
        return tomllib.loads(written)
    except RecursionError:
        finding = "expected TOML that is nested less deeply"
    except ValueError as error:
        finding = f"expected TOML: {error}"
    raise ConfigError(name, (finding,))


def _read_vendors(table: Table) -> dict[str, Behaviour]:
    return {name: _read_behaviour(table.table(name)) for name in table.content}


def _read_behaviour(table: Table) -> Behaviour:
    given: dict[str, Any] = {
        "latency": _read_spread(table, "latency"),
        "accepts": table.read("accepts", _share),
        "refusal": table.read("refusal", units.choice(_REASONS)),
        "delivers": table.read("delivers", _share),
        "phone_delay": _read_spread(table, "phone_delay"),
        "reports": table.read("reports", _share),
        "report_delay": _read_spread(table, "report_delay"),
        "balance": table.read("balance", units.amount),
        "rate": table.read("rate", _rhythm),
    }
    table.refuse_unasked()
    return Behaviour(**{key: value for key, value in given.items() if value is not None})


def _read_trouble(table: Table) -> Trouble | None:
    kind = table.need("kind", units.member(Kind), f"one of {', '.join(Kind)}")
    account = table.need("account", units.text, "an account's name, or first, second …, last, all")
    from_s, until_s = table.read("from", _seconds) or 0.0, table.read("until", _some_seconds)
    every_s, for_s = table.read("every", _some_seconds), table.read("for", _some_seconds)
    share = table.read("share", _share)
    special = {} if kind is None else _read_special(table, kind)
    if (every_s is None) != (for_s is None):
        table.note("every", 'belongs together with "for": so long, every so long')
    if until_s is not None and until_s <= from_s:
        table.note("until", 'expected a time after "from"')
    if kind is None or account is None:
        return None
    table.refuse_unasked()
    given: dict[str, Any] = {"until_s": until_s, "share": share, **special}
    present = {key: value for key, value in given.items() if value is not None}
    return Trouble(account=account, kind=kind, from_s=from_s, every_s=every_s, for_s=for_s, **present)


def _read_special(table: Table, kind: Kind) -> dict[str, object]:
    """Return what belongs to that kind of trouble alone."""
    match kind:
        case Kind.REFUSING:
            return {"reason": table.read("reason", units.choice(_REASONS))}
        case Kind.THROTTLING:
            return {"rate": table.need("rate", _rhythm, "a rate such as 1/s")}
        case Kind.SLOW_ANSWERS | Kind.SLOW_REPORTS:
            return {"delay_s": table.need("delay", _some_seconds, "a duration such as 20m")}
        case Kind.BALANCE:
            return {"amount": table.read("amount", units.amount)}
        case _:
            return {}


def _read_spread(table: Table, key: str) -> Spread | None:
    """Read how long something takes: one duration for always, or a table of its median and 95th percentile."""
    if not isinstance(table.take(key), dict):
        always_s = table.read(key, _seconds)
        return None if always_s is None else Spread(always_s, always_s)
    spread = table.table(key)
    median_s = spread.need("median", _some_seconds, "a duration such as 300ms")
    p95_s = spread.need("p95", _some_seconds, "a duration such as 1s")
    spread.refuse_unasked()
    if median_s is None or p95_s is None:
        return None
    if p95_s < median_s:
        spread.note("p95", "expected no less than the median")
    return Spread(median_s, p95_s)


def _rhythm(value: object) -> Rhythm:
    rate = units.rate(value)
    return Rhythm(rate.count, rate.window_s)


def _share(value: object) -> float:
    written = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise Unfit('expected a share such as "98%", in quotes')
    return float(written[1]) / 100


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unfit("expected a date and time with its zone, without quotes, such as 2026-01-01T22:00:00+08:00")
    return value.astimezone(UTC)


def _seconds(value: object) -> float:
    return units.duration(value).total_seconds()


def _some_seconds(value: object) -> float:
    return units.interval(value).total_seconds()
