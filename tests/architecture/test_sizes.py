"""Modules and functions stay small. `pytest -rP tests/architecture/test_sizes.py` prints the table."""

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {path.parent.name: path for path in (ROOT / "core/src", *ROOT.glob("plugins/*/src"))}
VAGUE = {"base", "common", "helpers", "manager", "misc", "util", "utils"}

MAX_MODULE, MAX_MEDIAN_MODULE = 400, 120
MAX_FUNCTION, MAX_MEDIAN_FUNCTION = 45, 8


def modules(source: Path) -> dict[str, int]:
    """Count the lines of each module."""
    return {
        str(path.relative_to(source)): len(path.read_text(encoding="utf-8").splitlines())
        for path in source.rglob("*.py")
    }


def functions(source: Path) -> dict[str, int]:
    """Count the lines of each function, from its `def`, without its docstring."""
    found = {}
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{path.relative_to(source)}:{node.lineno} {node.name}"] = length(node)
    return found


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    return lines - (function.body[0].end_lineno - function.body[0].lineno + 1)


def beyond(sizes: dict[str, int], limit: int) -> dict[str, int]:
    return {name: lines for name, lines in sizes.items() if lines > limit}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_no_module_is_long(source):
    """No module has more than 400 lines."""
    assert not beyond(modules(source), MAX_MODULE)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_no_function_is_long(source):
    """No function has more than 45 lines, its docstring not counted."""
    assert not beyond(functions(source), MAX_FUNCTION)


def test_most_are_short():
    """Half of all modules have at most 120 lines, half of all functions at most 8."""
    sizes = {name: (modules(source).values(), functions(source).values()) for name, source in SOURCES.items()}
    sizes["together"] = tuple(
        [lines for part in parts for lines in part] for parts in zip(*sizes.values(), strict=True)
    )
    print(f"\n{'lines':12} {'modules':>8} {'median':>8} {'longest':>8} {'functions':>10} {'median':>8} {'longest':>8}")
    for name, (per_module, per_function) in sizes.items():
        print(
            f"{name:12} {len(per_module):8} {median(per_module):8.0f} {max(per_module):8}"
            f" {len(per_function):10} {median(per_function):8.0f} {max(per_function):8}"
        )

    assert median(sizes["together"][0]) <= MAX_MEDIAN_MODULE
    assert median(sizes["together"][1]) <= MAX_MEDIAN_FUNCTION


def test_no_function_is_tangled():
    """No function has a McCabe number above 8, whatever the linter's configuration says."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa", "--quiet"),
            *("--select", "C901", "--config", "lint.mccabe.max-complexity = 8"),
            *map(str, SOURCES.values()),
        ],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_modules_are_named_after_what_they_hold(source):
    """No module is called utils, helpers, common, base or manager: such a name says nothing."""
    assert not [path for path in source.rglob("*") if path.stem in VAGUE]
