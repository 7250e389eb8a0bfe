"""An API whose days change between runs and which remembers every version, for kill, soak and write-order tests.

Its four sources find the last page in four ways: a total, an empty page, a cursor, a Link header.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection, Sequence

from tests.support.apis.page_server import ApiRequest, ApiResponse

WORKER_VARIABLE = "WORKER"
"""The environment variable whose value a process sends along, so that the API knows which one asks."""
_STYLES = {
    "told": '{ style = "page", total_pages = "pages" }',
    "found": '{ style = "page", stop = "empty" }',
    "chain": '{ style = "cursor", path = "next", param = "page" }',
    "linked": '{ style = "link" }',
}
_TABLE = """
[sources.{name}]
url = "{url}/{name}"
date_param = "date"
parallel = 3
params = {{ worker = "env:{worker}" }}
pagination = {style}
"""
NAMES = tuple(_STYLES)
RECORDS_PER_PAGE = 3
MAX_PAGES = 9


def sources_toml(url: str) -> str:
    """The sources.toml that declares them."""
    return "".join(_TABLE.format(name=n, url=url, style=style, worker=WORKER_VARIABLE) for n, style in _STYLES.items())


class ChangingApi:
    """Days by source and date. A version of a day lists, per page, the version that last changed the page."""

    def __init__(self, days: Sequence[str], rng: random.Random, *, seconds: float) -> None:
        self.url, self._rng, self._seconds = "", rng, seconds
        self._versions: dict[tuple[str, str], list[list[int]]] = {(name, day): [] for name in NAMES for day in days}
        self.add_versions()

    def add_versions(self) -> None:
        """Make every day longer, shorter or as long as before; some pages keep their content."""
        for versions in self._versions.values():
            now, before = len(versions), versions[-1] if versions else []
            length = self._rng.choice([0, len(before), *range(1, MAX_PAGES + 1)])
            pages = [now] * length
            for page, writer in enumerate(before[:length]):
                pages[page] = self._rng.choice([now, writer])
            versions.append(pages)

    def add_long_version(self, name: str, day: str, pages: int) -> None:
        """Add a version of a day that has this many pages, all of them new."""
        versions = self._versions[name, day]
        versions.append([len(versions)] * pages)

    def __call__(self, asked: ApiRequest) -> ApiResponse:
        time.sleep(self._seconds)
        day, page = asked.query["date"], asked.page
        pages = self._versions[asked.name, day][-1]
        more = page < len(pages)
        records = self._records(asked.name, day, page, pages[page - 1]) if page <= len(pages) else []
        body = b'{"data":[%s],"pages":%d,"next":%s}' % (
            b",".join(records), len(pages), json.dumps(str(page + 1) if more else None).encode(),
        )  # fmt: skip
        link = f'<{self.url}/{asked.name}?date={day}&page={page + 1}>; rel="next"'
        return ApiResponse(body, headers={"Link": link} if more and asked.name == "linked" else {})

    def lines(self, name: str, day: str, version: int = -1) -> list[bytes]:
        """The records of a day, now or in an earlier version."""
        pages = self._versions[name, day][version]
        return [record for page, writer in enumerate(pages, 1) for record in self._records(name, day, page, writer)]

    def versions(self, name: str, day: str) -> Sequence[object]:
        """Every version of a day."""
        return self._versions[name, day]

    def bytes_ever_sent(self, name: str, day: str, page: int) -> Collection[bytes]:
        """Every content that a page was ever sent with."""
        writers = {pages[page - 1] for pages in self._versions[name, day] if page <= len(pages)}
        return {b"\n".join([*self._records(name, day, page, writer), b""]) for writer in writers}

    @staticmethod
    def _records(name: str, day: str, page: int, writer: int) -> list[bytes]:
        return [
            b'{"id":"%s %s %d %d %d"}' % (name.encode(), day.encode(), page, n, writer) for n in range(RECORDS_PER_PAGE)
        ]
