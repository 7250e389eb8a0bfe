"""Pure checks of manifests for the simulation: what one may become in one step, and where its pages are."""

from __future__ import annotations

import msgspec

from option_a.ingest.lake.keys import raw_prefix, staging_prefix
from option_a.ingest.manifest.model import Load, Manifest
from option_a.ingest.partition import Partition
from tests.support.simulation.apis import ApiVersion, PageOrigin

FORWARD = ("high_water_mark", "records", "promoted", "pages", "empty")


def check_step(old: Manifest, new: Manifest) -> None:
    """No recorded page is forgotten, and a complete day stays until the next load is complete."""
    assert new.load.run >= old.load.run, f"{new.load.run} replaces {old.load.run}"
    assert new.load.number >= old.load.number
    if new.load.number == old.load.number:
        back = [field for field in FORWARD if getattr(new.load, field) < getattr(old.load, field)]
        assert not back, f"{back} went backwards"
        assert new.load.begun_by == old.load.begun_by
        assert (new.load.origin, new.load.shape) == (old.load.origin, old.load.shape)
    if old.readable is not None and old.state != "promoting" and new.state in ("loading", "failed", "promoting"):
        assert new.previous_load is not None, f"the complete day is forgotten: {new}"
        assert new.previous_load.rows == old.readable.rows
    if new.state == "complete" and old.state != "complete":
        assert new.load.staged == (old.state == "promoting")


def is_whole(held: list[ApiVersion], origins: list[PageOrigin]) -> bool:
    """Whether these are all pages of the version, or, if it changed meanwhile, pages of any of the versions."""
    pages = [{n for n, lines in enumerate(version.lines, 1) if lines} for version in held]
    found = {origin.page for origin in origins}
    return found == pages[0] if len(held) == 1 else found <= set().union(*pages)


def partition_of(key: str) -> Partition:
    """The partition of a page's key."""
    source, date = key.split("/")[-3:-1]
    return msgspec.convert({"source": source.partition("=")[2], "date": date.partition("=")[2]}, Partition)


def prefix_of(manifest: Manifest) -> str:
    """The prefix under which the pages of a manifest's load are."""
    load = manifest.load
    if load.staged and manifest.state != "complete":
        return staging_prefix(manifest.partition, load.begun_by)
    return raw_prefix(manifest.partition)


def checksum_of(load: Load, page: int) -> str | None:
    """The checksum of a page; None if it has no object."""
    row = load.row(page)
    return row.checksum if row is not None and row.records else None
