"""The capability matrix shows every row of a plugin's table, and nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MATRICES = sorted((HERE.parents[1] / "plugins").glob("*/tests/matrix.toml"))

EXAMPLE = """
vendor = "example"
document = "Example 1.0"
[[row]]
operation = "Send"
transport = "get"
section = "2"
vectors = ["a", "b"]
[[row]]
operation = "Send"
transport = "post"
section = "2"
vectors = ["c"]
[[row]]
operation = "Push"
transport = "raw"
section = "3"
vectors = ["d"]
"""

PAGE = """# What each vendor's plugin can do

## example

Document: Example 1.0. A number counts golden vectors.

| operation | section | get | post | raw |
| --- | --- | --- | --- | --- |
| Send | 2 | 2 | 1 |  |
| Push | 3 |  |  | 1 |
"""


@pytest.fixture(scope="module")
def render():
    spec = importlib.util.spec_from_file_location("capability_matrix", HERE / "capability_matrix.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.render_capabilities


def test_a_table_is_rendered_to_the_letter(render, tmp_path):
    """One line for an operation, one column for a transport, the number of vectors where they meet."""
    (tmp_path / "matrix.toml").write_text(EXAMPLE, "utf-8")

    assert render([tmp_path / "matrix.toml"]) == PAGE


def test_every_plugin_is_shown(render):
    """Each plugin with a table has its section."""
    page = render(MATRICES)

    assert MATRICES
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        f"## {path.parents[1].name}" for path in MATRICES
    ]


def test_the_page_is_the_tables(render):
    """docs/reference/capabilities.md is what the plugins' tables render to; `make capabilities` writes it anew."""
    page = HERE.parents[1] / "docs/reference/capabilities.md"

    assert page.read_text("utf-8") == render(MATRICES)
