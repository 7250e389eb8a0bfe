"""Pages that lead from one to the next by URL: where they end, loop, leave the host, or lose the thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.load.worker import Outcome
from option_a.ingest.ports import Request
from tests.support.pipeline import Pipeline, source

HERE = "https://api.test/s?c="
Links = Mapping[str, object]


def followed(root: Path, links: Links, **pagination: object) -> tuple[Pipeline, Outcome]:
    """A run over pages that are named by the query's `c` (the first has none), every record another one."""

    def answer(request: Request) -> bytes:
        name = request.url.rpartition("c=")[2] if "c=" in request.url else "1"
        return msgspec.json.encode({"data": [{"n": len(pipeline.requests)}], **_next(links[name])})

    chain = {"style": "next_url", "path": "next", **pagination}
    pipeline = Pipeline(root, answer, source(pagination=chain, max_pages=40))
    pipeline.send()
    return pipeline, pipeline.drain()[-1]


def _next(link: object) -> dict[str, object]:
    return {} if link is msgspec.UNSET else {"next": link}


def message(pipeline: Pipeline) -> str:
    (letter,) = pipeline.queue.dead
    assert letter.cause.kind == "pagination"
    return letter.cause.message


def test_each_page_is_asked_for_by_the_url_that_the_one_before_it_told(tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": HERE + "b", "b": "?c=d", "d": "/s?c=e", "e": None})
    assert outcome == "complete"
    assert [request.url for request in pipeline.requests] == ["https://api.test/s", HERE + "b", HERE + "d", HERE + "e"]
    assert [dict(request.params) for request in pipeline.requests] == [{"date": "2023-11-01"}, {}, {}, {}]
    assert pipeline.differences() == []


@pytest.mark.parametrize(
    ("links", "most"),
    [
        ({"1": HERE + "b", "b": HERE + "b"}, 3),
        ({"1": "?c=b", "b": "?c=b"}, 3),
        ({"1": HERE + "b", "b": HERE + "d", "d": HERE + "b"}, 8),
        ({"1": "?c=b", "b": "?c=d", "d": "?c=e", "e": "?c=f", "f": "?c=d"}, 16),
        ({"1": HERE + "b", "b": HERE + "d", "d": HERE + "e", "e": HERE + "e"}, 8),
    ],
)
def test_a_url_that_leads_back_is_an_error_though_its_records_differ(links: Links, most: int, tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, links)
    assert outcome == "failed"
    assert "already requested" in message(pipeline)
    assert len(pipeline.requests) <= most


@pytest.mark.parametrize(
    "stranger",
    [
        "https://elsewhere.test/s?c=b",
        "http://api.test/s?c=b",
        "https://api.test:8443/s?c=b",
        "//elsewhere.test/s?c=b",
        "https://api.test@elsewhere.test/s?c=b",
        "https://api.test.elsewhere.test/s?c=b",
        "ftp://api.test/s?c=b",
        "file:///etc/passwd",
    ],
)
def test_a_next_url_of_another_host_scheme_or_port_is_never_asked(stranger: str, tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": stranger, "b": None})
    assert outcome == "failed"
    assert "another host" in message(pipeline)
    assert len(pipeline.requests) == 1


def test_the_same_host_with_its_port_spelt_out_is_the_same_host(tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": "https://API.test:443/s?c=b", "b": None})
    assert (outcome, len(pipeline.requests)) == ("complete", 2)


def test_where_the_next_path_is_missing_nothing_says_that_it_is_the_end(tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": HERE + "b", "b": msgspec.UNSET})
    assert outcome == "failed"
    assert "no `next`" in message(pipeline)
    assert 'stop = "next_missing"' in message(pipeline)


def test_where_the_source_says_that_the_last_page_leaves_it_out_it_is_the_end(tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": HERE + "b", "b": msgspec.UNSET}, stop="missing")
    assert (outcome, len(pipeline.requests)) == ("complete", 2)


@pytest.mark.parametrize("nonsense", [7, ["x"], {"href": "x"}, True])
def test_a_next_that_is_no_url_is_an_error(nonsense: object, tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": nonsense})
    assert outcome == "failed"
    assert "not a URL" in message(pipeline)


@pytest.mark.parametrize("unparsable", ["https://[", "https://api.test:port/s", "https://api.test:99999999/"])
def test_a_next_that_cannot_be_parsed_fails_the_partition_with_its_cause(unparsable: str, tmp_path: Path) -> None:
    pipeline, outcome = followed(tmp_path, {"1": unparsable})
    assert outcome == "failed"
    assert message(pipeline)
    assert len(pipeline.requests) == 1


def test_out_of_time_a_chain_goes_on_from_its_cursor(tmp_path: Path) -> None:
    links: Links = {"1": HERE + "b", "b": HERE + "d", "d": HERE + "e", "e": None}
    pipeline, _ = followed(tmp_path / "whole", links)

    def answer(request: Request) -> bytes:
        name = request.url.rpartition("c=")[2] if "c=" in request.url else "1"
        return msgspec.json.encode({"data": [{"n": len(broken.requests)}], "next": links[name]})

    broken = Pipeline(tmp_path / "broken", answer, source(pagination={"style": "next_url"}))
    broken.budget = 2
    broken.send()
    assert broken.drain() == ["out-of-time", "complete"]
    assert [request.url for request in broken.requests] == [request.url for request in pipeline.requests]
    assert broken.objects("raw") == pipeline.objects("raw")
