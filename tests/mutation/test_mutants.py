"""The mutants that mutation testing makes: what is changed, what is not, and what counts as killed."""

import ast
from collections import Counter

import pytest

from tocsin.outbox.state import TRANSITIONS

from .mutants import Mutant, members_of, mutants_of
from .run import EQUIVALENTS, PACKAGE, Equivalent, Judged, document, find_mutants, load_equivalents, mistaken, score_of

ENUMS = {"State": ("OPEN", "SHUT", "LOST")}


def changes(source, operator=None):
    """Return what each mutant of a source says in the place of what it changed."""
    return [one.now for one in mutants_of("m.py", source, ENUMS) if operator in (None, one.operator)]


@pytest.mark.parametrize(
    ("source", "operator", "changed"),
    [
        ("a < b", "comparison", ["a <= b", "a >= b"]),
        ("a is b", "comparison", ["a is not b"]),
        ("a in (b, c)", "element", ["a in (c,)", "a in (b,)"]),
        ("a and b and c", "boolean", ["a or b or c"]),
        ("a or b", "operand", ["b", "a"]),
        ("not a", "sign", ["a"]),
        ("-a", "sign", ["a"]),
        ("a + b", "arithmetic", ["a - b"]),
        ("a | {b}", "arithmetic", ["a & {b}"]),
        ("a - b", "operand", ["a", "b"]),
        ("3", "constant", ["4", "2"]),
        ("True", "constant", ["False"]),
        ("f'a{b}c'", "constant", ["f'{b}c'", "f'a{b}'"]),
        ("State.LOST", "member", ["State.OPEN"]),
        ("{a: b, c: d}", "value", ["{a: d, c: d}", "{a: b, c: b}"]),
        ("{a: b, c: d}", "entry", ["{c: d}", "{a: b}"]),
        ("{a, b}", "element", ["{b}", "{a}"]),
        ("min(a)", "call", ["max(a)"]),
        ("f(a, b=c)", "argument", ["f(a)"]),
        ("[a for a in b if c]", "filter", ["[a for a in b]"]),
        ("[a for a in b if c]", "condition", ["[a for a in b if not c]"]),
        ("a if b else c", "condition", ["a if not b else c"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_slip_of_the_pen_is_made(source, operator, changed):
    """Each operator makes the changes that are its own, each once."""
    assert changes(f"x = {source}", operator) == [f"x = {one}" for one in changed]


FUNCTION = """
def f(a):
    if a:
        return b
    c = a
    g(c)
    match a:
        case 1:
            pass
        case 2:
            pass
    return c
"""


def test_a_statement_is_left_out():
    """Each statement of a function is left out once, and each result is once nothing."""
    assert changes(FUNCTION, "statement") == ["pass", "pass", "pass", "pass"]
    assert changes(FUNCTION, "result") == ["return None", "return None"]
    assert changes(FUNCTION, "case") == ["", ""]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "import a",
        "from a import b",
        "x: int | None",
        "def f(a: int | str) -> bool | None:\n    ...",
        "class C:\n    x = y\n    'an attribute docstring'",
        "T = A | B",
        "None",
    ],
)
def test_what_says_nothing_that_runs_is_left_alone(source):
    """Docstrings, imports, annotations and unions of types have no mutants."""
    assert changes(source) == []


@pytest.fixture(scope="module")
def mutants():
    """Every mutant of the modules under test."""
    return find_mutants(PACKAGE)


def test_every_mutant_is_a_module_and_unlike_any_other(mutants):
    """Each mutant of the modules under test can be parsed, differs in one place, and no two are the same."""
    assert len({(one.module, one.source) for one in mutants}) == len(mutants) > 1000
    for one in mutants:
        ast.parse(one.source)
        assert one.was != one.now
        assert one.line > 0


def test_every_module_of_the_policy_has_mutants(mutants):
    """No module is left out, and the transition table is among them."""
    modules = {one.module for one in mutants}

    assert modules == {
        "outbox/state.py",
        *(f"policy/{path.name}" for path in (PACKAGE / "policy").glob("*.py") if path.stat().st_size),
    } - {"policy/__init__.py"}


def test_every_row_of_the_transition_table_is_bent_and_dropped(mutants):
    """Each row has a mutant without it, and for its state, its event and where it leads one that names another."""
    of_the_table = [one for one in mutants if one.module == "outbox/state.py" and "(State." in one.was]
    made = Counter(one.operator for one in of_the_table)

    assert made["entry"] == len(TRANSITIONS)
    assert made["member"] + made["value"] >= 3 * len(TRANSITIONS)
    assert all(len(one.was) < 400 for one in of_the_table)


def test_members_are_read_from_the_source():
    """An enum's members are what its body assigns."""
    assert members_of(["class E(enum.StrEnum):\n    A = 'a'\n    B = 'b'\n    def f(self): ...", "class C: x = 1"]) == {
        "E": ("A", "B")
    }


def judged(fate, now="x"):
    return Judged(Mutant(module="m.py", line=1, operator="o", was="w", now=now, source=now), fate)


def test_the_score_leaves_out_what_nobody_could_kill():
    """Killed and endless mutants count as killed; equivalent ones do not count; no mutant is no success."""
    assert score_of([judged("killed"), judged("timeout"), judged("survived"), judged("equivalent")]) == pytest.approx(
        200 / 3
    )
    assert score_of([judged("equivalent")]) == 0
    assert document([judged("survived")], 1)["survivors"] == [
        {"module": "m.py", "line": 1, "operator": "o", "was": "w", "now": "x"}
    ]


def test_an_exception_that_is_none_is_found():
    """An exception whose mutant was killed, or is not there, is told; one that holds is not."""
    good, killed, gone = (Equivalent(module="m.py", was="w", now=now, because="b") for now in ("a", "b", "c"))

    assert mistaken([judged("equivalent", "a"), judged("killed", "b")], (good, killed, gone), "") == [killed, gone]
    assert mistaken([], (good,), "other") == []


def test_every_exception_names_a_mutant_and_a_reason(tmp_path, mutants):
    """The exceptions are few, each of a mutant that there is, with its reason; one without is refused."""
    for one in load_equivalents(EQUIVALENTS):
        assert any(one.names(mutant) for mutant in mutants), one

    path = tmp_path / "e.toml"
    path.write_text('[[equivalent]]\nmodule = "m.py"\nwas = "a"\nnow = "b"\nbecause = " "\n', encoding="utf-8")
    with pytest.raises(ValueError, match="no reason"):
        load_equivalents(path)
