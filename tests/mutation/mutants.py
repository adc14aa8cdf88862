"""Mutants of a module: its source with one thing changed, in each way that a slip of the pen might change it. Pure.

Annotations, imports and docstrings stay as they are. What a mutant changes is told in one line before and one after.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

import attrs

Members = Mapping[str, tuple[str, ...]]
"""The members of each enum, by its name."""


@attrs.frozen(kw_only=True)
class Mutant:
    """One change of one module.

    Args:
        module: path of the module below the package.
        line: where, in the source as it stands.
        operator: which kind of change.
        was, now: the changed lines, as `ast.unparse` writes them.
        source: the whole module, changed.
    """

    module: str
    line: int
    operator: str
    was: str
    now: str
    source: str = attrs.field(repr=False)


@attrs.frozen
class _Change:
    """Put `node` in the place of what stands in a field of `parent`, or in its list there."""

    operator: str
    parent: ast.AST
    field: str
    index: int | None
    node: Any

    @property
    def line(self) -> int:
        before = getattr(self.parent, self.field)
        before = before if self.index is None else before[self.index]
        return getattr(before, "lineno", None) or getattr(self.parent, "lineno", 0)

    def made(self, tree: ast.Module) -> str:
        """Return the source of the tree with this change; the tree is afterwards as it was."""
        before = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.node)
        else:
            changed = list(before)
            changed[self.index : self.index + 1] = [] if self.node is None else [self.node]
            setattr(self.parent, self.field, changed)
        try:
            return ast.unparse(ast.fix_missing_locations(tree))
        finally:
            setattr(self.parent, self.field, before)


def members_of(sources: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the members of each enum that any of the sources defines."""
    found: dict[str, tuple[str, ...]] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                assigned = (one.targets[0] for one in node.body if isinstance(one, ast.Assign))
                found[node.name] = tuple(one.id for one in assigned if isinstance(one, ast.Name))
    return found


def mutants_of(module: str, source: str, enums: Members) -> Iterator[Mutant]:
    """Yield every mutant of a module, each different from the module and from every other.

    Args:
        module: its name in the mutants.
        source: its text.
        enums: those whose members are exchanged.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    seen = {original}
    for change in _changes(tree, enums):
        changed = change.made(tree)
        if changed not in seen:
            seen.add(changed)
            was, now = _difference(original, changed)
            yield Mutant(module=module, line=change.line, operator=change.operator, was=was, now=now, source=changed)


def _difference(before: str, after: str) -> tuple[str, str]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[3:]
    removed = "\n".join(line[1:].strip() for line in lines if line.startswith("-"))
    added = "\n".join(line[1:].strip() for line in lines if line.startswith("+"))
    return _around(removed, added)


def _around(before: str, after: str) -> tuple[str, str]:
    """Cut two texts of which one is long (a table is one line) to what differs and a little around it."""
    if max(len(before), len(after)) <= _LONG:
        return before, after
    same = _same(before, after)
    rest = _same(before[:same:-1], after[:same:-1])
    was, now = (text[max(0, same - _CONTEXT) : max(same, len(text) - rest) + _CONTEXT] for text in (before, after))
    return f"…{was}…", f"…{now}…"


def _same(before: str, after: str) -> int:
    """Return with how many equal characters two texts begin."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))


_LONG = 200
_CONTEXT = 60


_FIXED = {"annotation", "returns", "type_params", "type_comment", "ctx", "op", "ops"}


def _changes(node: ast.AST, enums: Members) -> Iterator[_Change]:
    """Yield the changes of everything below a node."""
    for field, value in ast.iter_fields(node):
        if field in _FIXED:
            continue
        children = value if isinstance(value, list) else [value]
        for position, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_fixed(child):
                continue
            index = position if isinstance(value, list) else None
            for operator, changed in _replacements(node, field, child, enums):
                yield _Change(operator, node, field, index, changed)
            yield from _changes(child, enums)


