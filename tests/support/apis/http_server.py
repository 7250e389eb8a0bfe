"""An HTTP server on 127.0.0.1 that may send any bytes, or break off at any point, for tests of the HTTP client."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 2**16
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 seconds: closing sends a reset."""


class Exchange:
    """One request on one connection, and the means to answer it."""

    def __init__(self, sock: socket.socket, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target = lines[0].split(" ")[:2]
        self.lines = lines[1:]
        self.body = b""
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in self.lines)}
        self.sock = sock

    def send(self, data: bytes) -> None:
        """Send these bytes unchanged."""
        self.sock.sendall(data)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        with suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Reset the connection, as a crashing server does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()

    def drip(self, piece: bytes, gone: threading.Event, every: float = 0.02) -> None:
        """Send a piece again and again until the client disconnects; then set `gone`."""
        pause = threading.Event()
        try:
            while True:
                self.send(piece)
                pause.wait(every)
        except OSError:
            gone.set()
            raise


ConnectionBehaviour = Callable[[Exchange], object]
RequestHandler = Callable[[Exchange, int], object]
"""Answers a request; the number counts the requests to the same page or partition."""


class Server:
    """Serves for as long as its block lasts; connections are kept alive unless the behaviour closes them."""

    def __init__(self, behaviour: ConnectionBehaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.targets: list[str] = []
        self._behaviour, self._tls = behaviour, tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._closing = True
            for sock in [self._listener, *self._open]:
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(plain)
                if self._closing:
                    plain.shutdown(socket.SHUT_RDWR)
            self._start(lambda plain=plain: self._converse(plain))  # type: ignore[misc]

    def _converse(self, plain: socket.socket) -> None:
        sock = plain
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(sock)
            while (exchange := _next(sock)) is not None:
                with self._lock:
                    self.targets.append(exchange.target)
                self._behaviour(exchange)
        except OSError:
            return  # the client disconnected, or the behaviour closed the connection
        finally:
            with self._lock:
                self._open -= {plain, sock}
            plain.close()
            sock.close()


def _next(sock: socket.socket) -> Exchange | None:
    """The next request; None if the client sends no more."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(_PIECE)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    exchange = Exchange(sock, head)
    left = int(exchange.headers.get("content-length", "0")) - len(body)
    while left > 0 and (more := sock.recv(min(left, _PIECE))):
        left, body = left - len(more), body + more
    exchange.body = body
    return exchange


def reply(body: bytes = b"", status: int = 200, headers: Mapping[str, str] = {}) -> bytes:
    """A complete response with its Content-Length."""
    return _head(status, {"Content-Length": str(len(body)), **headers}) + body


def encoded(data: bytes, encoding: str) -> bytes:
    """A complete response with this Content-Encoding, whether or not the data has it."""
    return reply(data, headers={"Content-Encoding": encoding})


def until_close(body: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """A response that ends only when the connection closes."""
    return _head(200, headers) + body


def chunked(*chunks: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """A chunked response, including its last chunk."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return _head(200, {"Transfer-Encoding": "chunked", **headers}) + body


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
