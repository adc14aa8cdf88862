"""What is copied from the how-to pages. The programs that it is given to: `make test-stacks`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stacks.definitions import Unfit, icinga, nagios

ICINGA = """\
```
object NotificationCommand "tocsin-host" {
  command = [ "/usr/bin/tocsin", "--config", "/etc/tocsin/tocsin.toml", "notify" ]
}
object NotificationCommand "tocsin-service" { command = [ "/usr/bin/tocsin" ] }
```
"""


@pytest.mark.parametrize("read", [icinga, nagios])
def test_the_pages_define_both_commands(read):
    """Each page has one command for hosts and one for services, with paths that a test can put its own in place of."""
    found = read(Path("/elsewhere/tocsin.toml"))

    assert found.host_command != found.service_command
    assert "/etc/tocsin" not in found.text
    assert "/usr/bin/tocsin" not in found.text
    assert "/elsewhere/tocsin.toml" in found.text


def test_prose_and_other_blocks_are_left_out(tmp_path):
    """Only blocks that define a command are copied."""
    (tmp_path / "icinga.md").write_text(f"Do this:\n\n```sh\nsystemctl reload icinga2\n```\n\n{ICINGA}\nDone.\n")

    found = icinga(Path("/c.toml"), tmp_path)

    assert found.text.startswith("object NotificationCommand")
    assert "systemctl" not in found.text
    assert (found.host_command, found.service_command) == ("tocsin-host", "tocsin-service")


@pytest.mark.parametrize("gone", ["/etc/tocsin/tocsin.toml", '"tocsin-service"'])
def test_a_page_that_does_not_fit_is_told_of(tmp_path, gone):
    """A page without a command, or without the paths that are replaced, is no page to run."""
    (tmp_path / "icinga.md").write_text(ICINGA.replace(gone, '"else"'))

    with pytest.raises(Unfit):
        icinga(Path("/c.toml"), tmp_path)
