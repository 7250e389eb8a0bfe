"""The APIs of a trial: of every style, with days that grow and are restated, that are down, and that refuse."""

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
from tests.support.apis.pagination_styles import DAY, SIZE, STYLES, URL, Pages, Served
from tests.support.pipeline import Api

SECRET = b"t0p-s3cret-t0ken"
BASES = {"real": URL, "moved": "https://api.test/moved", "mock": "mock://s"}
"""Where a source may be declared to be: what is there is never the same."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_HTML = b"<html>Please sign in again, you sent " + SECRET + b"</html>"


def lines_of(records: list[dict[str, object]]) -> bytes:
    """A page as it is to land."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def _as_lines(pages: Pages) -> Api:
    """Pages by number, each of them JSON Lines."""

    def api(request: Request) -> Response:
        n = int(request.params["page"])
        return Response(200, {}, lines_of(pages[n - 1]) if n <= len(pages) else b"")

    return api


SERVED = {**STYLES, "page of lines": Served({"format": "ndjson", "pagination": {"style": "page"}}, _as_lines)}


class Version(msgspec.Struct):
    """What an API holds for a partition from a moment on: its pages as they are to land, empty ones included."""

    number: int
    since: float
    lines: list[bytes]
    serve: Api


class Spot(msgspec.Struct, frozen=True):
    """Where a page that was sent belongs."""

    base: str
    version: int
    page: int


class Refusal(msgspec.Struct, frozen=True):
    """What a partition is answered for a while, whatever is asked: a status, or 200 and a page to sign in."""

    status: int
    until: float


class Outage(msgspec.Struct, frozen=True):
    """When a source is down, and how long it asks to be left alone."""

    first: float
    last: float
    wish: float | None
    what: str = "the API answered 503"


class Apis:
    """Every API of a trial, and what each of them ever held."""

    def __init__(self, rng: Random, styles: Mapping[str, str]) -> None:
        self._rng = rng
        self._styles: dict[str, Served] = {name: SERVED[style] for name, style in styles.items()}
        self.held: dict[tuple[str, Partition], list[Version]] = {}
        self.spots: dict[Partition, dict[bytes, Spot]] = {}
        self.refusals: dict[Partition, Refusal] = {}
        self.outages: dict[str, list[Outage]] = {}
        self.asked: dict[str, list[float]] = {}
        """When each source was asked for something."""

    def current(self, base: str, partition: Partition) -> Version:
        """What is there now; drawn when it is first asked for."""
        key = (base, partition)
        return self.held[key][-1] if key in self.held else self.restate(base, partition, 0.0)

    def restate(self, base: str, partition: Partition, since: float) -> Version:
        """From now on the partition holds something else."""
        served = self._styles[partition.source]
        versions = self.held.setdefault((base, partition), [])
        number = len(versions) + 1
        pages = self._pages(served, f"{base}.{number}")
        landed = [[record for page in pages for record in page]] if served.even == 100 else pages
        version = Version(number, since, [lines_of(page) for page in landed], served.serve(pages))
        versions.append(version)
        spots = self.spots.setdefault(partition, {})
        spots |= {lines: Spot(base, number, n) for n, lines in enumerate(version.lines, 1) if lines}
        return version

    def between(self, base: str, partition: Partition, first: float, last: float) -> list[Version]:
        """What the partition held at some time of a span."""
        every = self.held[base, partition]
        ends = [version.since for version in every[1:]] + [last + 1.0]
        return [version for version, end in zip(every, ends, strict=True) if end >= first and version.since <= last]

    def down(self, source: str, now: float) -> Outage | None:
        """The outage of a source that lasts now."""
        return next((outage for outage in self.outages.get(source, ()) if outage.first <= now < outage.last), None)

    def answer(self, request: Request, now: float) -> Response:
        """What the API says. Raises TransientError in an outage, HttpError for what it refuses."""
        base, date = _base(request.url), _date(request)
        outage = self.down(request.source, now)
        if outage is not None and base != "mock":
            raise TransientError(outage.what, retry_after=outage.wish)
        partition = Partition(request.source, dt.date.fromisoformat(date))
        refusal = self.refusals.get(partition)
        if refusal is not None and now < refusal.until:
            if refusal.status != 200:
                raise HttpError(f"the API answered {refusal.status}", status=refusal.status)
            return Response(200, {}, _HTML, redact=lambda data: data.replace(SECRET, b"***"))
        found = self.current(base, partition).serve(_spelt(request, {BASES[base]: URL, date: DAY}))
        assert isinstance(found, Response)
        there = {URL: BASES[base], DAY: date}
        headers = {name: _replaced(value, there) for name, value in found.headers.items()}
        return Response(200, headers, _replaced(found.body.decode(), there).encode())

    def _pages(self, served: Served, word: str) -> Pages:
        count = self._rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 7))
        sizes = [served.even if served.even == SIZE else self._rng.randint(1, 3) for _ in range(count)]
        if sizes:
            sizes[-1] = self._rng.randint(1, SIZE)
        if served.gaps and count > 2 and self._rng.random() < 0.3:
            sizes[self._rng.randrange(1, count - 1)] = 0
        return [[{"id": f"{word}.{n}.{i}"} for i in range(size)] for n, size in enumerate(sizes, 1)]


def base_of(source: Source) -> str:
    """Where a source is declared to be."""
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
    """The request as if it were for the one day that the styles know."""
    return msgspec.structs.replace(
        request,
        url=_replaced(request.url, by),
        params={name: _replaced(value, by) for name, value in request.params.items()},
        body=None if request.body is None else _replaced(request.body.decode(), by).encode(),
    )
