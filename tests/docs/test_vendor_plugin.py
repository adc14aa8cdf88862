"""The plugin of the guide is a plugin: it is found, its own test passes, and a message goes through it to a server."""

from __future__ import annotations

import re
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

GUIDE = "docs/how-to/write-a-vendor-plugin.md"
KEY = "an invented key"


class AcmeServer(ThreadingHTTPServer):
    """Acme's side, from the few lines of its document: takes every submit, and hands out one report for each number."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), AcmePages)
        self.submits = []
        self.reports = []


class AcmePages(BaseHTTPRequestHandler):
    """Its two pages."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        fields = {name: values[0] for name, values in parse_qs(body).items()}
        if fields.pop("key") != KEY:
            self._answer("ERR 1")
        elif self.path == "/submit":
            self.server.submits.append(fields)
            self.server.reports += [f"71 {number} DELIVERED\n" for number in fields["to"].split(",")]
            self._answer("OK 71")
        elif self.path == "/reports":
            self._answer("".join(self.server.reports))
            self.server.reports.clear()

    def log_message(self, *_):
        """Say nothing."""

    def _answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode("ascii"))


@pytest.fixture
def acme():
    """Acme's side on loopback."""
    with AcmeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def guide(page):
    """The guide."""
    return page(GUIDE)


@pytest.fixture
def plugin(guide, reader):
    """The guide's files on disk, installed for the reader's processes alone."""
    place = reader.directory / "tocsin-acme"
    for block in guide.blocks:
        name = re.match(r"`([\w/.]+\.(?:py|toml))`\.", block.before)
        if name:
            file = place / name[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = place / "src" / f"tocsin_acme-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
        for group, points in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("".join(lines))
    reader.environ["PYTHONPATH"] = str(place / "src")
    return place


def test_the_guide_s_plugin_passes_its_own_test(plugin, reader):
    """The test that the guide shows runs, and holds."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tocsin-acme/tests"]
    assert " passed" in reader.run(command, check=True)


def test_the_guide_s_plugin_is_found_and_sends(guide, plugin, reader, acme):
    """A reader of the guide sees the vendor listed, sends through it over real HTTP, and fetches the report."""
    reader.environ["ACME_KEY"] = KEY
    reader.ports["127.0.0.1:8490"] = f"127.0.0.1:{acme.server_port}"
    reader.follow(guide.section("## Use it"))
    assert acme.submits == [{"to": "+8613900000001", "text": "disk full on db1"}]
