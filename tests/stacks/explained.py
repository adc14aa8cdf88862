"""What `tocsin explain --json` tells of every message of a store. Called by the stage, before it judges."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .programs import Account

Story = Mapping[str, Any]
"""One delivery, as `explain` shows it, and the text of its message, which it does not show."""

# One process for all of them: the same command line, without the time that each start takes.
_ASK = """
import contextlib, io, json, sys
from tocsin.app import Tocsin
from tocsin.cli.main import run

def ask(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = run(["--config", sys.argv[1], *arguments, "--json"])
    if status:
        sys.exit(f"{arguments[0]}: {status}")
    return json.loads(out.getvalue())

messages = sorted({one["message"] for one in ask("list")})
stories = [story for name in messages for story in ask("explain", name)["deliveries"]]
with Tocsin.from_config(sys.argv[1]) as tocsin:
    for story in stories:
        story["text"] = tocsin.story(tocsin.find(story["id"])[0]).message.text
print(json.dumps(stories))
"""


def explain_all(config: Path, account: Account) -> Sequence[Story]:
    """Return the story of every delivery."""
    done = account.run(sys.executable, "-P", "-c", _ASK, str(config), environ={"SSL_CERT_FILE": os.devnull})
    if done.returncode:
        raise RuntimeError(f"explain failed: {done.stderr[-1000:]}")
    stories: Sequence[Story] = json.loads(done.stdout)
    return stories
