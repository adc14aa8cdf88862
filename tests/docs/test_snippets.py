"""What the documents tell a reader to do works, and prints what they say."""

from __future__ import annotations

import json
import re
import shutil
import textwrap

import pytest


def test_a_reader_of_the_how_to_sees_what_it_says(page, reader):
    """Every block runs in order, in an empty directory against sandboxes, and every transcript is true."""
    reader.follow(page("docs/how-to/first-message.md"))


def test_a_reader_of_the_readme_sees_what_it_says(page, reader):
    """Likewise; its program prints a masked number, the state and the account, and leaves one delivery behind.

    The worker that the reader has started may fetch the report at any moment.
    """
    reader.follow(page("README.md"))
    (printed,) = reader.printed
    assert re.fullmatch(r"\+8613\*{7}01 (submitted|delivered) main\n", printed)
    (delivery,) = json.loads(reader.run(["tocsin", "list", "--json", "--limit", "1"]))
    assert delivery["to"] == "+8613900000001"
    assert delivery["state"] in ("submitted", "delivered")


def test_core_s_program_runs(page, reader):
    """The example of the core's own README works beside the configuration of the first message."""
    configured = [block for block in page("docs/how-to/first-message.md").blocks if block.language in ("sh", "toml")]
    program = next(block for block in page("core/README.md").blocks if block.language == "python")
    document = reader.directory / "core.md"
    blocks = [block for block in configured if "curl" not in block.text]
    document.write_text("\n".join(f"```{one.language}\n{one.text}```" for one in [*blocks, program]), encoding="utf-8")
    reader.follow(page(str(document)))
    assert reader.printed == ["[<State.SUBMITTED: 'submitted'>]\n"]


def test_a_reader_of_the_worker_s_how_to_sees_what_it_says(page, reader):
    """Beside the configuration of the first message, a worker runs, and every transcript is true."""
    set_up = [block for block in page("docs/how-to/first-message.md").blocks if block.language in ("sh", "toml")]
    document = reader.directory / "worker.md"
    blocks = [block for block in set_up if "curl" not in block.text]
    blocks += page("docs/how-to/run-the-worker.md").blocks
    document.write_text("\n".join(f"```{one.language}\n{one.text}```" for one in blocks), encoding="utf-8")
    reader.follow(page(str(document)))


def test_a_reader_of_the_rehearsal_s_how_to_sees_what_it_says(page, reader):
    """Beside the configuration of the first message, and with the scenario that it tells to write."""
    rehearsal = page("docs/how-to/rehearse-an-outage.md").blocks
    (scenario,) = [block.text for block in rehearsal if block.language == "toml"]
    (reader.directory / "friday.toml").write_text(scenario, encoding="utf-8")
    set_up = [block for block in page("docs/how-to/first-message.md").blocks if block.language in ("sh", "toml")]
    blocks = [block for block in set_up if "curl" not in block.text] + list(rehearsal)
    document = reader.directory / "rehearsal.md"
    document.write_text("\n".join(f"```{one.language}\n{one.text}```" for one in blocks), encoding="utf-8")
    reader.follow(page(str(document)))


def test_a_reader_of_the_routing_s_how_to_sees_what_it_says(page, reader):
    """Beside the configuration of the first message, and with the policy tests that it tells to write."""
    routing = page("docs/how-to/trust-the-routing.md").blocks
    (cases,) = [block.text for block in routing if block.language == "toml"]
    (reader.directory / "cases.toml").write_text(cases, encoding="utf-8")
    set_up = [block for block in page("docs/how-to/first-message.md").blocks if block.language in ("sh", "toml")]
    blocks = [block for block in set_up if "curl" not in block.text] + list(routing)
    document = reader.directory / "routing.md"
    document.write_text("\n".join(f"```{one.language}\n{one.text}```" for one in blocks), encoding="utf-8")
    reader.follow(page(str(document)))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed; the page speaks HTTP with it")
def test_a_reader_of_the_gateway_s_how_to_sees_what_it_says(page, reader):
    """Beside the configuration of the first message, with the tables that it tells to add, on a port of its own."""
    set_up = [block for block in page("docs/how-to/first-message.md").blocks if block.language in ("sh", "toml")]
    gateway = page("docs/how-to/run-the-gateway.md").blocks
    (tables,) = [block.text for block in gateway if block.language == "toml"]
    for name, blocks in (
        ("set-up.md", [block for block in set_up if "curl" not in block.text]),
        ("gateway.md", [block for block in gateway if block.language in ("sh", "console")]),
    ):
        document = reader.directory / name
        document.write_text("\n".join(f"```{one.language}\n{one.text}```" for one in blocks), encoding="utf-8")
        reader.follow(page(str(document)))
        if name == "set-up.md":
            with (reader.directory / "tocsin.toml").open("a", encoding="utf-8") as file:
                file.write(tables.replace(":8470", ":0"))


def test_a_wrong_transcript_is_noticed(page, reader):
    """The comparison can fail: a document that promises another output is found out."""
    document = reader.directory / "wrong.md"
    document.write_text(
        textwrap.dedent("""\
        ```console
        $ echo one
        two
        ```
        """),
        encoding="utf-8",
    )
    with pytest.raises(AssertionError, match=r"printed:\s+one"):
        reader.follow(page(str(document)))
