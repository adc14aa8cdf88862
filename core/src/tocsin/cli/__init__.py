"""The command line: prints, and decides nothing. Needs the extra `tocsin[cli]`."""

from __future__ import annotations

import os
import sys
import threading
from io import TextIOWrapper


def main() -> None:
    """Run the command line; the entry point `tocsin`."""
    try:
        from tocsin.cli.main import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write("tocsin: the command line needs an extra part: pip install 'tocsin[cli]'\n")
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character still shows the rest
    status = run(sys.argv[1:])
    if any(thread.daemon for thread in threading.enumerate()):
        os._exit(status)  # nobody waits for it, and the interpreter would end beneath it; the streams are flushed
    sys.exit(status)
