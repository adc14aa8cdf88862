"""A vendor that is not HTTP: somebody else's plugin with a transport of its own, over a real socket."""

from __future__ import annotations

import socketserver
import threading

import pytest

NUMBER, TEXT, SIGNED = "13900000001", "disk full on db1", "disk full on db1【Example】"
SEND = ("send", "--now", "--json", "--to", NUMBER, "--text", TEXT)

LINES = '''
    """A vendor that is called by lines over TCP: `SEND PIN NUMBERS HEX` is answered by `OK ID`, then by reports."""

    import socket
    from functools import partial
    from urllib.parse import urlsplit

    import attrs

    from tocsin.plugin import (
        Accepted, AnswerError, Batch, Capabilities, Evidence, Exchange, Reached, Reason, Refused, Report, ReportState,
        Secret, SendResult, TransportError, Vendor, VendorId, hookimpl, parse_vendor_number,
    )

    CAN = Capabilities(max_recipients=10, interfaces=("lines",))


    @attrs.frozen(kw_only=True)
    class Settings:
        pin: Secret


    @attrs.frozen
    class Line:
        text: str = attrs.field(repr=False)
        submits: bool = False


    @attrs.frozen
    class Answer:
        body: bytes
        fault: str | None = None


    class Lines:
        def __init__(self, account, sink):
            address = urlsplit(account.base_url)
            self._address, self._sink = (address.hostname, address.port), sink

        def perform(self, request):
            try:
                sock = socket.create_connection(self._address, 5)
            except OSError as error:
                raise TransportError(reached=Reached.NO, cause="line-dead") from error
            with sock, sock.makefile("rwb") as stream:
                stream.write(f"{request.text}\\n".encode("ascii"))
                stream.flush()
                answer = stream.readline()
                for unasked in stream:
                    self._sink.receive(unasked, read_evidence)
            if not answer.endswith(b"\\n"):
                raise TransportError(reached=Reached.MAYBE, cause="hung-up")
            return Answer(answer.strip())

        def close(self):
            pass


    def read_evidence(raw):
        try:
            _, vendor_id, number, word = raw.decode("ascii").split()
        except ValueError as error:
            raise AnswerError("not a report") from error
        state = ReportState.DELIVERED if word == "DELIVERED" else ReportState.FAILED
        row = Report(vendor_id=VendorId(vendor_id), to=parse_vendor_number(number), state=state, code=word)
        return Evidence(reports=Batch(rows=(row,)))


    def decode(submission, answer):
        word, _, rest = answer.body.decode("ascii").partition(" ")
        if word == "OK":
            return SendResult.all(submission.to, Accepted(VendorId(rest)))
        if word == "NO":
            return SendResult.all(submission.to, Refused(Reason.BALANCE, rest))
        raise AnswerError("neither OK nor NO")


    @hookimpl
    def describe_vendor():
        return Vendor(name="lines", title="Lines", settings=Settings, base_url=None, capabilities=CAN)


    @hookimpl
    def capabilities():
        return CAN


    @hookimpl
    def fits(submission):
        return "" if submission.text.isprintable() else "a line holds no line break"


    @hookimpl
    def send(account, submission):
        numbers = ",".join(number.full for number in submission.to)
        text = f"SEND {account.settings.pin.reveal()} {numbers} {submission.text.encode().hex()}"
        return Exchange(Line(text, submits=True), partial(decode, submission))


    @hookimpl
    def open_transport(account, sink):
        return Lines(account, sink)
    '''


class LineVendor(socketserver.ThreadingTCPServer):
    """The other end of the line: takes what is sent, and answers with the next of its answers."""

    daemon_threads = False
    block_on_close = True

    def __init__(self):
        self.taken = []
        self.answers = []
        super().__init__(("127.0.0.1", 0), _Lines)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Lines(socketserver.StreamRequestHandler):
    def handle(self):
        _, pin, numbers, text = self.rfile.readline().decode("ascii").split()
        self.server.taken.append((pin, numbers, bytes.fromhex(text).decode()))
        self.wfile.write(self.server.answers.pop(0))


