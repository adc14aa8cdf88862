"""docs/reference/hooks.md says of every hook exactly what the code says."""

from __future__ import annotations

import ast
import inspect

from tocsin import hookspecs


def _signatures() -> list[str]:
    source = inspect.getsource(hookspecs)
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    hooks = [hook for one in classes for hook in one.body if isinstance(hook, ast.FunctionDef)]
    return [
        f"{hook.name}({', '.join(argument.arg for argument in hook.args.args)})"
        f" -> {ast.get_source_segment(source, hook.returns)}"
        for hook in hooks
        if hook.returns is not None
    ]


def test_every_hook_has_its_signature_as_a_heading(page):
    """The level-3 headings are the signatures of tocsin.hookspecs, in its order, none more and none less."""
    headings = [one for one in page("docs/reference/hooks.md").headings if one.startswith("### ")]
    assert headings == [f"### `{signature}`" for signature in _signatures()]
