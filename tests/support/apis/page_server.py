"""A real HTTP API for tests of whole commands; its pages come from a function that a test may replace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support.apis.http_server import Exchange, Server, reply


class ApiRequest(NamedTuple):
    """One request: `/orders?date=2024-05-01&page=2`."""

    path: str
    query: dict[str, str]

    @property
    def name(self) -> str:
        """The endpoint, which in most tests is the source."""
        return self.path.strip("/")

    @property
    def page(self) -> int:
        """The requested page; 1 if none is named."""
        return int(self.query.get("page", "1"))


class ApiResponse(NamedTuple):
    """One response."""

    body: bytes
    status: int = 200
    type: str = "application/json"
    headers: Mapping[str, str] = {}


PageFunction = Callable[[ApiRequest], bytes | ApiResponse]


class FakeApi:
    """The server's address, the requests it received in order, and the function that answers them."""

    def __init__(self, pages: PageFunction) -> None:
        self.pages = pages
        self.asked: list[ApiRequest] = []
        self.url = ""

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        request = ApiRequest(parts.path, {key: values[-1] for key, values in parse_qs(parts.query).items()})
        self.asked.append(request)
        found = self.pages(request)
        response = found if isinstance(found, ApiResponse) else ApiResponse(found)
        exchange.send(reply(response.body, response.status, {"Content-Type": response.type, **response.headers}))


@contextmanager
def serve_api(pages: PageFunction) -> Iterator[FakeApi]:
    """Serve on a free port for as long as the block lasts."""
    api = FakeApi(pages)
    with Server(api) as server:
        api.url = server.url
        yield api


def data_body(records: Sequence[bytes], **numbers: int) -> bytes:
    """The usual body: the records, byte for byte, in a list called `data`, with these numbers beside it."""
    beside = b"".join(b',"%s":%d' % (key.encode(), number) for key, number in numbers.items())
    return b'{"data":[' + b",".join(records) + b"]" + beside + b"}"