def _is_fixed(node: ast.AST) -> bool:
    """Say whether a node says nothing that runs: an import, a docstring, a Protocol's dots."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Import | ast.ImportFrom)


Replacements = Iterator[tuple[str, Any]]


def _replacements(parent: ast.AST, field: str, node: ast.AST, enums: Members) -> Replacements:
    match node:
        case ast.Compare():
            yield from _comparison(node)
        case ast.BoolOp():
            yield from _boolean(node)
        case ast.UnaryOp(operand=operand):
            yield "sign", operand
        case ast.BinOp():
            yield from _arithmetic(parent, node)
        case ast.Constant():
            yield from _constant(node)
        case ast.Attribute(value=ast.Name(id=name)) if name in enums:
            yield from _member(node, enums[name])
        case ast.Dict():
            yield from _dict(node)
        case ast.Set(elts=elements) if len(elements) > 1:
            yield from (("element", ast.Set([*elements[:at], *elements[at + 1 :]])) for at in range(len(elements)))
        case ast.Call():
            yield from _call(node)
        case ast.comprehension(ifs=[_, *_]):
            yield "filter", _evolve(node, ifs=[])
        case ast.match_case():
            yield "case", None
    if field == "test" or (field == "ifs" and isinstance(parent, ast.comprehension)):
        yield from _condition(cast(ast.expr, node))
    yield from _statement(parent, field, node)


def _evolve(node: Any, **changes: Any) -> Any:
    changed = deepcopy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def _comparison(node: ast.Compare) -> Replacements:
    for at, one in enumerate(node.ops):
        for other in _COMPARISONS[type(one)]:
            yield "comparison", _evolve(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])
    if isinstance(node.ops[-1], ast.In) and isinstance(node.comparators[-1], ast.Tuple):
        (among,) = node.comparators
        for at in range(len(among.elts)):
            fewer = _evolve(among, elts=[*among.elts[:at], *among.elts[at + 1 :]])
            yield "element", _evolve(node, comparators=[fewer])


def _boolean(node: ast.BoolOp) -> Replacements:
    yield "boolean", _evolve(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for at in range(len(node.values)):
        rest = [*node.values[:at], *node.values[at + 1 :]]
        yield "operand", rest[0] if len(rest) == 1 else _evolve(node, values=rest)


def _condition(node: ast.expr) -> Replacements:
    """Negate what no other operator turns round."""
    if not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield "condition", ast.UnaryOp(ast.Not(), node)


_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


def _arithmetic(parent: ast.AST, node: ast.BinOp) -> Replacements:
    """Exchange the operator, or leave a side out; unions of types are none of arithmetic's business."""
    types = isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Name)
    if types or type(node.op) not in _ARITHMETIC:
        return
    yield "arithmetic", _evolve(node, op=_ARITHMETIC[type(node.op)]())
    yield "operand", node.left
    yield "operand", node.right


def _constant(node: ast.Constant) -> Replacements:
    match node.value:
        case bool():
            others: tuple[Any, ...] = (not node.value,)
        case int() | float():
            others = (node.value + 1, node.value - 1)
        case str():
            others = ("" if node.value else "mutant",)
        case _:
            others = ()
    for other in others:
        yield "constant", ast.Constant(other)


def _member(node: ast.Attribute, members: tuple[str, ...]) -> Replacements:
    if node.attr in members and len(members) > 1:
        yield "member", _evolve(node, attr=members[(members.index(node.attr) + 1) % len(members)])


def _dict(node: ast.Dict) -> Replacements:
    """Give an entry the next one's value, or leave it out."""
    count = len(node.keys)
    for at in range(count):
        yield (
            "entry",
            _evolve(
                node, keys=[*node.keys[:at], *node.keys[at + 1 :]], values=[*node.values[:at], *node.values[at + 1 :]]
            ),
        )
        if count > 1:
            following = node.values[(at + 1) % count]
            yield "value", _evolve(node, values=[*node.values[:at], following, *node.values[at + 1 :]])


_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _call(node: ast.Call) -> Replacements:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield "call", _evolve(node, func=ast.Name(_CALLS[node.func.id], ast.Load()))
    for at in range(len(node.keywords)):
        yield "argument", _evolve(node, keywords=[*node.keywords[:at], *node.keywords[at + 1 :]])


def _statement(parent: ast.AST, field: str, node: ast.AST) -> Replacements:
    """Leave a statement of a function out, or return nothing."""
    if not isinstance(node, ast.stmt) or isinstance(parent, ast.Module | ast.ClassDef):
        return
    if isinstance(node, ast.Return):
        if node.value is not None and ast.unparse(node.value) != "None":
            yield "result", ast.Return(ast.Constant(None))
        if getattr(parent, field)[-1] is not node or not isinstance(parent, ast.FunctionDef):
            yield "statement", ast.Pass()
    elif not isinstance(node, ast.FunctionDef | ast.Pass | ast.Match):
        yield "statement", ast.Pass()
