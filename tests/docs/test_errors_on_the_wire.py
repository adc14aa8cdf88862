"""docs/reference/errors-on-the-wire.md lists every cause that the code can give, under what it proves."""

from __future__ import annotations

import ast
import inspect

import pytest

from tocsin.delivery import salvage, submit, transports
from tocsin.outbox import claims
from tocsin.wire import perform, pool


@pytest.mark.parametrize(
    ("heading", "table"),
    [("## Not sent", pool.NOT_SENT), ("## No answer", pool.NO_ANSWER), ("## Cut answer", pool.CUT_ANSWER)],
)
def test_the_tables_are_those_of_the_pool(heading, table, page):
    """Cause and explanation are the same, row by row, in the same order."""
    rows = page("docs/reference/errors-on-the-wire.md").section(heading).rows("cause | how")
    assert list(rows) == list(table.items())


def test_what_the_core_says_is_listed(page):
    """Every cause that the core writes by itself has a row, and every row is such a cause."""
    rows = page("docs/reference/errors-on-the-wire.md").rows("cause | outcome")
    assert sorted(row[0] for row in rows) == sorted(
        {cause for module in (perform, submit, claims, salvage, transports) for cause in _causes(module)}
    )


def _causes(module) -> set[str]:
    """Find the constants that become a cause: given to an outcome, or assigned to the name `cause` or `CAUSE`."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(func=ast.Name(id="Unknown" | "NotSent"), args=[value]):
                found.append(value)
            case ast.Call(func=ast.Attribute(attr="_stopped"), args=[value]):
                found.append(value)
            case ast.Assign(targets=[ast.Name(id="cause" | "CAUSE")], value=value):
                found.append(value)
    texts = (_constant(value, module) or _leading_text(value) for value in found)
    return {text.split(":")[0] for text in texts if text}


def _constant(value: ast.expr, module) -> str:
    """Return the text that a name of the module stands for; empty for anything else."""
    return str(getattr(module, value.id)) if isinstance(value, ast.Name) and value.id.isupper() else ""


def _leading_text(value: ast.expr) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Subscript(value=inner):
            return _leading_text(inner)
        case ast.JoinedStr(values=[first, *_]):
            return _leading_text(first)
        case _:
            return ""
