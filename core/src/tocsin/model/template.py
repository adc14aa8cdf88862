"""Texts and values that an operator's templates make of data from outside: compiled once, bounded, sandboxed.

The engine is an extra part; without it, a template cannot be made, and nothing else is missing. Templates are the
operator's own; the data that they see is not. Configuration compiles them, alerting and source plugins run them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from tocsin.errors import MissingExtra

MOST = 4000
"""Characters of a rendered text; what comes after them is cut."""

Values = Mapping[str, Any]


class BadTemplate(ValueError):
    """A template cannot be compiled. The text says why, in the engine's words, and quotes no data."""


class TemplateFailed(ValueError):
    """A template could not be run on the data that it was given. The text names the kind of trouble alone."""


def _engine() -> Any:
    try:
        return importlib.import_module("tocsin.model.template_engine")
    except ImportError:
        raise MissingExtra("gateway", "a template") from None


def _compiled(kind: str, text: str) -> Callable[[Values], Any]:
    compiled: Callable[[Values], Any] = getattr(_engine(), kind)(text)
    return compiled


@attrs.frozen
class Template:
    """A text with places to be filled in, in Jinja2's notation.

    Raises:
        BadTemplate: it cannot be compiled.
        MissingExtra: the engine is not installed.
    """

    text: str
    _render: Callable[[Values], str] = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda self: _compiled("text", self.text), True)
    )

    def render(self, values: Values) -> str:
        """Return the text, of at most `MOST` characters.

        Raises:
            TemplateFailed: the data lacks something, or does not fit.
        """
        return self._render(values)


@attrs.frozen
class Expression:
    """An expression in Jinja2's notation, such as `body.state`. Raises what `Template` does."""

    text: str
    _evaluate: Callable[[Values], Any] = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda self: _compiled("value", self.text), True)
    )

    def evaluate(self, values: Values) -> Any:
        """Return the expression's value; None where the data lacks it.

        Raises:
            TemplateFailed: the data does not fit.
        """
        return self._evaluate(values)
