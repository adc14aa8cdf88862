"""The engine behind `tocsin.model.template`: Jinja2 in its sandbox, with less in it. Only that module imports this.

What could take time or room out of all proportion to the template is not there: loops nest twice at most, `range` ends
at a hundred, nothing is multiplied but numbers, and no filter pads a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tocsin.model.template import MOST, BadTemplate, TemplateFailed

_LONGEST_RANGE = 100
_DEEPEST_LOOP = 2
_LEFT_OUT = ("center", "format", "indent", "pprint", "random", "urlize", "wordwrap", "xmlattr")
_REFUSED = (nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_PADDING = frozenset(("center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill"))
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with its costly parts taken out."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, undefined: type[Undefined]) -> None:
        super().__init__(autoescape=False, undefined=undefined, trim_blocks=True, lstrip_blocks=True)
        self.globals = {"range": _short_range}
        for name in _LEFT_OUT:
            self.filters.pop(name, None)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do arithmetic with numbers alone, and no powers."""
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TypeError("only numbers are multiplied or divided")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Keep what pads or formats texts out of reach."""
        return not (isinstance(obj, str) and attr in _PADDING) and super().is_safe_attribute(obj, attr, value)


def _short_range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _LONGEST_RANGE:
        raise OverflowError("a range in a template ends at a hundred")
    return numbers


def text(source: str) -> Callable[[Mapping[str, Any]], str]:
    """Compile a template; return what renders it.

    Raises:
        BadTemplate: it cannot be compiled, or has a part that is left out here.
    """
    environment = _Environment(StrictUndefined)
    try:
        _check(environment.parse(source), 0)
        template = environment.from_string(source)
    except (TemplateError, RecursionError, OverflowError) as error:
        raise BadTemplate(_words(error)) from None

    def render(values: Mapping[str, Any]) -> str:
        written: list[str] = []
        length = 0
        try:
            for piece in template.generate(values):
                written.append(piece)
                length += len(piece)
                if length > MOST:
                    break
        except _FAULTS as error:
            raise TemplateFailed(type(error).__name__) from None
        return "".join(written)[:MOST].strip()

    return render


def value(source: str) -> Callable[[Mapping[str, Any]], Any]:
    """Compile an expression; return what evaluates it.

    Raises:
        BadTemplate: it cannot be compiled.
    """
    environment = _Environment(ChainableUndefined)
    try:
        compiled = environment.compile_expression(source)
    except (TemplateError, RecursionError, OverflowError) as error:
        raise BadTemplate(_words(error)) from None

    def evaluate(values: Mapping[str, Any]) -> Any:
        try:
            return compiled(**values)
        except _FAULTS as error:
            raise TemplateFailed(type(error).__name__) from None

    return evaluate


def _check(node: nodes.Node, depth: int) -> None:
    """Refuse what could loop for long."""
    if isinstance(node, _REFUSED):
        raise BadTemplate(f"a template here has no {type(node).__name__.lower()}")
    if isinstance(node, nodes.For):
        depth += 1
        if depth > _DEEPEST_LOOP or node.recursive:
            raise BadTemplate("loops nest twice at most, and none is recursive")
    for child in node.iter_child_nodes():
        _check(child, depth)


def _words(error: Exception) -> str:
    said = error.message if isinstance(error, TemplateError) and error.message else type(error).__name__
    line = getattr(error, "lineno", None)
    return said if line is None else f"{said} (line {line})"
