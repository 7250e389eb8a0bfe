"""Which keys of a source cannot stand together, or cannot be as they are: a function for each rule. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from option_a.ingest.config.duration import interval, seconds
from option_a.ingest.config.secret_scanner import check_request
from option_a.ingest.config.statuses import check as check_statuses
from option_a.ingest.config.window import check_format
from option_a.ingest.headers import check_header
from option_a.ingest.partition import EARLIEST

if TYPE_CHECKING:
    from option_a.ingest.config.source import Source


def check_source(source: Source) -> None:
    """Raises ValueError for the first rule that a source breaks; the message names the keys."""
    _check_durations(source)
    check_statuses(source.statuses)
    _ = source.reading  # raises where `format`, `shape` and their like contradict each other
    check_format(source.date_format, "date_format", ("unix", "unix_ms"))
    check_request(source.method, source.headers, source.params, source.body)
    _check_slots_have_values(source)
    _check_window_is_sent(source)
    _check_position_can_be_sent(source)
    _check_cursor_lands(source)
    _check_total_may_be_an_estimate(source)
    _check_errors_end_no_partition(source)
    _check_dates(source)


def _check_durations(source: Source) -> None:
    with _naming("patience"):
        seconds(source.patience)
    with _naming("due"):
        seconds(source.due)
    if source.rate is not None:
        with _naming("rate"):
            interval(source.rate)


@contextmanager
def _naming(key: str) -> Iterator[None]:
    """Puts the key before what is wrong with its value."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"`{key}`: {error}") from None


def _check_slots_have_values(source: Source) -> None:
    """Each slot of the body is filled in by the date, the window or the pagination."""
    window = () if source.window is None else ("from", "to")
    for slot in sorted(source.slots - {"date", *window, *source.pagination.ask(1, None).slots}):
        why = "`window` is not declared" if slot in ("from", "to") else "it is not what `pagination` counts by"
        raise ValueError(f"`body` names {{{slot}}}, and {why}")


def _check_window_is_sent(source: Source) -> None:
    """Both ends of the window have a parameter, or a slot of the body."""
    if source.window is None:
        return
    for slot, param in (("from", source.window.first), ("to", source.window.last)):
        if param is None and slot not in source.slots:
            raise ValueError(f"`window` needs `{slot}`: the parameter, unless the body names {{{slot}}}")


def _check_position_can_be_sent(source: Source) -> None:
    """What asks for a page goes into a body only if there is one, and into a header only if it may be called so."""
    if source.pagination.sends_in_body and source.method == "GET":
        raise ValueError('pagination.send = "body" needs method = "POST"')
    if source.pagination.header_name is not None:
        check_header(source.pagination.header_name)


def _check_cursor_lands(source: Source) -> None:
    if source.fields is not None and source.pagination.cursor_field is not None:
        source.fields.check_cursor(source.pagination.cursor_field)


def _check_total_may_be_an_estimate(source: Source) -> None:
    if source.total != "exact" and source.pagination.total_is_end:
        raise ValueError(
            f'total = "{source.total}" needs pagination.stop: as it stands `total_records` is the end, and '
            'records beyond an estimate would be lost; set stop = "empty" (or "short", with `size`)'
        )


def _check_errors_end_no_partition(source: Source) -> None:
    if source.errors == "beside" and source.pagination.stops_short:
        raise ValueError(
            'errors = "beside" needs another pagination.stop than "short": a page that an error cut short would be '
            'the end; set stop = "empty"'
        )


def _check_dates(source: Source) -> None:
    if source.date_param is not None and source.window is not None:
        raise ValueError("`date_param` and `window` are mutually exclusive")
    if source.since is not None and source.since < EARLIEST:
        raise ValueError(f"`since` is too early: write {EARLIEST} or a later one")
    if not source.snapshot:
        return
    if source.since is not None:
        raise ValueError("`since` needs `date_param`: a source without dates has no past")
    if source.date_offset:
        raise ValueError("`date_offset` needs `date_param`")
    if source.lookback:
        raise ValueError("`lookback` needs `date_param`")
