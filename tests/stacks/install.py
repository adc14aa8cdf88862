"""Installs the programs of the stacks from Debian's packages, where they are not there yet. Needs root and the network.

python -m tests.stacks.install

No service is started by it: while packages are unpacked, the policy that Debian asks about that says no. Called by
`make test-stacks`, before the run, which needs neither root nor a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .icinga import find_binary
from .programs import find_program

PACKAGES = ("prometheus-alertmanager", "prometheus", "icinga2-bin", "icinga2-common", "nagios4-core")
POLICY = Path("/usr/sbin/policy-rc.d")

_NO_SERVICES = "#!/bin/sh\nexit 101\n"


def are_there() -> bool:
    """Say whether all programs are installed."""
    return find_binary() is not None and all(map(find_program, ("prometheus-alertmanager", "prometheus", "nagios4")))


@contextmanager
def no_services() -> Iterator[None]:
    """Let no package start its service meanwhile. A policy that is there already is left as it is."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(_NO_SERVICES)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def main() -> int:
    """Install what is missing; return the exit status."""
    if are_there():
        return 0
    if os.geteuid() != 0:
        print(f"this needs root, once: apt-get install --no-install-recommends {' '.join(PACKAGES)}", file=sys.stderr)
        return 2
    print(f"installing from Debian, without starting any service: {' '.join(PACKAGES)}", file=sys.stderr)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES)
    with no_services():
        for command in (("apt-get", "update", "--quiet"), install):
            done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                print(done.stdout, f"{' '.join(command[:2])} failed", sep="\n", file=sys.stderr)
                return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
