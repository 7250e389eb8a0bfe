"""An API of every way to find the end, whose days change between two trials; it knows all that it ever said of them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection, Sequence

from tests.support.apis.paged_api import Answer, Asked

WORKER = "WORKER"
"""The environment variable by which a process tells the API who asks."""
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
RECORDS = 3
LONGEST = 9


def declared(url: str) -> str:
    """The sources as sources.toml has them."""
    return "".join(_TABLE.format(name=n, url=url, style=style, worker=WORKER) for n, style in _STYLES.items())


class Changing:
    """Its days by source and date. Every version of a day says of each page which version wrote it."""

    def __init__(self, days: Sequence[str], rng: random.Random, *, seconds: float) -> None:
        self.url, self._rng, self._seconds = "", rng, seconds
        self._versions: dict[tuple[str, str], list[list[int]]] = {(name, day): [] for name in NAMES for day in days}
        self.change()

    def change(self) -> None:
        """Every day gets longer, shorter, or stays as long; some of its pages are the ones it had."""
        for versions in self._versions.values():
            now, before = len(versions), versions[-1] if versions else []
            length = self._rng.choice([0, len(before), *range(1, LONGEST + 1)])
            pages = [now] * length
            for page, writer in enumerate(before[:length]):
                pages[page] = self._rng.choice([now, writer])
            versions.append(pages)

    def lengthen(self, name: str, day: str, pages: int) -> None:
        """A version of a day that has so many pages, all of them new."""
        versions = self._versions[name, day]
        versions.append([len(versions)] * pages)

    def __call__(self, asked: Asked) -> Answer:
        time.sleep(self._seconds)
        day, page = asked.query["date"], asked.page
        pages = self._versions[asked.name, day][-1]
        more = page < len(pages)
        records = self._records(asked.name, day, page, pages[page - 1]) if page <= len(pages) else []
        body = b'{"data":[%s],"pages":%d,"next":%s}' % (
            b",".join(records), len(pages), json.dumps(str(page + 1) if more else None).encode(),
        )  # fmt: skip
        link = f'<{self.url}/{asked.name}?date={day}&page={page + 1}>; rel="next"'
        return Answer(body, headers={"Link": link} if more and asked.name == "linked" else {})

    def lines(self, name: str, day: str, version: int = -1) -> list[bytes]:
        """What it says of a day, now or in an earlier version."""
        pages = self._versions[name, day][version]
        return [record for page, writer in enumerate(pages, 1) for record in self._records(name, day, page, writer)]

    def versions(self, name: str, day: str) -> Sequence[object]:
        """All that a day ever was."""
        return self._versions[name, day]

    def ever(self, name: str, day: str, page: int) -> Collection[bytes]:
        """Every text that a page was ever sent with."""
        writers = {pages[page - 1] for pages in self._versions[name, day] if page <= len(pages)}
        return {b"\n".join([*self._records(name, day, page, writer), b""]) for writer in writers}

    @staticmethod
    def _records(name: str, day: str, page: int, writer: int) -> list[bytes]:
        return [b'{"id":"%s %s %d %d %d"}' % (name.encode(), day.encode(), page, n, writer) for n in range(RECORDS)]
