"""A real HTTP API in a thread, whose pages are a function that a test may change while it runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    """One request: `/orders?date=2024-05-01&page=2`."""

    path: str
    query: dict[str, str]

    @property
    def name(self) -> str:
        """The endpoint, which is the source in most tests."""
        return self.path.strip("/")

    @property
    def page(self) -> int:
        """The page asked for; 1 where none is named."""
        return int(self.query.get("page", "1"))


class Answer(NamedTuple):
    """One response."""

    body: bytes
    status: int = 200
    type: str = "application/json"
    headers: Mapping[str, str] = {}


Pages = Callable[[Asked], bytes | Answer]


class Api:
    """The server's address, what it was asked in the order of the requests, and the function that answers."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.asked: list[Asked] = []
        self.url = ""


@contextmanager
def serving(pages: Pages) -> Iterator[Api]:
    """Serve on a free port for as long as the block lasts."""
    api = Api(pages)
    handler = type("Handler", (_Handler,), {"api": api})
    with _Server(("127.0.0.1", 0), handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def listed(records: Sequence[bytes], **more: int) -> bytes:
    """The usual body: records, byte for byte, in a list called `data`, and some numbers beside it."""
    beside = b"".join(b',"%s":%d' % (key.encode(), number) for key, number in more.items())
    return b'{"data":[' + b",".join(records) + b"]" + beside + b"}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that was killed hangs up
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: Api

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(parts.path, {key: values[-1] for key, values in parse_qs(parts.query).items()})
        self.api.asked.append(asked)
        found = self.api.pages(asked)
        answer = found if isinstance(found, Answer) else Answer(found)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        return
