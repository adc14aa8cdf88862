"""docs/reference/configuration.md knows every key that the configuration accepts, and no other."""

from __future__ import annotations

import re
import tomllib
from datetime import time
from zoneinfo import ZoneInfo

import attrs
import pytest

from tocsin.config import load_config
from tocsin.config.table import Table
from tocsin.model.hours import Hours
from tocsin.model.message import MessageClass
from tocsin.model.source import Quiet
from tocsin.policy.route import CLASS_RULES, Strategy
from tocsin.registry import build_registry

CONFIGURATION = "docs/reference/configuration.md"
ENVIRON = {"WINNERLOOK_PASSWORD": "one", "IPYY_PASSWORD": "two", "MAIN_PUSH_TOKEN": "three-three-three"}
SECRET_NOTATIONS = ("env", "file", "keyring")
FREE_TABLES = ("routes.match.tags", "sources.NAME.receivers", "sources.NAME.classes")
"""Tables whose keys are the user's own."""


@pytest.fixture
def everything(page):
    """The page's example that has every key in it."""
    return page(CONFIGURATION).section("## Everything at once").blocks[0].text


@pytest.fixture
def load(tmp_path):
    """Loads a text as a configuration, with the installed vendors."""

    def load(text):
        file = tmp_path / "tocsin.toml"
        file.write_text(text, encoding="utf-8")
        registry = build_registry()
        return load_config(file, vendors=registry.described(), sources=registry.described_sources(), environ=ENVIRON)

    return load


def _path(table, key):
    """Return a key's path with the user's own names written as NAME and KEY, as the page writes them."""
    path = re.sub(r"\[\d+\]", "", f"{table.path}.{key}" if table.path else key)
    path = re.sub(r"^(accounts|groups|sources)\.[^.]+", r"\1.NAME", path)
    return re.sub(rf"^({'|'.join(map(re.escape, FREE_TABLES))})\.[^.]+", r"\1.KEY", path)


def _vendor_keys():
    return {name: _keys(vendor.settings) for name, vendor in build_registry().described().items()}


def _kind_keys():
    return {name: _keys(kind.settings) for name, kind in build_registry().described_sources().items()}


def _keys(settings):
    return {field.alias or field.name for field in attrs.fields(settings) if field.init}


def test_every_accepted_key_is_documented_and_no_other(page, everything, load, monkeypatch):
    """The keys that the loader asks for while it reads the whole example are the keys of the page's tables."""
    asked = set()
    take = Table.take

    def take_and_note(table, key):
        asked.add(_path(table, key))
        return take(table, key)

    monkeypatch.setattr(Table, "take", take_and_note)
    load(everything)
    of_vendors = {f"accounts.NAME.{key}" for keys in _vendor_keys().values() for key in keys}
    of_kinds = {f"sources.NAME.{key}" for keys in _kind_keys().values() for key in keys}
    documented = {row[0] for row in page(CONFIGURATION).rows("key | value | default | in force")}
    assert documented == asked - of_vendors - of_kinds


def test_every_vendor_s_keys_are_documented(page):
    """Each installed vendor has a table with the fields of its settings, none more and none less."""
    for vendor, keys in _vendor_keys().items():
        section = page(CONFIGURATION).section(f"### Keys of vendor `{vendor}`")
        assert {row[0] for row in section.rows("key | value | default")} == keys


def test_every_kind_s_keys_are_documented(page):
    """Each installed kind of source has a table with the fields of its settings, none more and none less."""
    for kind, keys in _kind_keys().items():
        section = page(CONFIGURATION).section(f"### Keys of kind `{kind}`")
        assert {row[0] for row in section.rows("key | value | default")} == keys


