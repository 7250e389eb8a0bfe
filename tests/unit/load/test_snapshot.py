"""Until when a source without dates may be asked for a day."""

from __future__ import annotations

import datetime as dt

import pytest

from option_a.ingest.errors import SnapshotError
from option_a.ingest.load.snapshot import check_day
from option_a.ingest.manifest.model import Load
from tests.support.pipeline import source

DAY = dt.date(2023, 11, 14)
OVER = 1_700_006_400.0
HOUR = 3_600.0


@pytest.mark.parametrize(
    ("begun", "now", "taken"),
    [
        (OVER - 1, OVER - 1, True),
        (OVER - 1, OVER + HOUR - 2, True),
        (OVER - 1, OVER + HOUR - 1, False),
        (OVER - 5 * HOUR, OVER - 1, True),
        (OVER - 5 * HOUR, OVER, False),
        (OVER, OVER, False),
        (OVER + 9, OVER + 9, False),
    ],
)
def test_a_load_that_was_begun_on_its_day_may_end_within_patience_and_none_is_begun_later(
    begun: float, now: float, taken: bool
) -> None:
    asked, load = source(date_param=None, patience="1h"), Load("r", "real", "", begun)
    if taken:
        check_day(asked, DAY, load, now)
        return
    with pytest.raises(SnapshotError, match="2023-11-14 can no longer be taken") as caught:
        check_day(asked, DAY, load, now)
    assert caught.value.hint == "option-a run takes today's snapshot"


def test_a_dated_source_is_asked_for_any_day() -> None:
    check_day(source(), DAY, Load("r", "real", "", OVER + HOUR), OVER + 99 * HOUR)
