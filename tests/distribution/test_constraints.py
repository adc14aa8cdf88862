"""The pinned packages: all that is declared, at versions that fit, by hash, from wherever the machine gets packages."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tocsin

ROOT = Path(__file__).parents[2]
PROJECTS = {path.parent.name: path for path in (ROOT / "core/pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml"))}
PINNED = (ROOT / "constraints/dev.txt").read_text(encoding="utf-8")
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9A-Za-z.]*)(?: ; [^#@]+?)? \\\n"
    r"(?:    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n"
)
VERSIONS = {pin["name"]: pin["version"] for pin in PIN.finditer(PINNED)} | {"tocsin": tocsin.__version__}


def test_constraints_hold_names_versions_and_hashes():
    """The constraints hold nothing else: no address of a registry, no option, no comment."""
    assert PIN.sub("", PINNED) == ""


def test_what_a_working_tree_needs_is_pinned():
    """Everything that `constraints/dev.in` asks for is pinned."""
    wanted = (ROOT / "constraints/dev.in").read_text(encoding="utf-8").splitlines()

    assert {line for line in wanted if re.match(r"[a-z]", line)} <= VERSIONS.keys()


@pytest.mark.parametrize("project", PROJECTS)
def test_pins_satisfy_what_is_declared(project):
    """Each requirement of a distribution, its extras and its build included, is pinned at a version that it allows."""
    declared = tomllib.loads(PROJECTS[project].read_text(encoding="utf-8"))
    extras = declared["project"].get("optional-dependencies", {}).values()
    requirements = map(
        Requirement,
        [
            *declared["build-system"]["requires"],
            *declared["project"]["dependencies"],
            *(one for e in extras for one in e),
        ],
    )

    assert not [
        str(one) for one in requirements if not one.specifier.contains(VERSIONS.get(canonicalize_name(one.name), "0"))
    ]
