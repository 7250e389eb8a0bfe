"""Validates what a user requests: declared sources, dates that have begun, ordered ranges. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from option_a.ingest.config import Sources
from option_a.ingest.errors import InvalidRequest
from option_a.ingest.plan import latest_date


class DateRange(msgspec.Struct, frozen=True):
    """The dates from `first` to `last`, inclusive. Raises InvalidRequest if they are reversed."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise InvalidRequest(f"--from {self.first} is after --to {self.last}")


def resolve_sources(declared: Sources, names: Iterable[str]) -> list[str]:
    """The named sources without duplicates, or all declared ones. Raises InvalidRequest for an undeclared name."""
    requested = list(dict.fromkeys(names))
    for name in requested:
        if name not in declared:
            raise InvalidRequest(f"no source `{name}`; declared: {', '.join(declared)}")
    return requested or list(declared)


def reject_future(declared: Sources, date: dt.date, today: dt.date) -> None:
    """Raise InvalidRequest for a date that has not begun: an API would return nothing, or a forecast."""
    newest = max([today, *(latest_date(source, today) for source in declared.values())])
    if date > newest:
        raise InvalidRequest(f"{date} is in the future (it is {today}, UTC)")


def reject_snapshots(declared: Sources, names: Iterable[str]) -> None:
    """Raise InvalidRequest if one of these sources is a snapshot, which can be taken only today."""
    for name in names:
        if declared[name].snapshot:
            raise InvalidRequest(
                f"`{name}` has no date_param, so it is a snapshot with no past: a run without a date loads today's"
            )
