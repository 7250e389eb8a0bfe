"""Reads a day after every change to the lake while it is loaded again: it must never get worse, for re-run tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from option_a.ingest.lake.base import Entry, Lake
from tests.support.pipeline import Pipeline


class ObservedLake(Lake):
    """A lake that calls back after each change."""

    def __init__(self, lake: Lake, check: Callable[[], None]) -> None:
        self.name = lake.name
        self._lake, self._on_change = lake, check

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._lake.read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return self._lake.entries(prefix)

    def put(self, key: str, data: bytes) -> None:
        self._lake.put(key, data)
        self._on_change()

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        new = self._lake.compare_and_swap(key, data, tag)
        self._on_change()
        return new

    def copy(self, source: str, target: str) -> None:
        self._lake.copy(source, target)
        self._on_change()

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._lake.unchanged(key, tag) as still:
            yield still

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._lake.delete([key])
            self._on_change()


class ReloadChecker:
    """Checks the reload of a complete day: the old day stays until promotion, the new one is there after it.

    During promotion each page is the old or the new one, and none is missing that both have.
    """

    def __init__(self, pipeline: Pipeline, new: dict[str, bytes]) -> None:
        self.pipeline, self.old, self.new, self.checks = pipeline, pipeline.objects("raw"), new, 0
        readable = pipeline.manifest().readable
        assert readable is not None
        self._run = readable.run
        pipeline.replace_services(lake=ObservedLake(pipeline.lake, self.check))

    def check(self) -> None:
        """Read the whole day and compare."""
        self.checks += 1
        manifest, now = self.pipeline.manifest(), self.pipeline.objects("raw")
        if manifest.state == "promoting":
            for key in now.keys() | self.old.keys() | self.new.keys():
                assert now.get(key) in (self.old.get(key), self.new.get(key)), key
            return
        assert manifest.readable is not None
        assert now == (self.old if manifest.readable.run == self._run else self.new)
