"""`tocsin serve` heals: whatever of it is killed comes back, and whatever ends takes its own along."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import urllib3

from ..gateway_process import (
    LISTENING,
    ServiceProcess,
    children_of,
    is_alive,
    running,
    serving_process,
)
from ..waiting import wait_until

CONFIGURATION = """
[store]
url = "sqlite:///tocsin.db"

[gateway]
listen = "127.0.0.1:{port}"
"""
WORKING = "tocsin.worker.started"


@pytest.fixture
def home(tmp_path):
    """A directory with a configuration of no accounts, on a port that the system chooses."""
    (tmp_path / "tocsin.toml").write_text(CONFIGURATION.format(port=0), encoding="utf-8")
    return tmp_path


@pytest.fixture
def service(home):
    """`tocsin serve`, at work: the gateway answers and the worker has its role."""
    with running(home) as service:
        service.wait_for(WORKING)
        yield service


def status(url, timeout=30):
    """Ask over a connection of its own: one that was kept open may end with its process at any moment."""
    return urllib3.request(
        "GET", f"{url}/healthz", retries=False, timeout=timeout, headers={"Connection": "close"}
    ).status


def refuses(url):
    try:
        status(url)
    except urllib3.exceptions.HTTPError:
        return True
    return False


def all_of(service):
    """Return the ids of all its processes: its own, the gateway's two, the worker's."""
    gateway, worker = service.pid_of("gateway"), service.pid_of("worker")
    return service.process.pid, gateway, serving_process(gateway), worker


def test_both_begin_and_both_end(service):
    """It answers where its log says; at SIGTERM both processes end, all is put down, and the status is 0."""
    everybody = all_of(service)
    assert status(service.url) == 200

    assert service.end() == 0

    assert not [pid for pid in everybody if is_alive(pid)]
    assert service.said("tocsin.worker.stopped")
    assert service.said("tocsin.gateway.stopped")
    assert not service.said("tocsin.alarm"), service.log
    assert refuses(service.url)


def test_interrupted_it_ends_alike(service):
    """Ctrl-C is SIGINT to it alone: its processes are told by it, and finish."""
    groups = {os.getpgid(pid) for pid in (service.process.pid, service.pid_of("gateway"), service.pid_of("worker"))}
    assert len(groups) == 3
    service.signal(signal.SIGINT)

    assert service.process.wait(40) == 0
    assert service.said("tocsin.process.ended", process="worker", status="0")
    assert service.said("tocsin.process.ended", process="gateway", status="0")


@pytest.mark.parametrize("victim", ["gateway", "serving", "worker"])
def test_what_is_killed_comes_back(service, victim):
    """The gateway's main process, the one that serves, or the worker killed: it is started at once, with an alarm, and
    the other goes on undisturbed."""
    _, gateway, serving, worker = all_of(service)
    process = "worker" if victim == "worker" else "gateway"
    os.kill({"gateway": gateway, "serving": serving, "worker": worker}[victim], signal.SIGKILL)

    alarm = service.wait_for("tocsin.alarm", reason="process-ended")
    assert (alarm["process"], alarm["pid"]) == (process, gateway if process == "gateway" else worker)
    service.wait_for(WORKING if process == "worker" else LISTENING, times=2)
    assert wait_until(lambda: not is_alive(serving)) if process == "gateway" else is_alive(serving)
    assert status(service.url) == 200
    assert is_alive(worker) == (process == "gateway")


def test_callers_wait_while_the_gateway_comes_back(service):
    """While no process serves, the address refuses nobody: who calls meanwhile is answered by the next one."""
    url, (_, gateway, serving, _) = service.url, all_of(service)
    os.kill(gateway, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(serving))
    assert len(service.said(LISTENING)) == 1

    assert status(url) == 200
    service.wait_for(LISTENING, times=2)


def test_killed_it_takes_all_along(service, home):
    """Killed, it cannot tell anybody; yet its processes end, and the next one has the port and the worker's role."""
    everybody = all_of(service)
    port = urlsplit(service.url).port
    (home / "tocsin.toml").write_text(CONFIGURATION.format(port=port), encoding="utf-8")
    service.process.kill()
    service.process.wait()

    with running(home) as successor:
        assert successor.url == f"http://127.0.0.1:{port}"
        successor.wait_for(WORKING)
        assert status(successor.url) == 200
        assert wait_until(lambda: not [pid for pid in everybody if is_alive(pid)])


