"""Which page may be requested next. The loader calls it under its lock."""

from __future__ import annotations

from option_a.ingest.errors import PaginationError
from option_a.ingest.manifest import Load

WINDOW = 1_000
"""How far ahead of the contiguous pages others may be requested: it bounds what the manifest holds."""


class PageSchedule:
    """The pages of one load that are in flight, and those that follow."""

    def __init__(self, load: Load, max_pages: int) -> None:
        self._load, self._max_pages = load, max_pages
        self._ahead = load.high_water_mark + 1
        self.in_flight: set[int] = set()

    def next_page(self) -> int | None:
        """The next page that may be requested now, if there is one."""
        load = self._load
        if load.at_end:
            return None
        if load.last is None:  # each page tells how the next one is requested
            return None if self.in_flight else load.high_water_mark + 1
        self._ahead = max(self._ahead, load.high_water_mark + 1)
        # pages land out of order, and a resumed load has gaps
        while self._ahead in self.in_flight or load.has(self._ahead):
            self._ahead += 1
        return self._ahead if self._ahead <= min(load.last, load.high_water_mark + WINDOW) else None

    def beyond_cap(self, page: int) -> PaginationError | None:
        """Why a page must not be requested: it, or the last page that the API declares, lies beyond `max_pages`."""
        cap, last = self._max_pages, self._load.last or 0
        if max(page, last) <= cap:
            return None
        what = f"the API declares {last} pages" if last > cap else f"no end after {cap} pages"
        return PaginationError(what, hint=f"is it endless? if not, raise max_pages (now {cap})")
