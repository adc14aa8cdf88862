"""`tocsin simulate` as an operator runs it: beside accounts that are not touched, and on a real store's journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tocsin.sandbox import Fault

SHORT = """
title = "the first vendor is dark"
duration = "5m"

[[traffic]]
rate = "6/m"
phones = 30

[[trouble]]
account = "first"
kind = "dark"
"""
NUMBER, TEXT = "13900000001", "disk full on db1"


@pytest.fixture
def configured(terminal, winnerlook, ipyy):
    """A terminal with two accounts, and a short scenario."""
    terminal.configure(winnerlook, ipyy)
    (terminal.home / "short.toml").write_text(SHORT, encoding="utf-8")
    return terminal


def test_nothing_is_sent_and_nothing_is_stored(configured, winnerlook, ipyy):
    """The figures of every account; the vendors' ledgers stay empty, and no store is made."""
    ran = configured.run("simulate", "--scenario", "short.toml")

    assert ran.status == 0, ran.err
    assert "short.toml: the first vendor is dark (seed 1)" in ran.out
    assert "lost 0, sent twice unasked 0" in ran.out
    assert [one.ledger.submits for one in (winnerlook, ipyy)] == [(), ()]
    assert not (configured.home / "tocsin.db").exists()


def test_the_same_seed_prints_the_same(configured):
    """Two processes print the same document to the byte; another seed prints another."""
    first, again = (configured.run("simulate", "--scenario", "short.toml", "--json") for _ in range(2))
    other = configured.run("simulate", "--scenario", "short.toml", "--json", "--seed", "2")

    assert first.out == again.out
    assert first.out != other.out
    total = first.json["configurations"][0]["total"]
    assert (total["messages"], total["lost"], first.json["ok"]) == (30, 0, True)


def test_two_configurations_stand_side_by_side(configured):
    """Each with its own accounts, in one table and one plot."""
    text = configured.config.read_text(encoding="utf-8").replace('["winnerlook", "ipyy"]', '["winnerlook"]')
    (configured.home / "alone.toml").write_text(text, encoding="utf-8")
    arguments = ("simulate", "--scenario", "short.toml", "--against", "alone.toml")
    shown = configured.call(*arguments, "--plot", "short.svg")
    both, alone = configured.call(*arguments, "--json").json["configurations"]

    assert "alone.toml: lost 0" in shown.out
    assert both["total"]["delivered"] > alone["total"]["delivered"]
    assert both["total"]["messages"] == alone["total"]["messages"]
    drawn = (configured.home / "short.svg").read_text(encoding="utf-8")
    assert "alone.toml: the first vendor is dark" in drawn


def test_a_journal_is_replayed_and_stays_as_it_is(configured, winnerlook):
    """What the store recorded happens again, in doubt as it was; not a row of it changes."""
    assert configured.send(NUMBER, TEXT).status == 0
    winnerlook.inject(Fault("reset", when="before"))
    assert configured.send(NUMBER, TEXT, "--class", "notice").status == 3
    assert configured.call("reports", "--fetch").status == 0
    before = rows_of(configured.home / "tocsin.db")

    replayed = configured.call("simulate", "--journal", "--json").json["configurations"][0]
    named = configured.call("simulate", "--journal", "tocsin.db", "--json").json["configurations"][0]
    scripted = configured.call("simulate", "--journal", "--scenario", "short.toml", "--json").json["configurations"][0]

    assert (replayed["total"]["messages"], replayed["total"]["delivered"]) == (2, 1)
    assert replayed["total"]["unknown"] == 1
    assert named == replayed
    assert {one["account"]: one["delivered"] for one in scripted["accounts"]}["winnerlook"] == 0
    assert rows_of(configured.home / "tocsin.db") == before


def rows_of(path):
    with closing(sqlite3.connect(path)) as store:
        return list(store.iterdump())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--scenario", "nowhere.toml"),
            "nowhere.toml: no such file, and no scenario of that name; there is",
        ),
        (("--scenario", "odd.toml"), "odd.toml: traffic: missing; expected at least one [[traffic]]"),
        (("--scenario", "strange.toml"), "strange.toml: no account is named mian"),
        (("--journal",), "there is no store"),
        (("--plot", "plot.png"), "expected a name that ends in .svg"),
        (("--scenario", "short.toml", "--plot", "nowhere/plot.svg"), "cannot be written"),
        (("--against", "nowhere.toml"), "no such file"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_in_a_sentence(configured, arguments, sentence):
    """Status 2, and what was expected."""
    (configured.home / "odd.toml").write_text('duration = "1m"', encoding="utf-8")
    (configured.home / "strange.toml").write_text(SHORT.replace("first", "mian"), encoding="utf-8")
    ran = configured.call("simulate", *arguments)

    assert ran.status == 2
    assert sentence in ran.err


def test_a_part_that_nobody_plays_is_named(configured):
    """The scenario goes on without it, and a line on standard error says so."""
    (configured.home / "third.toml").write_text(SHORT.replace("first", "third"), encoding="utf-8")
    ran = configured.call("simulate", "--scenario", "third.toml")

    assert ran.status == 0
    assert "tocsin.toml has no account for the part of third" in ran.err