def test_a_good_configuration_replaces_both(service, home):
    """SIGHUP: a new gateway works before the old one ends, then a new worker; a crowd that asks all the time is never
    refused."""
    _, gateway, serving, worker = all_of(service)
    stop = threading.Event()

    def ask():
        asked = []
        while not stop.is_set():
            began = time.monotonic()
            asked.append((status(service.url), time.monotonic() - began))
        return asked

    with ThreadPoolExecutor(4) as crowd:
        asking = [crowd.submit(ask) for _ in range(4)]
        try:
            service.signal(signal.SIGHUP)
            service.wait_for("tocsin.reloaded")
            service.wait_for(WORKING, times=2)
            assert wait_until(lambda: not [pid for pid in (gateway, serving, worker) if is_alive(pid)])
        finally:
            stop.set()
    asked = [answer for one in asking for answer in one.result()]

    assert {code for code, _ in asked} == {200}
    print(f"\n{len(asked)} asked while it reloaded, the slowest waited {max(waited for _, waited in asked):.3f} s")
    assert not service.said("tocsin.alarm"), service.log


def test_a_bad_configuration_changes_nothing(service, home):
    """SIGHUP with a finding in the file: the finding is logged, and the same processes go on."""
    everybody = all_of(service)
    (home / "tocsin.toml").write_text('[gateway]\nlisten = "nowhere"\n', encoding="utf-8")
    service.signal(signal.SIGHUP)

    alarm = service.wait_for("tocsin.alarm", reason="reload-refused")
    assert "gateway.listen: expected address and port" in alarm["cause"]
    assert status(service.url) == 200
    assert all_of(service) == everybody
    assert all(map(is_alive, everybody))


def test_a_new_address_is_listened_on(service, home):
    """SIGHUP with another address: the gateway answers there, and no longer at the old one."""
    before = service.url
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "tocsin.toml").write_text(CONFIGURATION.format(port=port), encoding="utf-8")
    service.signal(signal.SIGHUP)

    service.wait_for("tocsin.reloaded")
    assert status(f"http://127.0.0.1:{port}") == 200
    assert wait_until(lambda: refuses(before))


def test_an_address_that_is_taken_changes_nothing(service, home):
    """SIGHUP with an address that somebody else has: an alarm, and all goes on at the old one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = CONFIGURATION.format(port=taken.getsockname()[1])
        (home / "tocsin.toml").write_text(text, encoding="utf-8")
        service.signal(signal.SIGHUP)
        assert "cannot listen on" in service.wait_for("tocsin.alarm", reason="reload-refused")["cause"]

    assert status(service.url) == 200


def test_it_does_not_begin_on_an_address_that_is_taken(home):
    """The address is somebody else's for good: one sentence, status 2, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = CONFIGURATION.format(port=taken.getsockname()[1])
        (home / "tocsin.toml").write_text(text, encoding="utf-8")
        service = ServiceProcess(home, "serve")
        assert service.process.wait(40) == 2

    assert "tocsin: cannot listen on 127.0.0.1:" in service.log


def test_the_gateway_alone_ends_with_what_it_serves_with(home):
    """`tocsin gateway` without a supervisor: its serving process killed, it says so and ends with status 70, for
    whoever starts it again."""
    with running(home, "gateway") as service:
        os.kill(serving_process(service.process.pid), signal.SIGKILL)
        assert service.process.wait(40) == 70

    assert "tocsin: the serving process ended unasked" in service.log


def test_the_gateway_alone_reloads(home):
    """SIGHUP to `tocsin gateway`: a finding changes nothing; a good file, and another process serves there."""
    with running(home, "gateway") as service:
        first, good = serving_process(service.process.pid), (home / "tocsin.toml").read_text(encoding="utf-8")
        (home / "tocsin.toml").write_text("nonsense = 1\n", encoding="utf-8")
        service.signal(signal.SIGHUP)
        service.wait_for("tocsin.alarm", reason="reload-refused")
        assert is_alive(first)

        (home / "tocsin.toml").write_text(good, encoding="utf-8")
        service.signal(signal.SIGHUP)
        service.wait_for(LISTENING, times=2)
        assert wait_until(lambda: not is_alive(first))
        assert status(service.url) == 200
        assert list(children_of(service.process.pid))
        assert service.end() == 0
