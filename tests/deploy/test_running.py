"""deploy/systemd and deploy/Dockerfile: what they start exists, and they give away no more than they must."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tocsin.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy/systemd/tocsin.service"
DOCKERFILE = ROOT / "deploy/Dockerfile"
EXPOSURE = 2.0
"""systemd's own score, from 0 for nothing to 10 for everything. Last seen: 1.4."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)


@needs_systemd
def test_the_unit_is_one(tmp_path):
    """`systemd-analyze verify` has nothing to say of it, once the program is where it looks for it."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/tocsin/bin/tocsin", sys.executable), encoding="utf-8")
    done = analyze("verify", unit)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_unit_exposes_little():
    """`systemd-analyze security` finds it below the bar."""
    done = analyze("security", "--offline=true", f"--threshold={int(EXPOSURE * 10)}", UNIT)

    assert done.returncode == 0, done.stdout[-200:]
    (score,) = re.findall(r"Overall exposure level for tocsin.service: ([\d.]+)", done.stdout)
    assert float(score) <= EXPOSURE


def test_the_unit_starts_a_command_that_there_is():
    """Its command and options are the command line's, and it leaves time for what is under way."""
    (start,) = re.findall(r"^ExecStart=(.+)$", UNIT.read_text(), re.MULTILINE)
    words = start.split()
    shown = subprocess.run([sys.executable, "-m", "tocsin", "serve", "--help"], capture_output=True, text=True).stdout

    assert words[1] in COMMANDS
    assert not [word for word in words if word.startswith("--") and word not in shown]
    assert "KillMode=mixed" in UNIT.read_text()


def instructions():
    """Return the Dockerfile's instructions, their continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_every_source_of_the_image_exists():
    """What it copies from the repository is there, and the ignore file lets it through."""
    sources = [
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]
    let_in = re.findall(r"^!(.+)$", DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(), re.MULTILINE)

    assert sources
    assert all((ROOT / source).exists() for source in sources)
    assert set(sources) == set(let_in)


def test_the_image_is_modest():
    """Two stages of the same plain image, pinned to a release; not root; signals and health are said."""
    words = instructions()
    images = [rest.split()[0] for word, rest in words if word == "FROM"]
    users = [rest for word, rest in words if word == "USER"]

    assert len(images) == 2
    assert set(images) == {"python:3.11-slim-bookworm"}
    assert users == ["10001:10001"]
    assert {"STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"} <= {word for word, _ in words}
    assert [rest for word, rest in words if word == "CMD"] == ['["serve", "--log-format", "json"]']
    assert not [rest for word, rest in words if word in ("ADD", "ARG")]


def test_the_image_installs_what_was_tested():
    """What its `sed` makes of the pinned requirements are constraints: each one version of one package, no hash."""
    (line,) = [rest for word, rest in instructions() if word == "RUN" and rest.startswith("sed ")]
    made = subprocess.run(line.partition(" > ")[0], shell=True, cwd=ROOT, capture_output=True, text=True)
    pins = [Requirement(one) for one in made.stdout.splitlines()]

    assert made.returncode == 0
    assert {"falcon", "granian"} <= {pin.name for pin in pins}
    assert all(str(pin.specifier).startswith("==") for pin in pins)
