"""The process that serves: what it finishes, what it does not see, how much it may hold open."""

from __future__ import annotations

import hashlib
import json
import re
import resource
import signal
import socket
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from ..gateway_process import running, serving_process
from ..waiting import wait_until

KEY = "an-invented-key"
CONFIGURATION = f"""
allow_inline_secrets = true
[store]
url = "sqlite:///tocsin.db"
[accounts.main]
vendor = "winnerlook"
user_code = "demo"
password = "invented"
channel = "37"
base_url = "http://127.0.0.1:9"
insecure_http = "acknowledged"
signature = "【Example】"
[[routes]]
name = "all"
accounts = ["main"]
[gateway]
listen = "127.0.0.1:0"
[[gateway.keys]]
name = "test"
sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"
scopes = ["send:alert"]
"""
BODY = json.dumps({"to": ["+8613900000001"], "text": "disk full on db1"}).encode()


@pytest.fixture
def home(tmp_path):
    (tmp_path / "tocsin.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


@pytest.fixture
def service(home):
    with running(home, "gateway") as service:
        yield service


def connect(service):
    place = urlsplit(service.url)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def head(*more):
    lines = ("POST /v1/messages HTTP/1.1", "Host: tocsin", f"Content-Length: {len(BODY)}", *more, "", "")
    return "\r\n".join(lines).encode()


def test_what_is_under_way_at_the_end_is_answered(service):
    """A request whose body is half there at SIGTERM is read to its end, stored and answered; then the gateway ends."""
    with connect(service) as caller:
        caller.sendall(head(f"Authorization: Bearer {KEY}", "Expect: 100-continue"))
        assert caller.recv(100).startswith(b"HTTP/1.1 100")  # it reads the body now
        caller.sendall(BODY[:10])
        service.signal(signal.SIGTERM)
        assert wait_until(lambda: refuses(service))
        caller.sendall(BODY[10:])
        assert caller.recv(100).startswith(b"HTTP/1.1 202")

    assert service.process.wait(30) == 0


def refuses(service):
    """Nobody listens any more. Who was in the queue of a socket that just closed is reset: that tells nothing yet."""
    try:
        connect(service).close()
    except (ConnectionRefusedError, ConnectionResetError) as end:
        return isinstance(end, ConnectionRefusedError)
    return False


def test_a_second_signal_waits_for_nobody(home):
    """A connection with half a head keeps a gateway from ending for 10 seconds; whoever asks twice does not wait."""
    with running(home) as service:
        service.wait_for("tocsin.worker.started")
        with connect(service) as caller:
            caller.sendall(head()[:20])
            assert urllib3.request("GET", f"{service.url}/healthz", retries=False).status == 200  # it was taken before
            service.signal(signal.SIGTERM)
            assert wait_until(lambda: "tocsin: ending" in service.log)  # the first one was heard
            service.signal(signal.SIGTERM)
            assert service.process.wait(8) == 130

    assert service.said("tocsin.process.ended", process="gateway", status="SIGKILL")
    assert "tocsin: ended at once; what was under way is in doubt" in service.log


def test_the_environment_is_no_header(home):
    """A variable that looks like a header of a request is none, and no request sees a secret of the environment."""
    with running(home, "gateway", environ={"HTTP_AUTHORIZATION": f"Bearer {KEY}"}) as service:
        answer = urllib3.request("POST", f"{service.url}/v1/messages", body=BODY, retries=False)
        assert answer.status == 401

        environ = Path(f"/proc/{serving_process(service.process.pid)}/environ").read_bytes()
        assert b"HTTP_AUTHORIZATION" in environ  # it was there when the process began


def test_no_answer_tells_which_server_it_is(service):
    """No answer, be it of an endpoint, of the application or of the server beneath, names a program or a version."""
    answers = [urllib3.request("GET", service.url + path, retries=False) for path in ("/healthz", "/nowhere")]
    said = "".join(f"{name}: {value}\n" for answer in answers for name, value in answer.headers.items())
    with connect(service) as caller:
        caller.sendall(b"NONSENSE\r\n\r\n")
        said += caller.recv(1000).decode()

    assert not re.search("granian|falcon|hyper|python|tocsin", said, re.IGNORECASE)


@contextmanager
def few_descriptors(number):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    try:
        yield before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_it_may_hold_open_what_the_system_lets_it(home):
    """Started with few descriptors, the process that serves takes all that it may have."""
    with few_descriptors(500) as most, running(home, "gateway") as service:
        limits = Path(f"/proc/{serving_process(service.process.pid)}/limits").read_text()

    assert re.search(rf"Max open files +{most} +{most} ", limits)


def test_a_store_that_is_none_is_told_in_a_sentence(home):
    """The serving process cannot open its store: the gateway says why, in a sentence, and ends."""
    (home / "tocsin.db").write_bytes(b"this is no database at all, and never was one" * 100)
    with pytest.raises(AssertionError), running(home, "gateway"):
        pass
    (log,) = [path.read_text() for path in home.glob("gateway-*.log")]

    assert re.search(r"^tocsin: the store \S+ cannot be used: ", log, re.MULTILINE)
    assert "Traceback" not in log
