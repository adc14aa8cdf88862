"""Every vendor's plugin has the same shape as every other's: who knows one knows them all."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
VENDORS = sorted(path.name for path in PLUGINS.iterdir() if (path / "pyproject.toml").is_file())

REQUIRED = {"__init__.py", "settings.py", "codec.py", "codes.py", "sandbox", "py.typed"}
OPTIONAL = re.compile(r"crypto\.py|codec_[a-z]+\.py")
MAX_LINES_OF_A_HOOK = 10
MAX_LINES_OF_A_VENDOR = 900

FORBIDDEN_IN_A_CODEC = {"asyncio", "http.client", "select", "socket", "sqlite3", "ssl", "subprocess", "urllib3"}
"""What a codec must not load, not even through something else."""

pytestmark = pytest.mark.parametrize("vendor", VENDORS)


def package(vendor: str) -> Path:
    return PLUGINS / vendor / "src" / f"tocsin_{vendor}"


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name != "__pycache__"}


def hooks(vendor: str) -> list[ast.FunctionDef]:
    tree = ast.parse((package(vendor) / "__init__.py").read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]


def test_package_has_the_same_files(vendor):
    """A vendor's package holds the required files and, beside them, nothing but crypto and split codecs."""
    found = files(package(vendor))

    assert not REQUIRED - found
    assert not {name for name in found - REQUIRED if not OPTIONAL.fullmatch(name)}


def test_tests_have_the_same_files(vendor):
    """A vendor's codec is tested against vectors, and each set of vectors says where it comes from."""
    tests = PLUGINS / vendor / "tests"

    assert "test_codec.py" in files(tests)
    assert "SOURCES.md" in files(tests / "vectors")
    assert list((tests / "vectors").glob("*.toml"))


def test_hooks_are_short(vendor):
    """A hook in a plugin's `__init__` hands over to the codec: ten lines at most, its docstring aside."""
    lengths = {hook.name: lines_of(hook) for hook in hooks(vendor)}

    assert {"describe_vendor", "capabilities", "fits", "send"} <= lengths.keys() | handed_over(vendor)
    assert max(lengths.values()) <= MAX_LINES_OF_A_HOOK, lengths


def handed_over(vendor: str) -> set[str]:
    """Name the hooks that are a function of the codec as it stands: `fits = hookimpl(codec.fits)`."""
    tree = ast.parse((package(vendor) / "__init__.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and "hookimpl(" in ast.unparse(node.value)
    }


def lines_of(function: ast.FunctionDef) -> int:
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    return function.end_lineno - function.lineno + 1 - (docstring.end_lineno - docstring.lineno + 1 if docstring else 0)


def test_vendor_is_small(vendor):
    """A vendor's codec, codes, settings, crypto and hooks have 900 lines together; its sandbox is not counted."""
    sizes = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in package(vendor).glob("*.py")}

    assert sum(sizes.values()) <= MAX_LINES_OF_A_VENDOR, sizes


def test_codec_loads_no_network(vendor):
    """A vendor's plugin, its codecs included, is imported without anything that could do I/O being loaded."""
    stems = sorted(path.stem for path in package(vendor).glob("*.py"))
    modules = [f"tocsin_{vendor}.{stem}" for stem in stems if stem != "__init__"]
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = modules_of(program) - modules_of("import sys; print(*sys.modules)")

    assert f"tocsin_{vendor}.codec" in loaded
    assert not loaded & FORBIDDEN_IN_A_CODEC


def modules_of(program: str) -> set[str]:
    """Run a program that prints the names of all modules that it has loaded."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
