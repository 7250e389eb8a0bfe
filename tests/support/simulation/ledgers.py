"""What a ledger may become in one step, and what of its pages can be told from their keys and checksums. Pure."""

from __future__ import annotations

import msgspec

from option_a.ingest.lake.keys import raw_prefix, staging_prefix
from option_a.ingest.manifest.model import Load, Manifest
from option_a.ingest.partition import Partition
from tests.support.simulation.api import Spot, Version

FORWARD = ("high_water_mark", "records", "promoted", "pages", "empty")


def check_step(old: Manifest, new: Manifest) -> None:
    """Nothing that was accounted for is forgotten, and a complete day stays until the one that follows it is whole."""
    assert new.load.run >= old.load.run, f"{new.load.run} replaces {old.load.run}"
    assert new.load.number >= old.load.number
    if new.load.number == old.load.number:
        back = [field for field in FORWARD if getattr(new.load, field) < getattr(old.load, field)]
        assert not back, f"{back} go back"
        assert new.load.begun_by == old.load.begun_by
        assert (new.load.origin, new.load.shape) == (old.load.origin, old.load.shape)
    if old.readable is not None and old.state != "promoting" and new.state in ("loading", "failed", "promoting"):
        assert new.previous_load is not None, f"the complete day is forgotten: {new}"
        assert new.previous_load.rows == old.readable.rows
    if new.state == "complete" and old.state != "complete":
        assert new.load.staged == (old.state == "promoting")


def whole(held: list[Version], spots: list[Spot]) -> bool:
    """Whether the pages are all those of the version; where it changed meanwhile, at least pages of one of them."""
    pages = [{n for n, lines in enumerate(version.lines, 1) if lines} for version in held]
    found = {spot.page for spot in spots}
    return found == pages[0] if len(held) == 1 else found <= set().union(*pages)


def partition_of(key: str) -> Partition:
    source, date = key.split("/")[-3:-1]
    return msgspec.convert({"source": source.partition("=")[2], "date": date.partition("=")[2]}, Partition)


def prefix_of(manifest: Manifest) -> str:
    load = manifest.load
    if load.staged and manifest.state != "complete":
        return staging_prefix(manifest.partition, load.begun_by)
    return raw_prefix(manifest.partition)


def checksum_of(load: Load, page: int) -> str | None:
    """The checksum of a page; None where it holds no object."""
    row = load.row(page)
    return row.checksum if row is not None and row.records else None
