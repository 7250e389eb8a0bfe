"""The manifest: a partition's record of what landed. Structures and their pure transitions; `store` keeps them."""

from __future__ import annotations

import bisect
import datetime as dt
from typing import Literal

import msgspec

from option_a.ingest.errors import ManifestError
from option_a.ingest.jsontext import UNDECODABLE
from option_a.ingest.manifest.rows import SEGMENT, Row, checksum
from option_a.ingest.pagination import Cursor, PageInfo
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause

State = Literal["loading", "promoting", "complete", "failed"]
Origin = Literal["mock", "real"]

ATTEMPTS_KEPT = 50
_DIGEST = "sha256:"
PAGES_TOLD = 100  # pages that differ whose numbers the manifest keeps


def cursor_digest(cursor: Cursor) -> str:
    """A cursor in a form that can be compared and not read."""
    return _DIGEST + checksum(msgspec.json.encode(cursor))


class Anchor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page that later ones are compared with: moved to page 1, 2, 4, 8, …, it meets every cycle (Brent)."""

    page: int
    checksum: str
    cursor: Cursor | None = None
    """A digest of the cursor that the page returned: the cursor itself may be a secret."""

    def __post_init__(self) -> None:  # the manifests of earlier versions hold the cursor itself
        if self.cursor is not None and not str(self.cursor).startswith(_DIGEST):
            msgspec.structs.force_setattr(self, "cursor", cursor_digest(self.cursor))


class LeaseRecord(msgspec.Struct, frozen=True):
    """Which delivery holds the partition, until which epoch second, and the steps that were done when it began."""

    holder: str
    expires: float
    steps: int


class Attempt(msgspec.Struct, omit_defaults=True):
    """What one delivery did, for `option-a logs`."""

    run: str
    started: float
    receives: int
    answered_before: int
    outcome: str = "died"
    ended: float | None = None
    answered: int = 0
    message: str = ""


class Load(msgspec.Struct, omit_defaults=True):
    """One load of the partition, finished or not. Pages 1 to `high_water_mark` have landed."""

    run: str
    origin: Origin
    shape: str
    started: float
    begun_by: str = ""
    """The run that began it: an adopted load keeps its staging prefix."""
    number: int = 1
    """The n-th load of the partition: none overwrites the segments of another."""
    staged: bool = False
    snapshot: bool = False
    finished: float | None = None
    restarts: int = 0
    refusals: int = 0
    """How often the API refused the cursor of an earlier delivery, and the load restarted."""
    date_ends_at: float | None = msgspec.field(default=None, name="over")
    """The epoch second at which its date ends, where the source's days are not UTC's."""
    stalls: int = 0
    high_water_mark: int = msgspec.field(default=0, name="mark")
    rows: list[Row] = []
    segments: int = 0
    pages: int = 0
    empty: int = 0
    records: int = 0
    bytes: int = 0
    last: int | None = None
    last_told_by: int = 0
    total: int | None = None
    cursor: Cursor | None = None
    may_be_last: bool = msgspec.field(default=False, name="doubt")
    """Page 1 was short: page 2 tells whether it is the last."""
    path: str | None = None
    """Where page 1 had its records: later pages must have theirs there too. For CSV see `DecodedBody.path`."""
    first: str = ""
    anchor: Anchor | None = None
    promoted: int = 0
    """Pages 1 to `promoted` are under raw/: a promotion goes on behind them."""
    restated: int = 0
    """Pages that differ from the load that this one replaced, as a count."""
    restated_pages: list[int] = []

    @property
    def answered(self) -> int:
        """Responses accounted for, empty ones included."""
        return self.pages + self.empty

    @property
    def steps(self) -> int:
        """Grows with every step of a load: answers, then promoted pages."""
        return self.answered + self.promoted

    @property
    def at_end(self) -> bool:
        """Whether an explicit end was met, and every page before it has landed."""
        return self.last is not None and self.high_water_mark >= self.last

    def restate(self, pages: list[int]) -> None:
        """Record pages that differ from the load that this one replaces."""
        self.restated += len(pages)
        self.restated_pages = [*self.restated_pages, *pages][:PAGES_TOLD]

    def has(self, page: int) -> bool:
        """Whether page n is accounted for."""
        return page <= self.high_water_mark or self._find(page) is not None

    def row(self, page: int) -> Row | None:
        """The row of page n, if the manifest itself holds it (not a segment)."""
        index = self._find(page)
        return None if index is None else self.rows[index]

    def land(self, row: Row) -> None:
        """Account for a page."""
        bisect.insort(self.rows, row)
        self.pages += 1 if row.records else 0
        self.empty += 0 if row.records else 1
        self.records += row.records
        self.bytes += row.size
        if row.page == 1:
            self.first = row.checksum
        base = self.segments * SEGMENT
        mark = self.high_water_mark
        while mark - base < len(self.rows) and self.rows[mark - base].page == mark + 1:
            mark += 1
        self.high_water_mark = mark

    def apply_page_info(self, page: int, info: PageInfo) -> None:
        """Take over what a page declares. The highest page wins."""
        if page < self.last_told_by:  # parallel answers arrive in any order, and totals change
            return
        if info.last is not None or info.total is not None:
            self.last_told_by = page
        self.last = info.last if info.last is not None else self.last
        self.total = info.total if info.total is not None else self.total
        self.cursor = info.cursor
        self.may_be_last = info.may_be_last

    def _find(self, page: int) -> int | None:
        index = bisect.bisect_left(self.rows, page, key=lambda row: row.page)
        return index if index < len(self.rows) and self.rows[index].page == page else None


class Manifest(msgspec.Struct, omit_defaults=True):
    """The manifest of one partition. `previous_load` stays readable while `load` reloads the partition."""

    source: str
    date: dt.date
    state: State
    load: Load
    previous_load: Load | None = msgspec.field(default=None, name="landed")
    lease: LeaseRecord | None = msgspec.field(default=None, name="claim")
    cause: Cause | None = None
    attempts: list[Attempt] = []
    version: int = 1

    @property
    def partition(self) -> Partition:
        return Partition(self.source, self.date)

    @property
    def readable(self) -> Load | None:
        """The complete load whose pages are under raw/, if there is one."""
        return self.load if self.state == "complete" else self.previous_load

    def is_leased(self, now: float) -> bool:
        """Whether a worker holds the partition."""
        return self.lease is not None and self.lease.expires > now

    def begin_attempt(self, attempt: Attempt) -> None:
        """Record that a delivery began; only the last ATTEMPTS_KEPT are kept."""
        self.attempts = [*self.attempts, attempt][-ATTEMPTS_KEPT:]

    def end_attempt(self, outcome: str, now: float, message: str = "") -> None:
        """Record how the current delivery ended."""
        if self.attempts and self.attempts[-1].ended is None:
            last = self.attempts[-1]
            last.outcome, last.ended, last.message = outcome, now, message
            last.answered = self.load.answered


_MANIFEST = msgspec.json.Decoder(Manifest)  # made in threads, msgspec crashes


def encode(manifest: Manifest) -> bytes:
    """The manifest as it is stored: JSON."""
    return msgspec.json.encode(manifest)


def decode(data: bytes, key: str) -> Manifest:
    """A stored manifest. Raises ManifestError: nothing is loaded over a manifest that cannot be read."""
    try:
        manifest = _MANIFEST.decode(data)
    except UNDECODABLE as error:
        hint = "restore the object from a backup, or delete it to load the partition again"
        raise ManifestError(f"the manifest {key} cannot be read: {error}", hint=hint) from None
    if manifest.version != 1:
        raise ManifestError(f"the manifest {key} is of version {manifest.version}", hint="upgrade option-a")
    return manifest
