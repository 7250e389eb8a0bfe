"""A re-load tells which pages it changed; a day of another time zone is loaded again when it is over there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.manifest.model import PAGES_TOLD
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
Pages = list[list[dict[str, object]]]


def reloaded(root: Path, before: Pages, after: Pages) -> Pipeline:
    """A day that was complete, about to be loaded again."""
    now = {"pages": before}
    pipeline = Pipeline(root, lambda request: numbered_pages(now["pages"])(request))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    now["pages"] = after
    pipeline.send(NEXT, fresh=True)
    return pipeline


def changed(load: Pages, *pages: int) -> Pages:
    return [[{**r, "late": True} for r in page] if n in pages else page for n, page in enumerate(load, 1)]


@pytest.mark.parametrize(
    ("after", "pages"),
    [
        (make_pages(5), []),
        (changed(make_pages(5), 2, 5), [2, 5]),
        (make_pages(7), [6, 7]),
        (make_pages(3), [4, 5]),
        (changed(make_pages(4), 1), [1, 5]),
    ],
)
def test_the_pages_that_a_re_load_changed_are_told(after: Pages, pages: list[int], tmp_path: Path) -> None:
    pipeline = reloaded(tmp_path, make_pages(5), after)
    assert pipeline.drain() == ["complete"]
    load = pipeline.manifest().load
    assert (load.restated, load.restated_pages) == (len(pages), pages)
    assert pipeline.differences() == []


def test_of_many_the_first_hundred_are_told_and_all_are_counted(tmp_path: Path) -> None:
    count = PAGES_TOLD + 7
    pipeline = reloaded(tmp_path, make_pages(count), make_pages(count, word="b"))
    assert pipeline.drain() == ["complete"]
    load = pipeline.manifest().load
    assert (load.restated, load.restated_pages) == (count, list(range(1, PAGES_TOLD + 1)))


def test_a_promotion_that_died_half_way_tells_the_same(tmp_path: Path) -> None:
    after = changed(make_pages(5), 2, 3)
    whole = reloaded(tmp_path / "whole", make_pages(5), after)
    crash_point = CrashPoint()
    run_until_crash(whole, crash_point)
    for at in range(1, crash_point.calls + 1):
        pipeline = reloaded(tmp_path / str(at), make_pages(5), after)
        assert run_until_crash(pipeline, CrashPoint(at))
        pipeline.drain()
        assert pipeline.manifest().load.restated_pages == [2, 3], at


def at(moment: float) -> Callable[[Path], Pipeline]:
    """A pipeline of a source that counts its days by New York, at an epoch second."""

    def begin(root: Path) -> Pipeline:
        zoned = source(date_param=None, window={"from": "from", "to": "to", "zone": "America/New_York"})
        pipeline = Pipeline(root, numbered_pages(make_pages(2)), zoned)
        pipeline.clock.time = moment
        pipeline.send()
        assert pipeline.drain() == ["complete"]
        return pipeline

    return begin


MIDNIGHT = utc_date_end(DATE)
"""In UTC; in New York it is eight in the evening then, as summer time still holds."""


def test_a_day_that_is_over_in_utc_alone_is_loaded_again_when_it_is_over_there(tmp_path: Path) -> None:
    pipeline = at(MIDNIGHT + 3600)(tmp_path)
    assert dict(pipeline.requests[0].params) == {
        "from": "2023-11-01T00:00:00-04:00", "to": "2023-11-02T00:00:00-04:00", "page": "1",
    }  # fmt: skip
    pipeline.send(NEXT)
    assert pipeline.drain() == ["done"]
    pipeline.clock.time = MIDNIGHT + 4 * 3600
    pipeline.send("20231114T233000Z-c")
    assert pipeline.drain() == ["complete"]
    pipeline.send("20231114T234000Z-d")
    assert pipeline.drain() == ["done"]


def test_the_end_of_a_day_is_in_its_manifest_only_where_it_is_not_utcs(tmp_path: Path) -> None:
    pipeline = at(MIDNIGHT + 5 * 3600)(tmp_path)
    assert pipeline.manifest().load.date_ends_at == MIDNIGHT + 4 * 3600
    assert b'"over"' not in next(iter(reloaded(tmp_path / "utc", make_pages(1), []).objects("manifest").values()))
    assert dt.date(2023, 11, 1) == DATE
