"""Compares what landed with what the API declares. Pure."""

from __future__ import annotations

from typing import Literal

from option_a.ingest.errors import TotalError
from option_a.ingest.manifest import Load


def reconcile(load: Load, rule: Literal["exact", "at_least", "ignore"]) -> None:
    """Raise TotalError where the last response declares other pages or another total than what landed."""
    # the last pages are in the manifest itself, so no segment has to be read
    beyond = [row.page for row in load.rows if row.page > (load.last or 0) and row.records]
    if beyond:
        what = f"the API now declares {load.last} pages, and page {beyond[0]} had records"
        raise TotalError(what, hint="were records deleted meanwhile? option-a redrive reloads it")
    if load.total is None or rule == "ignore" or load.records == load.total:
        return
    if rule == "at_least" and load.records > load.total:
        return
    hint = (
        'if the total is an estimate, set total = "at_least" or "ignore", and pagination.stop where the total is '
        "the end; a page size that is capped loses records"
    )
    raise TotalError(f"{load.records} records landed, the API declares {load.total}", hint=hint)
