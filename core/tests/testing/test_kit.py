"""The kit itself: its laws cannot be talked out of, and it says nothing without vectors."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from tocsin.errors import MissingExtra
from tocsin.testing.conformance import VendorConformance
from tocsin.testing.law import Breach, LawBroken, law, laws_of
from tocsin.testing.watch import OutsideTouched, watching

from .broken_answers import AcceptsByTheId, RefusesByStatus
from .broken_requests import IgnoresTime
from .toy import Toy, conformance

pytest_plugins = ["pytester"]

LAWS = laws_of(VendorConformance)
DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "conformance.md"
NEED_VECTORS = ("vectors_cover_the_hooks", "requests_are_golden", "answers_are_golden", "garbage_proves_nothing")


@pytest.fixture
def directory(tmp_path):
    """A copy of the toy's vectors, to be changed."""
    return shutil.copytree(Path(__file__).parent / "vectors", tmp_path / "vectors")


@pytest.mark.parametrize("name", LAWS)
def test_law_cannot_be_overridden(name):
    """A subclass that overrides or deletes a law is no class."""
    for instead in (lambda _: None, None):
        with pytest.raises(TypeError, match=name):
            conformance(Toy(), **{f"test_{name}": instead})


def test_law_cannot_be_overridden_by_a_sibling():
    """A law cannot be hidden behind another base class either."""

    class Sibling:
        test_garbage_proves_nothing = None

    with pytest.raises(TypeError, match="garbage_proves_nothing"):
        type("TestToy", (Sibling, conformance(Toy())), {})


@pytest.mark.parametrize("expected", [{"no_such_law": "why"}, {"hooks_are_pure": ""}, {"no_such_law[x]": "why"}])
def test_expected_failure_names_a_law_and_a_reason(expected):
    """A failure is expected of a law that exists, with a reason, or not at all."""
    with pytest.raises(TypeError, match="no such law, or no reason"):
        conformance(Toy(), expected_failures=expected)


def test_failure_of_one_vector_may_be_expected():
    """What is expected of one vector is forgiven it, and no other."""
    law = LAWS["one_byte_changes_no_side"]
    reason = "an id and a text look the same"

    law(conformance(AcceptsByTheId(), expected_failures={"one_byte_changes_no_side[send-refused-7]": reason})())
    with pytest.raises(LawBroken, match="send-refused-7"):
        law(conformance(AcceptsByTheId(), expected_failures={"one_byte_changes_no_side[send-failed]": reason})())


def test_expected_failure_must_happen():
    """An excuse that is not needed any more fails."""
    excused = {"one_byte_changes_no_side[send-failed]": "once upon a time"}

    with pytest.raises(LawBroken, match="expected to break"):
        LAWS["one_byte_changes_no_side"](conformance(Toy(), expected_failures=excused)())


@pytest.mark.parametrize("name", NEED_VECTORS)
def test_nothing_passes_without_vectors(name, tmp_path):
    """An empty directory of vectors proves nothing about a plugin."""
    with pytest.raises(LawBroken, match="no golden vectors"):
        LAWS[name](conformance(Toy(), vectors=tmp_path)())


@pytest.mark.parametrize(
    ("removed", "missing"),
    [
        ("send-taken", "acceptance"),
        ("send-refused*", "refusal"),
        ("send-[fu]*", "proof of nothing"),
        ("balance", "balance"),
        ("keywords", "keywords"),
        ("push", "push"),
    ],
)
def test_vectors_are_missed(removed, missing, directory):
    """Each side of a submit, each hook, each operation and a push needs its vector."""
    for path in directory.glob(f"{removed}.toml"):
        path.unlink()

    with pytest.raises(LawBroken, match=missing):
        LAWS["vectors_cover_the_hooks"](conformance(Toy(), vectors=directory)())


@pytest.mark.parametrize("name", ["kind", "source", "checked"])
def test_vector_without_provenance_is_caught(name, directory):
    """A vector that does not say where it comes from is caught."""
    path = directory / "balance.toml"
    path.write_text(re.sub(f"(?m)^{name} = .*$", "", path.read_text("utf-8")), "utf-8")

    with pytest.raises(LawBroken, match=f"balance: has no {name}|no operation"):
        LAWS["vectors_have_provenance"](conformance(Toy(), vectors=directory)())


def test_law_tells_what_broke_it():
    """A failure names the law, the place and the matter, and shortens a long story."""

    class Kit:
        expected_failures: ClassVar = {}

        @law
        def test_order(self):
            """Order."""
            yield from (Breach(f"place {number}", "is wrong") for number in range(7))

    with pytest.raises(LawBroken) as caught:
        Kit().test_order()
    lines = str(caught.value).splitlines()
    assert lines[0] == "order: place 0: is wrong"
    assert lines[-1] == "… and 2 more"


def test_watch_sees_files_and_lets_nothing_through():
    """What is watched can open nothing, even where it swallows the error; afterwards it can."""
    here = Path(__file__)
    with watching() as seen, pytest.raises(OutsideTouched):
        here.read_bytes()

    assert here.read_bytes()
    assert seen == ["open"]


@pytest.mark.parametrize("lacking", ["pytest", "hypothesis"])
def test_missing_extra_is_named(lacking, monkeypatch):
    """Whoever has not installed the extra is told so in one sentence that names it."""
    monkeypatch.delitem(sys.modules, "tocsin.testing.conformance")
    monkeypatch.setitem(sys.modules, lacking, None)

    with pytest.raises(MissingExtra, match=r"pip install 'tocsin\[testing\]'"):
        importlib.import_module("tocsin.testing.conformance")


def test_every_law_is_documented():
    """The reference has each law with its own sentence."""
    told = DOCUMENT.read_text("utf-8").partition("## The laws")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", told, re.MULTILINE))

    assert rows == {name: law.__doc__.split("\n")[0] for name, law in LAWS.items()}


@pytest.mark.parametrize(
    ("variant", "expected", "outcomes"),
    [
        (Toy, {}, {"passed": len(LAWS)}),
        (IgnoresTime, {}, {"passed": len(LAWS) - 1, "failed": 1}),
        (
            RefusesByStatus,
            {"status_alone_proves_nothing": "the vendor says so"},
            {"passed": len(LAWS) - 1, "xfailed": 1},
        ),
        (Toy, {"hooks_are_pure": "once upon a time"}, {"passed": len(LAWS) - 1, "failed": 1}),
    ],
)
def test_pytest_runs_the_laws(pytester, monkeypatch, variant, expected, outcomes):
    """Under pytest each law is a test; one whose failure is expected must fail."""
    kit = conformance(variant(), expected_failures=expected)
    monkeypatch.setitem(sys.modules, "toy_under_test", SimpleNamespace(TestToy=kit))
    pytester.makepyfile(test_toy="from toy_under_test import TestToy")

    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist").assert_outcomes(**outcomes)
