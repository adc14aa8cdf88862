"""Raw-socket servers that do to a client exactly what a test tells them to."""

from __future__ import annotations

import datetime
import ipaddress
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tocsin.wire.pool import HttpTransport

DEADLINE_S = 10.0


class Peer:
    """One accepted connection, with the few things that a server can do to its client."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self._stopping = stopping

    def read_request(self) -> bytes:
        """Read one whole request; empty when the client has hung up."""
        data = b""
        while b"\r\n\r\n" not in data or len(data) < _length(data):
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            data += piece
        return data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, every_s: float = 0.02) -> None:
        """Send byte by byte until the client hangs up."""
        for position in range(len(data)):
            self.sock.sendall(data[position : position + 1])
            if select.select([self.sock], [], [], every_s)[0]:
                return

    def wait_for_hang_up(self) -> None:
        """Say nothing until the client closes the connection."""
        while self.sock.recv(65536):
            pass

    def stay(self) -> None:
        """Do not even read until the test is over."""
        self._stopping.wait(DEADLINE_S)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def spoil(self, data: bytes) -> None:
        """Send bytes past the TLS layer."""
        with socket.socket(fileno=socket.dup(self.sock.fileno())) as below:
            below.sendall(data)


def _length(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    lines = (line.lower() for line in head.split(b"\r\n"))
    return len(head) + 4 + next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)


Script = Callable[[Peer], None]


class Server:
    """Listens on loopback and plays its script to each connection, in a thread of its own.

    Args:
        script: what to do with a connection; it is closed afterwards.
        context: to speak TLS.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return len(self._sockets)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                thread = threading.Thread(target=self._serve, args=(sock,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE_S)
        with suppress(OSError), ExitStack() as open_sockets:
            open_sockets.enter_context(sock)
            if self._context:
                sock = open_sockets.enter_context(self._context.wrap_socket(sock, server_side=True))
            self._script(Peer(sock, self._stopping))

    def close(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive(), "a script outlived its client"


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    with ExitStack() as servers:

        def start(script: Script, context: ssl.SSLContext | None = None) -> Server:
            server = Server(script, context)
            servers.callback(server.close)
            return server

        yield start


@pytest.fixture
def open_transport(serve) -> Iterator[Callable[..., HttpTransport]]:
    """Open HTTP transports that close before the servers do."""
    with ExitStack() as opened:

        def start(**options) -> HttpTransport:
            transport = HttpTransport(**options)
            opened.callback(transport.close)
            return transport

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tocsin test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    """What a TLS server uses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_context(certificate: Path) -> ssl.SSLContext:
    """What a client uses that trusts that server."""
    return ssl.create_default_context(cafile=certificate)