def test_the_defaults_of_a_source_are_the_code_s(page, load):
    """The defaults that the page gives for `[sources.NAME]` and Alertmanager's own are read as the code's."""
    rows = {row[0]: row[2] for row in page(CONFIGURATION).rows("key | value | default | in force")}
    own = {row[0]: row[2] for row in page(CONFIGURATION).section("### Keys of kind `alertmanager`").rows("key | value")}
    plain = {key.removeprefix("sources.NAME."): rows[key].strip("`") for key in rows if key.startswith("sources.NAME.")}
    own |= {key: value for key, value in plain.items() if re.match(r'[\["0-9]', value) and key != "kind"}
    hours = own.pop("quiet.hours.zone"), own.pop("quiet.class")
    written = "\n".join(f"{key} = {value.strip('`')}" for key, value in own.items())
    quiet = f'quiet = {{ hours = {{ from = "22:00", to = "07:00", zone = {hours[0]} }}, class = {hours[1]} }}'
    source = load(f"[sources.alertmanager]\n{written}\n{quiet}\n").sources["alertmanager"]

    assert len(own) >= 8
    assert attrs.evolve(source, quiet=None) == load("").sources["alertmanager"]
    assert source.quiet == Quiet(hours=Hours(start=time(22), end=time(7), zone=ZoneInfo("UTC")))


def test_the_example_shows_every_key(page, everything):
    """Every documented key that can be used today stands in the example."""
    shown = set(_key_paths(tomllib.loads(everything), ""))
    refused = {"store.key", "routes.escalate_to", "routes.ack_required", "allow_inline_secrets"}
    assert {row[0] for row in page(CONFIGURATION).rows("key | value | default | in force")} - refused <= shown


def _key_paths(content, parent):
    for key, value in content.items():
        path = f"{parent}.{key}" if parent else key
        if parent in ("accounts", "groups", "sources"):
            path = f"{parent}.NAME"
        elif parent in FREE_TABLES:
            path = f"{parent}.KEY"
        yield path
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and not set(inner) & set(SECRET_NOTATIONS):
                yield from _key_paths(inner, path)


def test_the_example_loads_without_a_finding(everything, load):
    """The example is a configuration as it stands."""
    assert set(load(everything).accounts) == {"main", "backup"}


def test_the_defaults_of_the_classes_are_the_code_s(page):
    """The table of the classes' rules shows the values that the policy uses."""
    rows = page(CONFIGURATION).rows("class | ")
    assert [row[0] for row in rows] == [cls.value for cls in MessageClass]
    for cls, *cells in rows:
        rules = CLASS_RULES[MessageClass(cls)]
        assert cells == [
            _duration(rules.expires_after),
            _duration(rules.evidence_wait),
            rules.when_in_doubt.value,
            str(rules.max_copies),
            "none" if rules.report_timeout is None else _duration(rules.report_timeout),
            rules.on_undelivered.value,
            "the account's" if rules.max_group is None else f"at most {rules.max_group}",
        ]


def test_every_strategy_has_its_line(page):
    """The table of strategies has each word that the configuration accepts, in the order of the code."""
    assert [row[0] for row in page(CONFIGURATION).rows("strategy | ")] == [strategy.value for strategy in Strategy]


def test_the_segments_of_each_vendor_are_the_plugin_s(page):
    """The table of segments says of each installed vendor how its plugin counts."""
    counted = {
        name: [_room(vendor.capabilities.segments.gsm7), _room(vendor.capabilities.segments.ucs2)]
        for name, vendor in build_registry().described().items()
    }
    assert {name: cells for name, *cells in page(CONFIGURATION).rows("vendor | ")} == counted


def _room(room):
    return "as any other text" if room is None else f"{room.whole}, or {room.part} in each part"


def test_the_defaults_of_limits_and_words_are_the_code_s(page, load):
    """The defaults that the page gives for `[limits]` and `[opt_out]` are read as the defaults of the code."""
    rows = {row[0]: row[2] for row in page(CONFIGURATION).rows("key | value | default | in force")}
    written = {key: default.strip("`") for key, default in rows.items() if key.startswith(("limits.", "opt_out."))}
    lists = [f"{key} = {default}" for key, default in written.items() if default.startswith("[")]
    config, untouched = load("\n".join(lists)), load("")

    assert len(lists) == 3
    assert (config.limits, config.opt_out) == (untouched.limits, untouched.opt_out)


def _duration(length):
    """Write a duration in the largest unit in which it is a whole number, seconds up to two minutes."""
    seconds = int(length.total_seconds())
    if seconds < 120:
        return f"{seconds}s"
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"
