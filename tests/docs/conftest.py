"""Reads the documents as Markdown, and follows them as a reader would: for the tests beside it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("*.md", "core/*.md", "plugins/*/*.md", "docs/**/*.md")
_TIMEOUT_S = 60
_COMMONMARK = MarkdownIt("commonmark").enable("table")


@attrs.frozen
class Block:
    """A fenced block: its language, its text, and the paragraph before it."""

    language: str
    text: str
    before: str


@attrs.frozen
class Page:
    """One document."""

    path: Path
    _tokens: tuple[Token, ...] = attrs.field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path, tuple(_COMMONMARK.parse(path.read_text(encoding="utf-8"))))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> tuple[Block, ...]:
        found, before = [], ""
        for token in self._tokens:
            if token.type == "inline":
                before = token.content
            elif token.type == "fence":
                found.append(Block(token.info.strip(), token.content, before))
        return tuple(found)

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings with their marks, such as `### Name`."""
        marks = [f"{token.markup} " for token in self._tokens if token.type == "heading_open"]
        texts = [
            inline.content
            for opening, inline in zip(self._tokens, self._tokens[1:], strict=False)
            if opening.type == "heading_open"
        ]
        return tuple(mark + text for mark, text in zip(marks, texts, strict=True))

    @property
    def links(self) -> tuple[str, ...]:
        """Where links lead, as written."""
        children = [child for token in self._tokens for child in token.children or ()]
        return tuple(str(child.attrs["href"]) for child in children if child.type == "link_open")

    @property
    def spans(self) -> tuple[str, ...]:
        """The text of every `code span`."""
        children = [child for token in self._tokens for child in token.children or ()]
        return tuple(child.content for child in children if child.type == "code_inline")

    def rows(self, header: str) -> tuple[tuple[str, ...], ...]:
        """The rows of every table whose header's first cells are `header`, cells stripped of their backquotes."""
        return tuple(row for head, rows in self._tables() if " | ".join(head).startswith(header) for row in rows)

    def section(self, heading: str) -> Page:
        """The part from a heading to the next one of its level or above."""
        lines = self.text.splitlines()
        start = lines.index(heading)
        level = len(heading.split(" ", 1)[0])
        end = next(
            (place for place in range(start + 1, len(lines)) if re.match(rf"#{{1,{level}}} ", lines[place])), len(lines)
        )
        return Page(self.path, tuple(_COMMONMARK.parse("\n".join(lines[start:end]))))

    def _tables(self) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        rows: list[tuple[str, ...]] = []
        cells: list[str] = []
        for before, token in zip(self._tokens, self._tokens[1:], strict=False):
            if token.type == "table_open":
                rows = []
            elif token.type == "tr_open":
                cells = []
            elif before.type in ("td_open", "th_open"):
                cells.append(token.content)
            elif token.type == "tr_close":
                rows.append(tuple(_bare(cell) for cell in cells))
            elif token.type == "table_close":
                yield rows[0], rows[1:]


def _bare(cell: str) -> str:
    return cell[1:-1] if re.fullmatch("`[^`]+`", cell) else cell


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def page() -> Callable[[str], Page]:
    """Reads the document of that name."""
    return lambda name: Page.read(ROOT / name)


@pytest.fixture
def pages() -> tuple[Page, ...]:
    """Every document of the repository."""
    return tuple(Page.read(path) for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern)))


