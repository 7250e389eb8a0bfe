"""Crashes a pipeline once or several times and compares its end state with an undisturbed run, for crash tests."""

from __future__ import annotations

from collections import Counter

import msgspec

from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import CrashPoint, assert_only_whole_pages, run_until_crash
from tests.support.pipeline import Pipeline

EndState = dict[str, object]


class CrashTrial:
    """A pipeline to crash, and the same one undisturbed to compare with."""

    def __init__(self, pipeline: Pipeline, undisturbed: Pipeline) -> None:
        self.pipeline, self.undisturbed = pipeline, undisturbed
        self.allowed = 0
        """Pages that may be requested again: those no manifest knew at a crash."""
        self._before = pipeline.objects("raw")
        self._had_complete_day = _has_unpromoted_day(pipeline)

    def crash(self, crash_point: CrashPoint) -> bool:
        """Work until this crash; whether it came. Checks what it left in the lake."""
        died = run_until_crash(self.pipeline, crash_point)
        self.allowed += crash_point.uncheckpointed if died else 0
        if self.pipeline.objects("manifest"):
            self._check_lake()
        return died

    def finish(self, expected: EndState) -> None:
        """Finish with fresh processes, and compare."""
        self.pipeline.drain(1_000)
        assert end_state(self.pipeline) == expected
        assert self.pipeline.differences() == []

    @property
    def excess_fetches(self) -> int:
        """Pages fetched again beyond those since the last checkpoint or in flight."""
        again = fetch_counts(self.pipeline) - fetch_counts(self.undisturbed)
        return max(0, again.total() - self.allowed)

    def _check_lake(self) -> None:
        """Only complete pages, and until promotion every byte of a day that was complete."""
        assert_only_whole_pages(self.pipeline)
        if self.pipeline.manifest().state not in ("loading", "failed"):
            return
        if self._had_complete_day:
            assert self.pipeline.objects("raw") == self._before
            assert self.pipeline.manifest().readable is not None
        assert self.pipeline.manifest().readable is None or self.pipeline.differences() == []


def _has_unpromoted_day(pipeline: Pipeline) -> bool:
    """Whether there is a complete day that no promotion has touched."""
    if not pipeline.objects("manifest"):
        return False
    manifest = pipeline.manifest()
    return manifest.readable is not None and manifest.state != "promoting"


def fetch_counts(pipeline: Pipeline) -> Counter[bytes]:
    """How often each page was fetched; error pages in HTML do not count."""
    return Counter(_asked(request) for request, response in pipeline.answers if not response.body.startswith(b"<"))


def _asked(request: Request) -> bytes:
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    return msgspec.json.encode(
        [request.url, sorted(request.params.items()), str(request.body), sorted(headers.items())]
    )


def end_state(pipeline: Pipeline) -> EndState:
    """Everything that must be the same whatever happened on the way."""
    manifest = pipeline.manifest()
    load = manifest.load
    rows = list(ManifestStore(pipeline.lake, manifest.partition).rows(load))
    assert manifest.state == "failed" or not pipeline.objects("staging")
    whole = msgspec.structs.replace(load, started=0.0, finished=None, rows=rows, stalls=0)
    letters = {(letter.cause.kind, letter.task and letter.task.run) for letter in pipeline.queue.dead}
    return {
        "lake": pipeline.objects("raw", "dead"),
        "manifests": sorted(pipeline.objects("manifest")),
        "state": (
            manifest.state,
            manifest.cause and manifest.cause.kind,
            manifest.lease,
            manifest.previous_load is None,
        ),
        "load": whole,
        "dead": letters,
        "queued": pipeline.queue.tasks(),
    }
