"""Summaries of partitions that are named, however many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary_reader import read_summaries
from tests.support.inline_executor import InlineExecutor

FIRST = dt.date(2020, 1, 1)
DATES = [FIRST + dt.timedelta(days=n) for n in range(2_100)]


class Counting(InlineExecutor):
    """Knows the most that it was given at once."""

    most = 0

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **options: Any) -> Iterator[Any]:
        asked = [list(iterable) for iterable in iterables]
        self.most = max(self.most, *map(len, asked))
        return super().map(fn, *asked, **options)


def test_of_thousands_of_partitions_each_is_found_and_few_are_asked_for_at_once(tmp_path: Path) -> None:
    lake, readers = FolderLake(tmp_path), Counting(1)
    there = [Partition("s", date) for date in (DATES[0], DATES[1_000], DATES[-1])]
    for partition in there:
        lake.put(manifest_key(partition), b"no manifest")
    found = read_summaries(lake, (Partition("s", date) for date in DATES), readers)
    assert list(found) == there
    assert {summary.state for summary in found.values()} == {"failed"}
    assert readers.most == 1_000