@attrs.define
class Reader:
    """Does in an empty directory what a document says, block by block.

    `sh` blocks hold set-up of the few kinds that `_prepare` knows; `console` blocks hold commands after `$` and what
    they print, where `…` stands for anything, and alone on a line for any lines; `toml` blocks are the configuration;
    `python` blocks are programs.
    """

    directory: Path
    environ: dict[str, str]
    ports: dict[str, str] = attrs.field(factory=dict)
    printed: list[str] = attrs.field(factory=list)
    _running: list[subprocess.Popen[str]] = attrs.field(factory=list)

    def follow(self, page: Page) -> None:
        """Do all of it; fail where the document is wrong."""
        for block in page.blocks:
            text = re.sub(r"127\.0\.0\.1:(\d+)", lambda port: self.ports.get(port[0], port[0]), block.text)
            match block.language:
                case "sh":
                    for line in text.splitlines():
                        self._prepare(shlex.split(line, comments=True))
                case "toml":
                    if "[accounts" in text:
                        (self.directory / "tocsin.toml").write_text(text, encoding="utf-8")
                case "console":
                    self._compare(text)
                case "python":
                    self.printed.append(self.run([sys.executable, "-W", "error", "-c", text], check=True))

    def run(self, command: list[str], *, check: bool = False) -> str:
        """Run a command in the reader's directory; return all that it prints."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def close(self) -> None:
        """Stop what still runs, what was started last first."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=_TIMEOUT_S)

    def _prepare(self, words: list[str]) -> None:
        match words:
            case ["make", target]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"no target {target}"
            case [".", ".venv/bin/activate"]:
                assert re.search(r"^VENV\s*:=\s*\.venv$", (ROOT / "Makefile").read_text(), re.MULTILINE)
            case ["pip", "install", *paths]:
                for path in paths:
                    self._check_installable(path)
            case ["export", assignment]:
                name, _, value = assignment.partition("=")
                self.environ[name] = value
            case ["tocsin", "sandbox", *vendors, "--port", port]:
                self.start_sandboxes(vendors, int(port))
            case ["tocsin", "worker"]:
                self._start_worker()
            case ["tocsin", "serve"]:
                self._start_serving()
            case ["curl", "-d", body, url]:
                with urlopen(Request(url, data=body.encode(), method="POST"), timeout=_TIMEOUT_S) as answer:
                    assert answer.status == 200
            case _:
                pytest.fail(f"no reader knows how to do this: {shlex.join(words)}")

    def _check_installable(self, path: str) -> None:
        name, _, extra = path.removesuffix("]").partition("[")
        place = next((base / name for base in (self.directory, ROOT) if (base / name).is_dir()), None)
        assert place is not None, f"nothing to install is at {name}"
        project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert not extra or extra in project["optional-dependencies"]

    def start_sandboxes(self, vendors: list[str], port: int) -> dict[str, Any]:
        """Run them on free ports, and read the fixed ones from `port` on as these; return what the command told."""
        process = subprocess.Popen(
            ["tocsin", "sandbox", *vendors, "--json"], env=self.environ, stdout=subprocess.PIPE, text=True
        )
        self._running.append(process)
        assert process.stdout is not None
        lines = []
        while not lines or lines[-1] not in ("}\n", ""):
            lines.append(process.stdout.readline())
        told: dict[str, Any] = json.loads("".join(lines))
        for offset, url in enumerate([*(one["base_url"] for one in told["sandboxes"]), told["control"]]):
            self.ports[f"127.0.0.1:{port + offset}"] = url.removeprefix("http://")
        return told

    def _start_worker(self) -> None:
        """Run a worker until the document ends; wait for its first line."""
        process = subprocess.Popen(
            ["tocsin", "worker"], cwd=self.directory, env=self.environ, stderr=subprocess.PIPE, text=True
        )
        self._running.append(process)
        assert process.stderr is not None
        assert "tocsin.worker.started" in process.stderr.readline()

    def _start_serving(self) -> None:
        """Run gateway and worker until the document ends; wait until it answers, and read its usual address as that."""
        process = subprocess.Popen(
            ["tocsin", "serve"], cwd=self.directory, env=self.environ, stderr=subprocess.PIPE, text=True
        )
        self._running.append(process)
        assert process.stderr is not None
        said = ""
        while not ("tocsin.worker.started" in said and "tocsin.gateway.listening" in said):
            line = process.stderr.readline()
            assert line, said
            said += line
        (address,) = re.findall(r"address=http://(\S+)", said)
        self.ports["127.0.0.1:8470"] = address

    def _compare(self, transcript: str) -> None:
        for step in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            printed = "".join(f"{line}\n" for line in _lines(self.run(["bash", "-c", command])))
            pattern = "".join(_pattern(line) for line in _lines(expected))
            assert re.fullmatch(pattern, printed), f"$ {command}\nprinted:\n{printed}\nexpected:\n{expected}"


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _pattern(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)*"
    return re.sub("─+", "─+", ".*".join(map(re.escape, line.split("…")))) + r"\n"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Somebody who follows a document in an empty directory."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "PYTHON", "PYTEST"))}
    reader = Reader(tmp_path, kept | {"PATH": path, "PYTHONUTF8": "1", "COLUMNS": "200", "NO_COLOR": "1"})
    try:
        yield reader
    finally:
        reader.close()
