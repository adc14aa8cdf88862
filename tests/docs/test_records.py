"""The records of decisions and the map of the code keep their form, so that they stay readable."""

from __future__ import annotations

import re

import tocsin


def test_a_decision_is_one_page_with_its_three_parts(page, root):
    """Each ADR has at most sixty lines, its number in title and name, and context, decision, consequence in order."""
    names = sorted(path.name for path in (root / "docs/adr").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        record = page(f"docs/adr/{name}")
        assert record.text.count("\n") <= 60, name
        title, *parts = record.headings
        assert title.startswith(f"# {int(name[:4])}. ")
        assert parts == ["## Context", "## Decision", "## Consequence"], name


def test_the_map_of_the_code_is_short_and_whole(page, root):
    """ARCHITECTURE.md has at most 150 lines, states invariants, and lists everything in the core's package."""
    architecture = page("ARCHITECTURE.md")
    assert len(architecture.text.splitlines()) <= 150
    assert len(re.findall(r"\*\*Invariant:\*\*", architecture.text)) >= 10
    there = {path.stem for path in (root / "core/src/tocsin").iterdir() if not path.name.startswith(("_", "py.typed"))}
    assert {row[0] for row in architecture.rows("in `core/src/tocsin/`")} == there


def test_the_changelogs_know_the_released_version(page):
    """Each changelog has a part for what is unreleased and one for the version of the code."""
    for name in ("CHANGELOG.md", "core/CHANGELOG.md"):
        headings = page(name).headings
        assert headings[1] == "## Unreleased", name
        assert f"## {tocsin.__version__}" in [heading.split(" - ")[0] for heading in headings], name
