"""Reads a day through after every call of the lake that may change it: it is never worse than it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.load.worker import Worker
from tests.support.pipeline import Pipeline


class Watched(Lake):
    """A lake that lets somebody look after each change."""

    def __init__(self, lake: Lake, look: Callable[[], None]) -> None:
        self.name = lake.name
        self._lake, self._look = lake, look

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._lake.read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return self._lake.entries(prefix)

    def put(self, key: str, data: bytes) -> None:
        self._lake.put(key, data)
        self._look()

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        new = self._lake.compare_and_swap(key, data, tag)
        self._look()
        return new

    def copy(self, source: str, target: str) -> None:
        self._lake.copy(source, target)
        self._look()

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._lake.unchanged(key, tag) as still:
            yield still

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._lake.delete([key])
            self._look()


class Witness:
    """Of a complete day that is loaded again: the old one stands until the promotion, the new one after it.

    In between each page is the old one or the new one, and none is missing that both have.
    """

    def __init__(self, pipeline: Pipeline, new: dict[str, bytes]) -> None:
        self.pipeline, self.old, self.new, self.looks = pipeline, pipeline.objects("raw"), new, 0
        readable = pipeline.manifest().readable
        assert readable is not None
        self._run = readable.run
        pipeline.world = msgspec.structs.replace(pipeline.world, lake=Watched(pipeline.lake, self.look))
        pipeline.worker = Worker(pipeline.world, pipeline.sources)

    def look(self) -> None:
        """Read it through."""
        self.looks += 1
        manifest, now = self.pipeline.manifest(), self.pipeline.objects("raw")
        if manifest.state == "promoting":
            for key in now.keys() | self.old.keys() | self.new.keys():
                assert now.get(key) in (self.old.get(key), self.new.get(key)), key
            return
        assert manifest.readable is not None
        assert now == (self.old if manifest.readable.run == self._run else self.new)
