"""What the supervisor does about ends, and what it says where a part is not installed."""

from __future__ import annotations

import errno
import logging
import sys

import pytest
from click.testing import CliRunner

from tocsin.cli.main import cli, run
from tocsin.supervision.child import Program
from tocsin.supervision.listening import CannotListen, listen, show
from tocsin.supervision.post import Post, pause_s


def test_a_post_is_filled_at_once_and_then_ever_later():
    """The first end costs no time; each in a row doubles it, to half a minute at most."""
    assert [pause_s(failures) for failures in range(1, 10)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("missing", ["falcon", "granian", "jinja2", "prometheus_client"])
@pytest.mark.parametrize("command", ["serve", "gateway"])
def test_a_part_that_is_not_installed_is_named(command, missing, monkeypatch, capsys):
    """Without any part of the extra, the command says in a sentence what to install, and begins nothing."""
    monkeypatch.setitem(sys.modules, missing, None)

    assert run([command]) == 2
    assert capsys.readouterr().err == "tocsin: the HTTP service needs an extra part: pip install 'tocsin[gateway]'\n"


@pytest.mark.parametrize("command", ["serve", "gateway", "worker"])
def test_help_says_how_it_ends(command):
    """`--help` of what runs until it is told to end says by which signals."""
    shown = CliRunner().invoke(cli, [command, "--help"])

    assert shown.exit_code == 0
    assert "SIGTERM" in shown.output
    assert "--log-format" in shown.output


def test_an_address_that_is_none_is_told():
    """A name that nobody knows is one sentence that names it."""
    with pytest.raises(CannotListen, match=r"^cannot listen on nowhere\.invalid:1: "):
        listen("nowhere.invalid", 1)


def test_an_address_is_shown_as_it_is_written():
    """IPv6 stands in brackets."""
    assert [show("127.0.0.1", 1), show("::1", 2)] == ["127.0.0.1:1", "[::1]:2"]


def test_a_process_that_cannot_be_started_is_told(caplog):
    """What keeps a process from starting is an alarm, and it is tried again."""

    def fail(_):
        raise OSError(errno.ENOMEM, "no memory left")

    caplog.set_level(logging.INFO, "tocsin")
    post = Post(Program(name="worker", arguments=()), fail)
    post.fill()

    assert post.child is None
    assert post.due_at is not None
    assert "reason=process-not-started" in caplog.text
    assert "no memory left" in caplog.text
