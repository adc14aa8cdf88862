"""deploy/prometheus and deploy/grafana: what they name is there; every alert fires where it shall, and nowhere else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/tocsin.rules.yml"
CASES = ROOT / "deploy/prometheus/tocsin.test.yml"
DASHBOARD = ROOT / "deploy/grafana/tocsin.json"
PAGE = ROOT / "docs/reference/metrics.md"
SERIES = re.compile(r"tocsin_[a-z0-9_]+")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed; Debian's package prometheus has it"
)


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def known():
    """Return the series that `/metrics` may have, as its page says, which a test compares with it."""
    rows = re.findall(r"\| `(tocsin_\w+)` \| (\w+) \|", PAGE.read_text(encoding="utf-8"))
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in rows for end in ends.get(kind, ("",))}


def panels():
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


@needs_promtool
def test_the_rules_are_prometheus_own_taste():
    """`promtool check rules` accepts them."""
    done = promtool("check", "rules", RULES)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


@needs_promtool
def test_each_alert_fires_where_it_shall():
    """`promtool test rules` finds each alert on the sick instance, with its words, and none on the well one."""
    done = promtool("test", "rules", CASES)

    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_the_cases_notice_an_alert_that_is_deaf(rule, tmp_path):
    """Each alert's case fails when the alert can no longer fire: the cases can fail."""
    document = yaml.safe_load(RULES.read_text())
    for one in document["groups"][0]["rules"]:
        if one["alert"] == rule["alert"]:
            one["expr"] = "vector(0) > 1"
    (tmp_path / RULES.name).write_text(yaml.safe_dump(document), encoding="utf-8")
    shutil.copy(CASES, tmp_path)

    assert promtool("test", "rules", tmp_path / CASES.name).returncode != 0


def test_each_alert_has_a_case_that_fires_and_one_that_does_not():
    """Every alert is expected once, and once expected not to be there yet."""
    expected = [
        (case["alertname"], bool(case["exp_alerts"]))
        for test in yaml.safe_load(CASES.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]

    assert sorted(expected) == sorted((rule["alert"], fires) for rule in rules() for fires in (True, False))


def test_each_alert_says_what_to_do():
    """An alert has a severity that somebody may route by, and two sentences of words."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("path", [RULES, CASES, DASHBOARD], ids=lambda path: path.name)
def test_every_series_that_is_named_is_there(path):
    """Whatever rules, cases and dashboard ask for, `/metrics` has."""
    named = set(SERIES.findall(path.read_text(encoding="utf-8")))

    assert named
    assert not named - known()


def test_every_panel_asks_something_and_covers_no_other():
    """Panels have a title, questions and a place of their own on a grid of 24."""
    taken = set()
    for panel in panels():
        assert panel["title"]
        assert all(target["expr"] for target in panel["targets"])
        place = panel["gridPos"]
        squares = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not squares & taken
        assert max(x for x, _ in squares) < 24
        taken |= squares
    assert len({panel["id"] for panel in panels()}) == len(panels()) > 20


@needs_promtool
def test_every_question_of_the_dashboard_is_promql(tmp_path):
    """Each expression of a panel parses, once Grafana's own variables are filled in."""
    exprs = [target["expr"] for panel in panels() for target in panel["targets"]]
    filled = [one.replace("$__rate_interval", "1m").replace("$instance", ".*") for one in exprs]
    document = {"groups": [{"name": "d", "rules": [{"record": f"r{i}", "expr": one} for i, one in enumerate(filled)]}]}
    (tmp_path / "dashboard.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = promtool("check", "rules", tmp_path / "dashboard.yml")

    assert done.returncode == 0, done.stdout + done.stderr
