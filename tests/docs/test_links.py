"""Links lead somewhere, and names in the documents are names in the code."""

from __future__ import annotations

import importlib
import re
from urllib.parse import unquote

from tocsin import observe, registry
from tocsin.sandbox import running


def _anchor(heading: str) -> str:
    """Return the anchor that a forge makes of a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower())
    return text.replace(" ", "-")


def test_every_internal_link_leads_to_a_file_and_a_heading(pages, page):
    """A relative link names a file of the repository, and its anchor a heading in it."""
    broken = []
    for document in pages:
        for link in document.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (document.path.parent / name).resolve() if name else document.path
            if not target.exists():
                broken.append(f"{document.path.name}: {link}")
            elif anchor and anchor not in map(_anchor, page(str(target)).headings):
                broken.append(f"{document.path.name}: {link} (no such heading)")
    assert broken == []


def test_every_dotted_name_of_ours_exists(pages):
    """A code span such as `tocsin.policy.decide.decide` is a module, a name in one, an event or a group."""
    known = {value for name, value in vars(observe).items() if name.isupper() and isinstance(value, str)}
    known |= {registry.VENDORS, registry.MIDDLEWARE, running.GROUP, "tocsin.toml", "tocsin.db"}
    spans = {span for document in pages for span in document.spans if re.fullmatch(r"tocsin(\.\w+)+", span)}
    assert sorted(span for span in spans - known if not _exists(span)) == []


def test_every_step_of_the_walk_through_the_code_exists(page):
    """The functions that ARCHITECTURE.md names are where it says."""
    walk = page("ARCHITECTURE.md").section("## One message, from call to story")
    names = [span for span in walk.spans if re.fullmatch(r"[a-z_]+(\.\w+)+", span)]
    assert len(names) > 20
    assert [name for name in names if not _exists(f"tocsin.{name}")] == []


def _exists(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[length:]:
                found = getattr(found, part)
        except AttributeError:
            return False
        return True
    return False
