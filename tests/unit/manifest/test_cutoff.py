"""When a date is over, to the second."""

from __future__ import annotations

import datetime as dt

import pytest

from option_a.ingest.manifest.cutoff import is_open, loaded_too_early
from option_a.ingest.manifest.model import Load

DAY = dt.date(2023, 11, 14)
OVER = 1_700_006_400.0


@pytest.mark.parametrize(("over", "ends"), [(None, OVER), (OVER + 3_600.0, OVER + 3_600.0)])
def test_what_was_loaded_before_the_dates_last_second_was_over_is_too_early_from_that_second_on(
    over: float | None, ends: float
) -> None:
    early, late = (Load("r", "real", "", started, date_ends_at=over) for started in (ends - 1.0, ends))
    assert [is_open(early, DAY), is_open(late, DAY)] == [True, False]
    assert [loaded_too_early(early, DAY, now) for now in (ends - 1.0, ends)] == [False, True]
    assert not loaded_too_early(late, DAY, ends)
