"""What the pages about alerts tell a reader to write works."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import ModuleType

import pytest

from tocsin.config import load_config
from tocsin.model.alert import AlertRequest, AlertStatus, NotAlerts
from tocsin.model.message import MessageClass
from tocsin.registry import SourcePlugin, build_registry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GUIDE = "docs/how-to/write-a-source-plugin.md"
ALERTMANAGER = "docs/how-to/alertmanager.md"


@pytest.fixture
def kuma(page):
    """The plugin of the guide."""
    (code,) = [block.text for block in page(GUIDE).blocks if block.language == "python"]
    module = ModuleType("tocsin_kuma")
    exec(compile(code, GUIDE, "exec"), module.__dict__)
    return SourcePlugin("kuma", module, "1")


def read(plugin, settings, post):
    request = AlertRequest(headers=(), query=(), body=json.dumps(post).encode())
    return plugin.read_alerts(settings, request, NOW)


@pytest.mark.parametrize(("status", "expected"), [(0, AlertStatus.FIRING), (1, AlertStatus.RESOLVED)])
def test_the_guide_s_plugin_reads_alerts(kuma, status, expected):
    """The plugin of the guide reads what its stack posts, and refuses its test message, which holds nothing."""
    settings = kuma.kind.settings(prefix="eu ")
    post = {"heartbeat": {"status": status, "msg": "timeout"}, "monitor": {"id": 7, "name": "web"}, "msg": "x"}
    (alert,) = read(kuma, settings, post).alerts

    assert (alert.fingerprint, alert.status, alert.name, alert.summary) == ("7", expected, "eu web", "timeout")
    assert isinstance(read(kuma, settings, {"heartbeat": None, "monitor": None, "msg": "test"}), NotAlerts)


def test_the_configuration_for_alertmanager_is_one(page, tmp_path):
    """The tables that the page shows are a configuration, and mean what it says."""
    registry = build_registry()
    tables = "\n".join(block.text for block in page(ALERTMANAGER).blocks if block.language == "toml")
    file = tmp_path / "tocsin.toml"
    file.write_text(tables, encoding="utf-8")
    sources = load_config(file, vendors={}, sources=registry.described_sources(), environ={}).sources
    backup = sources["backup"]
    post = {"job": {"id": 1, "name": "nightly"}, "exit": 1}
    (alert,) = read(registry.sources["generic"], backup.settings, post).alerts

    assert sources["alertmanager"].classes["critical"] is MessageClass.CRITICAL
    assert (alert.status, alert.name) == (AlertStatus.FIRING, "nightly")
