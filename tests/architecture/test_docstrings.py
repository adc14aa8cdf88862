"""Everything public in the core says what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

CORE = Path(__file__).parents[2] / "core/src/tocsin"
MODULES = {path.relative_to(CORE.parent): ast.parse(path.read_text(encoding="utf-8")) for path in CORE.rglob("*.py")}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


def is_protocol(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)


PROMISED = {
    method.name
    for tree in MODULES.values()
    for node in ast.walk(tree)
    if is_protocol(node)
    for method in node.body
    if isinstance(method, Function) and ast.get_docstring(method)
}
"""Methods that a Protocol documents. Who implements one says what it does there, once for all."""


def public(body: list[ast.stmt]) -> Iterator[Definition]:
    """Yield what is public in a module's or class's body, public classes' methods included."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (one for one in public(node.body) if one.name not in PROMISED)


def test_everything_public_has_a_docstring():
    """Modules, classes, functions and methods have one; a method that a documented Protocol promises needs none."""
    bare = [str(path) for path, tree in MODULES.items() if not ast.get_docstring(tree)]
    for path, tree in MODULES.items():
        bare += [f"{path}:{node.lineno} {node.name}" for node in public(tree.body) if not ast.get_docstring(node)]

    assert not bare
