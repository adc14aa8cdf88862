"""Renders the plugins' `tests/matrix.toml` as the tables of docs/reference/capabilities.md.

The same files drive each plugin's test_matrix.py, so a row stands there only if it works over a real socket.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path


def render_capabilities(matrices: Iterable[Path]) -> str:
    """Render one page: a section for each vendor, a row for each operation, a column for each transport.

    Args:
        matrices: files with top-level `vendor` and `document`, and `[[row]] operation, transport, section, vectors`.
    """
    tables = [tomllib.loads(path.read_text("utf-8")) for path in matrices]
    return "\n".join(["# What each vendor's plugin can do", "", *map(_render_vendor, tables)])


def _render_vendor(matrix: dict) -> str:
    rows = matrix["row"]
    transports = list(dict.fromkeys(row["transport"] for row in rows))
    lines = [f"## {matrix['vendor']}", "", f"Document: {matrix['document']}. A number counts golden vectors.", ""]
    lines += [_line(["operation", "section", *transports]), _line(["---"] * (2 + len(transports)))]
    for operation in dict.fromkeys(row["operation"] for row in rows):
        own = [row for row in rows if row["operation"] == operation]
        sections = ", ".join(dict.fromkeys(row["section"] for row in own))
        counts = {row["transport"]: str(len(row["vectors"])) for row in own}
        lines.append(_line([operation, sections, *(counts.get(transport, "") for transport in transports)]))
    return "\n".join([*lines, ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    root = Path(__file__).parents[2]
    page = render_capabilities(sorted((root / "plugins").glob("*/tests/matrix.toml")))
    (root / "docs/reference/capabilities.md").write_text(page, "utf-8")
