"""Each distribution installs alone, from its wheel, with what it declares and nothing else, and works.

An environment here holds the wheels, and links to those packages of the running one that the wheels require: what is
used without being declared is not there.
"""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from email import message_from_string
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SOURCES = {"tocsin": ROOT / "core"} | {f"tocsin-{path.parent.name}": path.parent for path in ROOT.glob("plugins/*/src")}
KIT = "tocsin.testing."
"""What is behind the fakes: the conformance kit, an extra."""

GATEWAY = ("tocsin.gateway.", "tocsin.model.template_engine")
"""What the extra `gateway` is for."""

PLUGINS = sorted(SOURCES.keys() - {"tocsin"})

IMPORT_ALL = """
import importlib, pkgutil, sys
for package in map(importlib.import_module, sys.argv[1].split()):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(tuple(sys.argv[2:])):
            importlib.import_module(module.name)
    print(package.__file__)
"""

pytestmark = pytest.mark.xdist_group("wheels")


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that finds nothing of ours by the environment's variables or the working directory."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TOCSIN"))}
    return subprocess.run([*map(str, command)], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Build each distribution's wheel, once for all tests here."""
    directory = tmp_path_factory.mktemp("wheels")
    for source in SOURCES.values():
        built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, cwd=source)
        assert built.returncode == 0, built.stderr
    return {path.name.split("-")[0].replace("_", "-"): path for path in directory.iterdir()}


@pytest.fixture(scope="session")
def install(wheels, tmp_path_factory):
    """Return a function that makes an environment of some of our distributions, such as `tocsin[cli]`."""
    made: dict[tuple[str, ...], Path] = {}

    def installed(*wanted: str) -> Path:
        if wanted not in made:
            made[wanted] = environment(tmp_path_factory.mktemp("environment"), wheels, [*map(Requirement, wanted)])
        return made[wanted] / "bin"

    return installed


def environment(directory: Path, wheels: dict[str, Path], wanted: list[Requirement]) -> Path:
    """Make an environment that holds the wanted wheels and links to what they require."""
    venv.EnvBuilder(symlinks=True).create(directory)
    pip = (sys.executable, "-m", "pip", "--python", directory / "bin/python", "--disable-pip-version-check")
    files = [wheels[one.name] for one in wanted]
    done = run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", *files, cwd=directory)
    assert done.returncode == 0, done.stderr
    [site] = directory.glob("lib/python*/site-packages")
    ours = {one.name: one for one in distributions(path=[str(site)])}
    for foreign in required((ours[one.name], one.extras) for one in wanted):
        for name in {file.parts[0] for file in foreign.files or ()} - {"..", "__pycache__"}:
            (site / name).symlink_to(foreign.locate_file(name))
    return directory


def required(ours: Iterable[tuple[Distribution, set[str]]]) -> Iterator[Distribution]:
    """Yield what distributions with their extras require, and what that requires."""
    todo, seen = list(ours), set()
    while todo:
        one, extras = todo.pop()
        for requirement in map(Requirement, one.requires or ()):
            applies = not requirement.marker or any(requirement.marker.evaluate({"extra": e}) for e in {"", *extras})
            if applies and requirement.name not in {*SOURCES, *seen}:
                seen.add(requirement.name)
                todo.append((distribution(requirement.name), requirement.extras))
                yield todo[-1][0]


@pytest.mark.parametrize("name", SOURCES)
def test_wheel_is_whole(wheels, name):
    """A wheel holds every file of its package, typing marker included, and its licence; no tests."""
    source = SOURCES[name] / "src"
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    with ZipFile(wheels[name]) as wheel:
        packed = {one for one in wheel.namelist() if ".dist-info/" not in one}
        beside = {one.partition(".dist-info/")[2] for one in wheel.namelist()} - {""}

    assert packed == files
    assert f"{name.replace('-', '_')}/py.typed" in packed
    assert "licenses/LICENSE" in beside


@pytest.mark.parametrize("name", SOURCES)
def test_wheel_introduces_itself(wheels, name):
    """A wheel's metadata carry its README, licence and the Python it needs."""
    with ZipFile(wheels[name]) as wheel:
        [file] = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = message_from_string(wheel.read(file).decode("utf-8"))

    assert metadata["Name"] == name
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (SOURCES[name] / "README.md").read_text(encoding="utf-8").strip()


def test_library_needs_no_extra(install, tmp_path):
    """The core without extras imports all but command line and gateway, from where it was installed."""
    binaries = install("tocsin")
    left_out = ("tocsin.cli", "tocsin.__main__", KIT, *GATEWAY)
    done = run(binaries / "python", "-c", IMPORT_ALL, "tocsin", *left_out, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(binaries.parent)


def test_missing_extra_is_named(install, tmp_path):
    """Without its extra the command line says in one sentence what to install, and ends with 2."""
    done = run(install("tocsin") / "tocsin", "vendors", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "tocsin[cli]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_command_line_needs_no_plugin(install, tmp_path):
    """The core alone imports whole, and its command line shows that no vendor is installed."""
    binaries = install("tocsin[cli]")
    imported = run(binaries / "python", "-c", IMPORT_ALL, "tocsin", "tocsin.__main__", KIT, *GATEWAY, cwd=tmp_path)
    shown = run(binaries / "tocsin", "vendors", "--json", cwd=tmp_path)

    assert imported.returncode == 0, imported.stderr
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == []


def test_gateway_needs_its_extra_alone(install, tmp_path):
    """With its extra, the gateway imports whole, and sources of alerts are found, without a command line."""
    binaries = install("tocsin[gateway]")
    left_out = ("tocsin.cli", "tocsin.__main__", KIT)
    imported = run(binaries / "python", "-c", IMPORT_ALL, "tocsin", *left_out, cwd=tmp_path)
    found = "from tocsin.registry import build_registry; print(*build_registry().sources)"
    sources = run(binaries / "python", "-c", found, cwd=tmp_path)

    assert imported.returncode == 0, imported.stderr
    assert sources.stdout.split() == ["alertmanager", "generic"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_plugin_needs_the_core_alone(install, tmp_path, plugin):
    """The core and one plugin import whole and show that one vendor, with its sandbox."""
    binaries = install("tocsin[cli]", plugin)
    package = plugin.replace("-", "_")
    left_out = ("tocsin.__main__", KIT, *GATEWAY)
    imported = run(binaries / "python", "-c", IMPORT_ALL, f"tocsin {package}", *left_out, cwd=tmp_path)
    shown = run(binaries / "tocsin", "vendors", "--json", cwd=tmp_path)

    assert imported.returncode == 0, imported.stderr
    assert all(Path(file).is_relative_to(binaries.parent) for file in imported.stdout.split())
    assert shown.returncode == 0, shown.stderr
    assert [one["name"] for one in json.loads(shown.stdout)] == [plugin.removeprefix("tocsin-")]
