"""One death, or several: what must be true at each of them, and what must be the same in the end."""

from __future__ import annotations

from collections import Counter

import msgspec

from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import Doom, assert_only_whole_pages, live_until
from tests.support.pipeline import Pipeline

Result = dict[str, object]


class Trial:
    """Kills the process of a pipeline, and compares what its followers leave with an undisturbed run."""

    def __init__(self, pipeline: Pipeline, undisturbed: Pipeline) -> None:
        self.pipeline, self.undisturbed = pipeline, undisturbed
        self.allowed = 0
        """Pages that may be asked for once more: those that no manifest knew at a death."""
        self._before = pipeline.objects("raw")
        self._stands = _stands(pipeline)

    def die(self, doom: Doom) -> bool:
        """Work until that death; whether it came. What stands then is checked."""
        died = live_until(self.pipeline, doom)
        self.allowed += doom.unrecorded if died else 0
        if self.pipeline.objects("manifest"):
            self._check_what_stands()
        return died

    def end(self, expected: Result) -> None:
        """Let others finish, and compare."""
        self.pipeline.drain(1_000)
        assert result(self.pipeline) == expected
        assert self.pipeline.differences() == []

    @property
    def beyond(self) -> int:
        """Pages fetched again beyond those since the last checkpoint and those in flight."""
        again = fetched(self.pipeline) - fetched(self.undisturbed)
        return max(0, again.total() - self.allowed)

    def _check_what_stands(self) -> None:
        """What a death may leave: whole pages alone, and of a complete day, until promotion, every byte."""
        assert_only_whole_pages(self.pipeline)
        if self.pipeline.manifest().state not in ("loading", "failed"):
            return
        if self._stands:
            assert self.pipeline.objects("raw") == self._before
            assert self.pipeline.manifest().readable is not None
        assert self.pipeline.manifest().readable is None or self.pipeline.differences() == []


def _stands(pipeline: Pipeline) -> bool:
    """Whether a complete day is there, which no promotion has touched."""
    if not pipeline.objects("manifest"):
        return False
    manifest = pipeline.manifest()
    return manifest.readable is not None and manifest.state != "promoting"


def fetched(pipeline: Pipeline) -> Counter[bytes]:
    """How often each page was answered; what is no page cannot be recorded as one."""
    return Counter(_asked(request) for request, response in pipeline.answers if not response.body.startswith(b"<"))


def _asked(request: Request) -> bytes:
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    return msgspec.json.encode(
        [request.url, sorted(request.params.items()), str(request.body), sorted(headers.items())]
    )


def result(pipeline: Pipeline) -> Result:
    """All that must be the same whatever happened on the way."""
    manifest = pipeline.manifest()
    load = manifest.load
    rows = list(ManifestStore(pipeline.lake, manifest.partition).rows(load))
    assert manifest.state == "failed" or not pipeline.objects("staging")
    whole = msgspec.structs.replace(load, started=0.0, finished=None, rows=rows, stalls=0)
    letters = {(letter.cause.kind, letter.task and letter.task.run) for letter in pipeline.queue.dead}
    return {
        "lake": pipeline.objects("raw", "dead"),
        "ledger": sorted(pipeline.objects("manifest")),
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
