"""Detects an API that repeats pages, with a few checksums in memory however long a partition is. Pure."""

from __future__ import annotations

from option_a.ingest.errors import RepeatError
from option_a.ingest.manifest import Anchor, Load, Row, cursor_digest
from option_a.ingest.pagination import PageInfo


def check_repeat(load: Load, row: Row, told: PageInfo, advice: str, *, alike: bool = False) -> None:
    """A repeated page means the API loops: what follows would never end, or land twice.

    It is compared with its neighbours, with page 1, and with an anchor that moves to page 1, 2, 4, 8, …, so that a
    cycle of any length is found (Brent). Where pages may be `alike`, a repeated cursor still means a loop. Raises
    RepeatError; moves the anchor.
    """
    hint = f'the API repeats itself: {advice}, or, if pages may be alike, set repeats = "allow"'
    twin = None if alike else _twin(load, row)
    if twin is not None:
        raise RepeatError(f"page {row.page} repeats page {twin}", hint=hint)
    anchor = load.anchor
    if told.cursor is not None and (
        told.cursor == load.cursor or (anchor and cursor_digest(told.cursor) == anchor.cursor)
    ):
        raise RepeatError(f"page {row.page} leads to a page that was already requested", hint=advice)
    if row.page & (row.page - 1) == 0 and row.page > (anchor.page if anchor else 0):
        load.anchor = Anchor(row.page, row.checksum, None if told.cursor is None else cursor_digest(told.cursor))


def _twin(load: Load, row: Row) -> int | None:
    """A page already accounted for that holds the same records."""
    if not row.checksum:
        return None
    for other in (load.row(row.page - 1), load.row(row.page + 1)):
        if other is not None and other.checksum == row.checksum:
            return other.page
    if row.page != 1 and load.first == row.checksum:
        return 1
    anchor = load.anchor
    return anchor.page if anchor and anchor.page < row.page and anchor.checksum == row.checksum else None
