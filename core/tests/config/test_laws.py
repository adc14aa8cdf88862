"""Laws of the whole loader: whatever stands at whatever key, it answers with a configuration or a ConfigError."""

from __future__ import annotations

import copy
import functools
import json
import tempfile
import traceback
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.config import load_config
from tocsin.errors import ConfigError

_CANARY = "canary-7f3a"
_DOCUMENT = {
    "allow_inline_secrets": True,
    "store": {"url": "sqlite:///tocsin.db", "spool": "spool", "key": {"env": "K"}},
    "accounts": {
        "main": {
            "vendor": "winnerlook",
            "user_code": "demo",
            "password": _CANARY,
            "channel": "37",
            "base_url": "http://sms.example.com",
            "insecure_http": "acknowledged",
            "interface": "post",
            "encrypt": False,
            "signature": "【Example】",
            "price": "0.10",
            "limits": {
                "submits": ["50/s"],
                "per_recipient": ["10/d"],
                "max_recipients": 500,
                "limit_scope": "number",
                "spend_per_day": "50",
            },
            "hours": "08:00-22:00 Asia/Shanghai",
            "poll": {"reports": "5s", "inbound": "5s", "balance": "60s"},
            "balance_floor": "20",
            "shared": False,
            "push": {"token": {"env": "MAIN_PUSH_TOKEN"}, "allow": ["203.0.113.0/24"]},
        },
    },
    "groups": {"oncall": ["+8613900000000", "13900000001"]},
    "routes": [
        {
            "name": "otp",
            "match": {
                "class": ["otp"],
                "tags": {"team": "db"},
                "prefix": "+86",
                "country": "CN",
                "source": "cli",
                "hours": {"from": "22:00", "to": "06:00", "zone": "UTC"},
                "size": {"min": 1, "max": 70},
            },
            "strategy": "weighted",
            "accounts": [{"account": "main", "weight": 70}],
            "when_in_doubt": "hold",
            "evidence_wait": "8s",
            "report_timeout": "45s",
            "on_undelivered": "next",
            "expires_after": "5m",
            "max_copies": 2,
            "escalate_to": "x",
            "ack_required": True,
        }
    ],
    "limits": {"per_recipient": ["60/h"], "critical_per_recipient": [], "spend_per_day": 500},
    "opt_out": {"words": ["STOP"], "exempt": ["otp"]},
    "gateway": {"listen": "127.0.0.1:8470", "keys": [{"name": "k", "sha256": "0" * 64, "scopes": ["send:alert"]}]},
}


def _paths(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of everything in the document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def _at(document: dict, path: tuple) -> object:
    return functools.reduce(lambda inner, step: inner[step], path, document)


def _replaced(path: tuple, value: object) -> dict:
    document = copy.deepcopy(_DOCUMENT)
    _at(document, path[:-1])[path[-1]] = value
    return document


def _render(value: object) -> str:
    """Write a TOML value, tables inline."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return "{" + ", ".join(f"{_render(key)} = {_render(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_render, value)) + "]"
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _findings(document: dict, vendors, environ) -> tuple[str, ...]:
    """Return what is wrong with the document; nothing where it loads."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "tocsin.toml")
        path.write_text("\n".join(f"{_render(key)} = {_render(value)}" for key, value in document.items()), "utf-8")
        try:
            load_config(path, vendors=vendors, environ=environ)
        except ConfigError as error:
            assert error.findings  # noqa: PT017 -- to load is right as well
            return (*error.findings, "".join(traceback.format_exception(error)))
    return ()


_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=20),
    st.sampled_from(
        ["", "5s", "-1", "1/s", "+86", "22:00-06:00", "http://[", "sqlite:///\0", "../../..", "main", "[::]"]
    ),
)
_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.sampled_from([10**30, -(10**30)]),
        st.floats(),
        _TEXTS,
        st.dates(),
        st.times(),
        st.datetimes(min_value=datetime(1000, 1, 1)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


def test_the_document_is_sound_but_for_what_is_planned(vendors, environ):
    """What the laws start from has no fault of its own, or they would prove nothing."""
    *lines, _ = _findings(_DOCUMENT, vendors, environ)

    assert [line.split(": ")[0] for line in lines] == ["store.key", "routes[0].escalate_to", "routes[0].ack_required"]


@given(path=st.sampled_from(list(_paths(_DOCUMENT))), value=_VALUES)
@settings(max_examples=250)
def test_any_value_at_any_key_gives_findings_or_a_configuration(vendors, environ, path, value):
    """No value that TOML can write makes the loader raise anything but ConfigError, and no finding tells a secret."""
    assert not any(_CANARY in line for line in _findings(_replaced(path, value), vendors, environ))


@given(path=st.sampled_from(list(_paths(_DOCUMENT))), key=_TEXTS, value=_VALUES)
@settings(max_examples=100)
def test_any_key_in_any_table_gives_findings_or_a_configuration(vendors, environ, path, key, value):
    """No key that TOML can write makes the loader raise anything but ConfigError, and no finding tells a secret."""
    document = copy.deepcopy(_DOCUMENT)
    table = _at(document, path[:-1])
    if isinstance(table, dict):
        table[key] = value

    assert not any(_CANARY in line for line in _findings(document, vendors, environ))


@pytest.mark.parametrize("path", [("accounts", "main", "password"), ("accounts", "main", "push", "token")])
@pytest.mark.parametrize(
    "value",
    [_CANARY, {"env": _CANARY}, {"value": _CANARY}, [_CANARY], {"env": _CANARY, "file": "x"}, {"env": [_CANARY]}],
    ids=["inline", "name", "other-key", "list", "two-keys", "nested"],
)
def test_a_secret_in_the_wrong_notation_is_not_repeated(vendors, environ, path, value):
    """However a secret is miswritten, neither the findings nor a traceback show it."""
    document = _replaced(path, value)
    document["allow_inline_secrets"] = False

    said = _findings(document, vendors, environ)

    assert any(line.startswith("accounts.main.") for line in said)
    assert not any(_CANARY in line for line in said)


@pytest.mark.parametrize("path", list(_paths(_DOCUMENT)), ids=str)
def test_a_number_in_the_wrong_place_is_not_repeated(vendors, environ, path):
    """A full phone number is in no finding, whichever key has it as value, item or key."""
    number = "13800000000"

    for value in (number, f"+86{number}", [number, 7], {number: {number: 7}}):
        assert not any(number in line for line in _findings(_replaced(path, value), vendors, environ))
