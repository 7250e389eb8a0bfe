"""A body that says what went wrong is no whole page and no end, however its pages follow each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.decode.reported_errors import means_no_error
from option_a.ingest.http.urls import with_params
from option_a.ingest.ports import Request
from tests.support.pipeline import Pipeline, source

PAGES = 3
STYLES: dict[str, dict[str, Any]] = {
    "until empty": {"style": "page"},
    "until short": {"style": "page", "size": 1, "stop": "short"},
    "pages": {"style": "page", "total_pages": "pages"},
    "total": {"style": "page", "total_records": "total"},
    "more": {"style": "page", "has_more": "more"},
    "offset": {"style": "offset", "size": 1, "total_records": "total"},
    "cursor": {"style": "cursor", "path": "next", "param": "page"},
    "cursor until empty": {"style": "cursor", "path": "after", "param": "page", "stop": "empty"},
    "cursor of a record": {"style": "cursor", "record": "id", "param": "offset"},
    "next_url": {"style": "next_url", "path": "url"},
}
UNTIL_EMPTY = ("until empty", "until short", "cursor until empty", "cursor of a record")
TOLD = [[{"message": "no"}], "no more", {"code": 5}, True, 1]
QUIET: list[Any] = [[], None, {}, "", False, 0, 0.0, {"code": 0, "message": None}, [None], "None"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


class Api:
    """Three pages of a record each, one of which says something besides."""

    def __init__(self, at: int, said: Mapping[str, Any], **instead: Any) -> None:
        self.at, self.more = at, {**instead, **said}

    def __call__(self, request: Request) -> bytes:
        asked = parse_qs(urlsplit(with_params(request.url, request.params)).query)
        page = int(asked["page"][0]) if "page" in asked else 1 + int(asked.get("offset", ["0"])[0])
        follows = page < PAGES
        body = {
            "pages": PAGES, "total": PAGES, "more": follows, "next": page + 1 if follows else None, "after": page + 1,
            "url": f"?page={page + 1}" if follows else None, "data": [{"id": page}] if page <= PAGES else [],
        }  # fmt: skip
        return json.dumps({**body, **(self.more if page == self.at else {})}).encode()


def ran(root: Path, api: Api, style: str, **keys: Any) -> Pipeline:
    pipeline = Pipeline(root, api, source(pagination=STYLES[style], parallel=1, **keys))
    pipeline.send()
    pipeline.drain()
    return pipeline


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("at", [1, 2, PAGES])
@pytest.mark.parametrize("said", [{"errors": TOLD[0]}, {"error": TOLD[1]}])
def test_an_empty_list_beside_an_error_is_no_end(style: str, at: int, said: dict[str, Any], tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(at, said, data=[]), style)
    manifest, (key,) = pipeline.manifest(), said
    assert manifest.state == "failed"
    assert manifest.cause is not None
    assert manifest.cause.kind == "body"
    assert f"page {at}: the body says `{key}` beside no records at `data` as follows: " in manifest.cause.message
    assert 'if it only marks the end: errors = "allow"' in manifest.cause.message
    assert len(pipeline.pages()) == at - 1
    assert [letter.cause for letter in pipeline.queue.dead] == [manifest.cause]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("told", TOLD)
def test_records_beside_an_error_are_not_all_of_a_page(style: str, told: object, tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(2, {"errors": told}), style)
    cause = pipeline.manifest().cause
    assert cause is not None
    assert (pipeline.manifest().state, cause.kind) == ("failed", "body")
    assert "page 2: the body says `errors` beside the records at `data`" in cause.message
    assert f"as follows: {json.dumps(told)} (it was kept under dead/ as it came; " in cause.message
    assert 'if no record is missing for it: errors = "beside")' in cause.message
    assert list(pipeline.pages()) == ["page=000001.json.gz"]


@pytest.mark.parametrize("style", UNTIL_EMPTY)
def test_an_end_that_says_an_error_is_one_where_that_is_allowed(style: str, tmp_path: Path) -> None:
    assert ran(tmp_path / "a", Api(4, {"error": "no more"}), style).manifest().state == "failed"
    assert ran(tmp_path / "b", Api(4, {"error": "no more"}), style, errors="allow").manifest().state == "complete"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("key", ["errors", "error"])
@pytest.mark.parametrize("quiet", QUIET)
def test_an_error_that_says_nothing_is_none(style: str, key: str, quiet: object, tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(2, {key: quiet}), style)
    assert (pipeline.manifest().state, len(pipeline.pages())) == ("complete", PAGES)


@pytest.mark.parametrize("style", UNTIL_EMPTY)
@pytest.mark.parametrize("quiet", QUIET)
def test_an_end_beside_an_error_that_says_nothing_is_an_end(style: str, quiet: object, tmp_path: Path) -> None:
    for at in (1, 4):
        pipeline = ran(tmp_path / str(at), Api(at, {"errors": quiet}, data=[]), style)
        assert (pipeline.manifest().state, len(pipeline.pages())) == ("complete", 0 if at == 1 else PAGES)


@pytest.mark.parametrize(
    ("style", "allowed"),
    [
        (style, allowed)
        for style in STYLES
        for allowed in ("allow", "beside")
        if (style, allowed) != ("until short", "beside")
    ],
)
def test_records_beside_an_error_land_where_that_is_allowed(style: str, allowed: str, tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(2, {"errors": TOLD[0]}), style, errors=allowed)
    assert (pipeline.manifest().state, len(pipeline.pages())) == ("complete", PAGES)


@pytest.mark.parametrize("style", [style for style in STYLES if style != "until short"])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_what_may_stand_beside_records_is_still_no_end(style: str, at: int, tmp_path: Path) -> None:
    """Page 4 is one past the last, which only some of the styles ask for."""
    pipeline = ran(tmp_path, Api(at, {"errors": TOLD[0]}, data=[]), style, errors="beside")
    landed = PAGES if at == 4 else at - 1
    asked = at < 4 or style in UNTIL_EMPTY
    assert (pipeline.manifest().state, len(pipeline.pages())) == ("failed" if asked else "complete", landed)


@pytest.mark.parametrize("allowed", ["error", "beside", "allow"])
def test_null_beside_an_error_is_no_end_even_where_errors_are_allowed(allowed: str, tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(4, {"errors": TOLD[0]}, data=None), "until empty", errors=allowed)
    assert pipeline.manifest().state == "failed"


@pytest.mark.parametrize(("body", "records"), [({"errors": {"list": [{"id": 1}]}}, "errors.list"),
                                               ({"error": [{"id": 1}]}, "error")])  # fmt: skip
def test_errors_that_are_the_records_are_what_was_asked_for(body: object, records: str, tmp_path: Path) -> None:
    declared = source(pagination={"style": "none"}, records=records)
    pipeline = Pipeline(tmp_path, lambda request: json.dumps(body).encode(), declared)
    pipeline.send()
    pipeline.drain()
    assert (pipeline.manifest().state, pipeline.manifest().load.records) == ("complete", 1)


def test_a_load_goes_on_where_it_stood_once_the_error_is_gone_or_allowed(tmp_path: Path) -> None:
    pipeline = ran(tmp_path, Api(3, {"errors": TOLD[0]}), "until empty")
    asked = len(pipeline.requests)
    pipeline.sources["s"] = source(pagination=STYLES["until empty"], parallel=1, errors="allow")
    pipeline.send("20231114T230000Z-b")
    pipeline.drain()
    assert pipeline.manifest().state == "complete"
    assert len(pipeline.requests) - asked == 2


@given(
    st.dictionaries(st.sampled_from(["errors", "error"]), values, max_size=2),
    st.sampled_from(["data", "deep.data"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["objects", "values", "keyed"]),
)
def test_whatever_is_said_a_partition_is_complete_only_if_it_is_nothing(
    said: dict[str, Any], path: str, outside: bool, empty: bool, shape: str
) -> None:
    rows: Any = ({} if shape == "keyed" else []) if empty else {"a": {"id": 1}} if shape == "keyed" else [{"id": 1}]
    inner = {"data": rows} | ({} if outside else said)
    body = {**(said if outside else {}), **({"deep": inner} if path == "deep.data" else {**said, **inner})}
    keys = {"records": path, "shape": shape, "pagination": {"style": "none"}}
    with TemporaryDirectory() as root:
        pipeline = Pipeline(Path(root), lambda request: json.dumps(body).encode(), source(**keys))
        pipeline.send()
        pipeline.drain()
        manifest = pipeline.manifest()
    assert manifest.state == ("complete" if all(map(means_no_error, said.values())) else "failed"), body
