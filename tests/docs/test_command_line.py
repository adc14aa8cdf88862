"""docs/reference/command-line.md knows every command, option and status, and the shape of every JSON document."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click
import pytest

from tocsin.cli.exit import Exit
from tocsin.cli.main import cli, run
from tocsin.config import load_config
from tocsin.config.cases import load_cases
from tocsin.config.table import Table
from tocsin.registry import build_registry
from tocsin.sandbox import example_config
from tocsin.verify import INVARIANTS


def _with_subcommands(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its name as it is typed, a group before its own."""
    for name, command in group.commands.items():
        yield " ".join((*before, name)), command
        if isinstance(command, click.Group):
            yield from _with_subcommands(command, *before, name)


COMMANDS = dict(_with_subcommands(cli))


@pytest.fixture
def reference(page):
    """The page."""
    return page("docs/reference/command-line.md")


@pytest.fixture
def configured(tmp_path, winnerlook, ipyy, monkeypatch):
    """A directory with a configuration for two sandboxes, one message sent and one reply waiting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    (tmp_path / "tocsin.toml").write_text(example_config([winnerlook, ipyy]), encoding="utf-8")
    assert run(["send", "--now", "--to", "13900000001", "--text", "disk full"]) == Exit.OK
    winnerlook.reply("13900000001", "on my way")
    return tmp_path


def _names(cells: list[str]) -> set[str]:
    """Return the options and arguments of a table's first column."""
    written = {word for cell in cells for word in re.findall(r"--?[a-z][a-z-]*|^`?[A-Z]+", cell)}
    return {word.strip("`") for word in written}


def _known(command: click.Command) -> set[str]:
    """Return the names that click knows: options as they are typed, arguments as they are shown."""
    names = set()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            names |= set(parameter.opts)
        else:
            shown = parameter.metavar or str(parameter.name).upper()
            names.add(shown.strip("[].…"))
    return names


def _shared(reference) -> set[str]:
    return _names([row[0] for row in reference.section("## Options of every command").rows("option | does")])


def test_every_command_has_a_section_and_no_other_has(reference):
    """The level-3 headings are the commands, in the order in which `tocsin --help` lists them."""
    headings = [one for one in reference.headings if one.startswith("### ")]
    assert headings == [f"### `tocsin {name}`" for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_is_listed_and_no_other_is(name, reference):
    """A command's table and the options of every command together are what click knows of it."""
    command = COMMANDS[name]
    runs = not isinstance(command, click.Group) or command.invoke_without_command  # what only holds others has no table
    rows = reference.section(f"### `tocsin {name}`").rows("argument | is") if runs else []
    help_names = {"-h", "--help"}
    assert _names([row[0] for row in rows]) | _shared(reference) == _known(COMMANDS[name]) | help_names


def test_the_exit_statuses_are_the_code_s(reference, page):
    """The reference lists every status; the README every one that is ours, and not a shell's word for a signal."""
    statuses = [status.value for status in Exit]
    assert [int(row[0]) for row in reference.rows("status | means")] == statuses
    ours = [status for status in statuses if status < 128]
    assert [int(row[0]) for row in page("README.md").rows("status | means")] == ours


@pytest.mark.parametrize(
    "name", [name for name, command in COMMANDS.items() if any(one.name == "as_json" for one in command.params)]
)
def test_every_json_document_has_the_documented_shape(name, reference, configured, reader, capsys):
    """What `--json` prints has the same keys as the page's example, at every level."""
    capsys.readouterr()
    (example,) = [block.text for block in reference.section(f"### `tocsin {name}`").blocks if block.language == "json"]
    printed = _sandbox_document(reader) if name == "sandbox" else _document(name, capsys)
    assert _shape(printed) == _shape(json.loads(example))


def _document(name, capsys):
    listed = json.loads(_stdout(["list", "--json"], capsys))
    arguments = {
        "check": ["--online"],
        "route": ["--to", "13900000001"],
        "send": ["--to", "13900000001", "--text", "again", "--now"],
        "notify": ["--to", "13900000001", "--type", "PROBLEM", "--host", "db1", "--patience", "30s"],
        "status": [listed[0]["message"]],
        "explain": [listed[0]["message"]],
        "cancel": [listed[0]["message"]],
        "reports": ["--fetch"],
        "inbox": ["--fetch"],
        "call": ["ipyy", "mms-balance"],
        "accounts drain": ["ipyy"],
        "accounts resume": ["ipyy"],
        "accounts test": ["winnerlook", "--to", "13900000001", "--wait", "20s"],
        "opt-outs add": ["13900000001"],
        "opt-outs remove": ["13900000001"],
        "key new": ["--name", "alertmanager", "--scope", "send:alert"],
    }
    if name == "verify":
        _damage()
    if name == "opt-outs":
        run(["opt-outs", "add", "13900000001"])
        capsys.readouterr()
    return json.loads(_stdout([*name.split(), *arguments.get(name, []), "--json"], capsys))


def _damage():
    """Leave something in the store for `verify` to find: a report that nobody made, an answer that nobody read."""
    with closing(sqlite3.connect("tocsin.db", isolation_level=None)) as file:
        file.execute("UPDATE attempt SET report = 1")
        columns = "received_at, account, kind, trust, headers, body"
        file.execute(f"INSERT INTO raw ({columns}) VALUES (0, 'main', 'reports', 3, '[]', x'')")


def _stdout(arguments, capsys):
    run(arguments)
    return capsys.readouterr().out


def _sandbox_document(reader):
    return reader.start_sandboxes(["winnerlook"], 8480)


def _shape(value):
    """Return the keys at every level; of a list, those of its first item."""
    match value:
        case dict():
            return {key: _shape(inner) for key, inner in value.items()}
        case [first, *_]:
            return [_shape(first)]
        case _:
            return None


CASE = """
[[case]]
to = "13900000001"
accounts.winnerlook = { used = {} }
expect = { verdict = { winnerlook = "chosen" } }
"""


def test_every_key_of_a_policy_test_is_documented_and_no_other(reference, configured, monkeypatch):
    """The keys that are asked for while a case is read are those of the table below `route`."""
    asked = set()
    take = Table.take

    def take_and_note(table, key):
        path = re.sub(r"^case\[\d+\]\.?", "", f"{table.path}.{key}")
        asked.add(re.sub(r"^(accounts|expect\.verdict)\.[^.]+", r"\1.NAME", path))
        return take(table, key)

    config = load_config(configured / "tocsin.toml", vendors=build_registry().described(), environ={})
    (configured / "cases.toml").write_text(CASE, encoding="utf-8")
    monkeypatch.setattr(Table, "take", take_and_note)
    load_cases(configured / "cases.toml", config)

    rows = {row[0] for row in reference.section("### `tocsin route`").rows("key of a case | value | default")}
    assert rows == asked - {".case", "accounts", "expect.verdict"}


def test_the_invariants_are_the_code_s(reference):
    """The table below `verify` lists each invariant that is checked, in the code's words and order."""
    rows = reference.section("### `tocsin verify`").rows("invariant | says")
    assert list(rows) == list(INVARIANTS.items())
