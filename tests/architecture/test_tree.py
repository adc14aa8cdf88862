"""What the repository must hold, and what none of its files may."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = (".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()))

FORBIDDEN = {
    "a path of its authors' machines": (r"(?<![\w.~-])/(work|tmp|root)(?![\w-])", ("see /", "tmp/x")),
    "a package registry": (r"\b(pypi|pythonhosted|npmjs)[.](org|com)", ("https://pypi", ".org/simple")),
    "an index option": (r"--(extra-)?inde[x]-url|--find-link[s]", ("--find", "-links=x")),
    "a stub": (r"\bNotImplementedErro[r]\b", ("raise NotImplemented", "Error")),
    "unfinished business": (r"\b(TOD[O]|FIXM[E])\b", ("# TO", "DO: this")),
}
"""For each thing that no file may hold a pattern, and a line that has it: in pieces, or this file would find itself."""

MAX_LINES = {"ARCHITECTURE.md": 150, "docs/adr/*.md": 60}


def files(directory: Path) -> Iterator[Path]:
    """Yield every file below a directory that git does not ignore."""
    for path in sorted(directory.iterdir()):
        if not any(fnmatch(path.name, pattern) for pattern in IGNORED):
            yield from files(path) if path.is_dir() else (path,)


def lines() -> Iterator[tuple[str, str]]:
    """Yield every line of every text file of the repository, after where it stands."""
    for path in files(ROOT):
        content = path.read_bytes()
        if b"\0" not in content:
            for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
                yield f"{path.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what):
    """No file of the repository holds what would not be true, or not be needed, elsewhere."""
    pattern, sample = FORBIDDEN[what]
    found = [f"{where} {line.strip()}" for where, line in lines() if re.search(pattern, line)]

    assert re.search(pattern, "".join(sample)), "the check could not fail"
    assert not found


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "LICENSE", "core/README.md", "core/LICENSE"])
def test_file_is_there(name):
    """The files that a newcomer opens first are there, and say something."""
    assert (ROOT / name).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("pattern", MAX_LINES)
def test_document_is_short(pattern):
    """The architecture fits into 150 lines, a decision into 60."""
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.glob(pattern)}

    assert lengths
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_LINES[pattern]}
