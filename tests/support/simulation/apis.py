"""Simulated APIs of every pagination style: their days are restated, they go down, and they refuse partitions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from random import Random

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request, Response
from tests.support.apis.paginated_apis import DAY, URL, Pages, PaginatedApi
from tests.support.apis.pagination_styles import SIZE, STYLES
from tests.support.pipeline import ApiFunction

SECRET = b"t0p-s3cret-t0ken"
BASES = {"real": URL, "moved": "https://api.test/moved", "mock": "mock://s"}
"""Where a source may be declared to be; each place holds different data."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_HTML = b"<html>Please sign in again, you sent " + SECRET + b"</html>"


def lines_of(records: list[dict[str, object]]) -> bytes:
    """A page as it must land."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def _as_lines(pages: Pages) -> ApiFunction:
    """Pages by number, as JSON Lines."""

    def api(request: Request) -> Response:
        n = int(request.params["page"])
        return Response(200, {}, lines_of(pages[n - 1]) if n <= len(pages) else b"")

    return api


API_STYLES = {**STYLES, "page of lines": PaginatedApi({"format": "ndjson", "pagination": {"style": "page"}}, _as_lines)}


class ApiVersion(msgspec.Struct):
    """What an API holds for a partition from a moment on: its pages as they must land, including empty ones."""

    number: int
    since: float
    lines: list[bytes]
    api: ApiFunction


class PageOrigin(msgspec.Struct, frozen=True):
    """Which page of which version a landed page is."""

    base: str
    version: int
    page: int


class RefusalPeriod(msgspec.Struct, frozen=True):
    """A period in which a partition is refused with this status, or with 200 and a login page."""

    status: int
    until: float


class Outage(msgspec.Struct, frozen=True):
    """When a source is down, and the Retry-After it sends."""

    first: float
    last: float
    retry_after: float | None
    what: str = "the API answered 503"


class SimulatedApis:
    """Every API of a trial, with all versions of their data."""

    def __init__(self, rng: Random, styles: Mapping[str, str]) -> None:
        self._rng = rng
        self._styles: dict[str, PaginatedApi] = {name: API_STYLES[style] for name, style in styles.items()}
        self.versions: dict[tuple[str, Partition], list[ApiVersion]] = {}
        self.origins: dict[Partition, dict[bytes, PageOrigin]] = {}
        self.refusals: dict[Partition, RefusalPeriod] = {}
        self.outages: dict[str, list[Outage]] = {}
        self.asked: dict[str, list[float]] = {}
        """When each source received a request."""

    def current(self, base: str, partition: Partition) -> ApiVersion:
        """The current version; drawn at the first request."""
        key = (base, partition)
        return self.versions[key][-1] if key in self.versions else self.restate(base, partition, 0.0)

    def restate(self, base: str, partition: Partition, since: float) -> ApiVersion:
        """Replace the partition's data."""
        served = self._styles[partition.source]
        versions = self.versions.setdefault((base, partition), [])
        number = len(versions) + 1
        pages = self._pages(served, f"{base}.{number}")
        landed = [[record for page in pages for record in page]] if served.page_size == 100 else pages
        version = ApiVersion(number, since, [lines_of(page) for page in landed], served.api_for(pages))
        versions.append(version)
        origins = self.origins.setdefault(partition, {})
        origins |= {lines: PageOrigin(base, number, n) for n, lines in enumerate(version.lines, 1) if lines}
        return version

    def between(self, base: str, partition: Partition, first: float, last: float) -> list[ApiVersion]:
        """The versions that were current at some time in this span."""
        every = self.versions[base, partition]
        ends = [version.since for version in every[1:]] + [last + 1.0]
        return [version for version, end in zip(every, ends, strict=True) if end >= first and version.since <= last]

    def down(self, source: str, now: float) -> Outage | None:
        """The current outage of a source, if any."""
        return next((outage for outage in self.outages.get(source, ()) if outage.first <= now < outage.last), None)

    def answer(self, request: Request, now: float) -> Response:
        """The API's response. Raises TransientError in an outage, HttpError for a refusal."""
        base, date = _base(request.url), _date(request)
        outage = self.down(request.source, now)
        if outage is not None and base != "mock":
            raise TransientError(outage.what, retry_after=outage.retry_after)
        partition = Partition(request.source, dt.date.fromisoformat(date))
        refusal = self.refusals.get(partition)
        if refusal is not None and now < refusal.until:
            if refusal.status != 200:
                raise HttpError(f"the API answered {refusal.status}", status=refusal.status)
            return Response(200, {}, _HTML, redact=lambda data: data.replace(SECRET, b"***"))
        found = self.current(base, partition).api(_spelt(request, {BASES[base]: URL, date: DAY}))
        assert isinstance(found, Response)
        there = {URL: BASES[base], DAY: date}
        headers = {name: _replaced(value, there) for name, value in found.headers.items()}
        return Response(200, headers, _replaced(found.body.decode(), there).encode())

    def _pages(self, served: PaginatedApi, word: str) -> Pages:
        count = self._rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 7))
        sizes = [served.page_size if served.page_size == SIZE else self._rng.randint(1, 3) for _ in range(count)]
        if sizes:
            sizes[-1] = self._rng.randint(1, SIZE)
        if served.allows_empty_pages and count > 2 and self._rng.random() < 0.3:
            sizes[self._rng.randrange(1, count - 1)] = 0
        return [[{"id": f"{word}.{n}.{i}"} for i in range(size)] for n, size in enumerate(sizes, 1)]


def base_of(source: Source) -> str:
    """The place at which a source is declared to be."""
    return _base(source.url)


def _base(url: str) -> str:
    return next(base for base, where in reversed(BASES.items()) if url.startswith(where))


def _date(request: Request) -> str:
    texts = [*request.params.values(), request.url, (request.body or b"").decode()]
    return next(found[0] for text in texts if (found := _DATE.search(text)))


def _replaced(text: str, by: Mapping[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text


def _spelt(request: Request, by: Mapping[str, str]) -> Request:
    """The request rewritten for the only day the styles know."""
    return msgspec.structs.replace(
        request,
        url=_replaced(request.url, by),
        params={name: _replaced(value, by) for name, value in request.params.items()},
        body=None if request.body is None else _replaced(request.body.decode(), by).encode(),
    )