@pytest.fixture
def line(terminal, install):
    """Run the line vendor, and install its plugin."""
    install("tocsin-lines", {"tocsin.vendors": "lines = lines_plugin"}, lines_plugin=LINES)
    terminal.secrets.add("pin-4711")
    with LineVendor() as server:
        running = threading.Thread(target=server.serve_forever, args=(0.05,))
        running.start()
        yield server
        server.shutdown()
        running.join()


def configure_line(terminal, line, sandbox):
    """Write a configuration that tries the line first, then the sandbox."""
    account = f'vendor = "lines"\npin = "pin-4711"\nbase_url = "{line.url}"\ninsecure_http = "acknowledged"\n'
    order = f'accounts = ["line", "{sandbox.vendor}"]'
    swap = {f'accounts = ["{sandbox.vendor}"]': order}
    terminal.configure(sandbox, swap=swap, more=f"\n[accounts.line]\n{account}")


def test_a_vendor_that_is_not_http_sends(terminal, line, ipyy):
    """A plugin with a transport of its own is a vendor like any other: listed, routed, sent by."""
    configure_line(terminal, line, ipyy)
    line.answers.append(b"OK 1000000001\n")

    listed = {one["name"]: one for one in terminal.run("vendors", "--json").json}
    sent = terminal.run(*SEND)

    assert listed["lines"]["capabilities"]["interfaces"] == ["lines"]
    assert (sent.status, sent.json["deliveries"][0]["account"]) == (0, "line")
    assert line.taken == [("pin-4711", f"+86{NUMBER}", TEXT)]
    assert ipyy.ledger.submits == ()


def test_what_a_transport_receives_unasked_is_evidence(terminal, line, ipyy):
    """A report that the line brings before the answer is even settled counts: the delivery is delivered."""
    configure_line(terminal, line, ipyy)
    line.answers.append(f"OK 1000000001\nREPORT 1000000001 {NUMBER} DELIVERED\nnoise\n".encode())

    sent = terminal.run(*SEND)

    assert (sent.status, sent.json["deliveries"][0]["state"]) == (0, "delivered")
    assert [row["state"] for row in terminal.run("reports", "line", "--json").json] == ["delivered"]


def test_a_line_that_hangs_up_leaves_doubt(terminal, line, ipyy):
    """A submit that was taken and not answered is in doubt, whatever the transport; no copy goes elsewhere."""
    configure_line(terminal, line, ipyy)
    line.answers.append(b"")

    sent = terminal.run("-vv", *SEND)

    assert sent.status == 3
    assert "hung-up" in sent.err
    assert (len(line.taken), ipyy.ledger.submits) == (1, ())


@pytest.mark.parametrize("answer", [b"NO credit\n", None], ids=["refused", "unreachable"])
def test_a_line_that_did_not_take_it_moves_on(terminal, line, ipyy, answer):
    """Refused for its balance, or not reached at all: the next account sends the one copy."""
    configure_line(terminal, line, ipyy)
    if answer is None:
        line.socket.close()
    else:
        line.answers.append(answer)

    sent = terminal.run(*SEND)

    assert (sent.status, sent.json["deliveries"][0]["account"]) == (0, "ipyy")
    assert ipyy.ledger.copies(NUMBER, SIGNED) == 1


def test_what_a_vendor_cannot_do_is_said(terminal, line, ipyy):
    """A query that the plugin has no hook for is told in a sentence, and the other account answers."""
    configure_line(terminal, line, ipyy)

    ran = terminal.run("balance", "--json")

    assert (ran.status, [one["account"] for one in ran.json]) == (1, ["ipyy"])
    assert ran.err == "tocsin: line: vendor lines has no query_balance\n"
