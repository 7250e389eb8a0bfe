"""Cursors that go stale, repeat themselves, or hold what nobody may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError
from option_a.ingest.http.auth import Authenticated
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Fetch, Request, Response
from tests.support.apis.paginated_apis import query_params
from tests.support.pipeline import Pipeline, source

CHAIN = {"style": "cursor", "path": "next"}
PAGES = 5


class Sessions:
    """Five pages by cursors of a session; a session that is over refuses its cursors with `status`."""

    def __init__(self, status: int = 410) -> None:
        self.status, self.session, self.begun = status, 0, 0

    def __call__(self, request: Request) -> bytes:
        given = query_params(request).get("cursor")
        if given is None:
            self.session, self.begun, page = self.session + 1, self.begun + 1, 1
        else:
            session, number = given.split("-")
            page = int(number)
            if int(session) != self.session:
                raise HttpError(f"the API answered {self.status}", status=self.status)
        following = f"{self.session}-{page + 1}" if page < PAGES else None
        return msgspec.json.encode({"data": [{"page": page}], "next": following})


def begun(root: Path, api: Sessions, **fields: Any) -> Pipeline:
    pipeline = Pipeline(root, api, source(**{"pagination": CHAIN, **fields}))
    pipeline.budget = 2
    pipeline.send()
    return pipeline


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_cursor_that_is_refused_on_resume_begins_the_partition_anew_in_the_same_run(
    status: int, tmp_path: Path
) -> None:
    api = Sessions(status)
    pipeline = begun(tmp_path, api)
    assert pipeline.step() == "out-of-time"
    api.session += 1
    pipeline.budget = None
    assert pipeline.drain() == ["complete"]
    assert list(pipeline.pages().values()) == [[b'{"page":%d}' % n] for n in range(1, PAGES + 1)]
    assert pipeline.differences() == []
    assert (pipeline.manifest().load.refusals, pipeline.manifest().load.restarts, api.begun) == (1, 0, 2)
    (told,) = (event for event in pipeline.events if event.kind == "restarted")
    assert f"answered {status} to the cursor at which the load stood" in told.message


def test_it_begins_anew_twice_at_most(tmp_path: Path) -> None:
    api = Sessions()
    pipeline = begun(tmp_path, api)
    outcomes = []
    while pipeline.queue.messages:
        outcomes.append(pipeline.step())
        api.session += 1
    assert outcomes[-1] == "failed"
    assert pipeline.kinds().count("restarted") == 2
    assert api.begun == 3
    assert pipeline.queue.dead[0].cause.restart
    assert pipeline.queue.dead[0].cause.status == 410


def test_the_day_that_was_complete_stays_while_its_re_load_begins_anew(tmp_path: Path) -> None:
    api = Sessions()
    pipeline = begun(tmp_path, api)
    pipeline.budget = None
    assert pipeline.drain() == ["complete"]
    before = pipeline.objects("raw")
    pipeline.budget = 2
    pipeline.send("20231114T230000Z-b", fresh=True)
    assert pipeline.step() == "out-of-time"
    api.session += 1
    pipeline.budget = None
    assert pipeline.drain() == ["complete"]
    assert pipeline.objects("raw") == before
    assert pipeline.objects("staging") == {}


def test_a_cursor_that_is_refused_where_it_was_just_told_fails_the_partition(tmp_path: Path) -> None:
    class Broken(Sessions):
        def __call__(self, request: Request) -> bytes:
            if "cursor" in query_params(request):
                raise HttpError("the API answered 400", status=400)
            return super().__call__(request)

    pipeline = begun(tmp_path, Broken())
    assert pipeline.drain() == ["failed"]
    assert len(pipeline.requests) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused_on_resume_are_no_stale_cursor(status: int, tmp_path: Path) -> None:
    api = Sessions(status)
    pipeline = begun(tmp_path, api)
    pipeline.step()
    api.session += 1
    assert pipeline.drain() == ["failed"]
    assert "restarted" not in pipeline.kinds()


@pytest.mark.parametrize(("length", "most"), [(1, 2), (2, 4), (3, 7)])
def test_a_cursor_that_repeats_is_an_error_that_names_its_parameter(length: int, most: int, tmp_path: Path) -> None:
    def api(request: Request) -> bytes:
        n = len(pipeline.requests)
        return msgspec.json.encode({"data": [{"n": n}], "next": f"c{n % length}"})

    pipeline = Pipeline(tmp_path, api, source(pagination={**CHAIN, "param": "after"}))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    cause = pipeline.queue.dead[0].cause
    assert (cause.kind, len(pipeline.requests) <= most) == ("pagination", True)
    assert "already requested" in cause.message
    assert "correct pagination.param if the API ignores `after`" in cause.message


def test_an_api_that_ignores_the_cursor_is_found_out_by_its_first_page(tmp_path: Path) -> None:
    def api(request: Request) -> bytes:
        return msgspec.json.encode({"data": [{"id": 7}], "has_more": True})

    after = {"style": "cursor", "record": "id", "param": "from_id", "has_more": "has_more"}
    pipeline = Pipeline(tmp_path, api, source(pagination=after))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert "page 2 repeats page 1" in pipeline.queue.dead[0].cause.message
    assert "`from_id`" in pipeline.queue.dead[0].cause.message


def test_a_chain_without_an_end_is_stopped_at_the_page_cap(tmp_path: Path) -> None:
    def api(request: Request) -> bytes:
        n = len(pipeline.requests)
        return msgspec.json.encode({"data": [{"n": n}], "next": n})

    pipeline = Pipeline(tmp_path, api, source(pagination=CHAIN, max_pages=9))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert "no end after 9 pages" in pipeline.queue.dead[0].cause.message


SECRET = "q7Rz9KfW2mXc"


def authorized(root: Path, api: Fetch, keyed: Source) -> Pipeline:
    """A pipeline that sends SECRET along, with a task in its queue."""
    pipeline = Pipeline(root, lambda request: b"", keyed)
    fetch = Authenticated(api, pipeline.sources, lambda wanted: SECRET, pipeline.clock)
    pipeline.services = msgspec.structs.replace(pipeline.services, fetch=fetch)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    return pipeline


URL = f"https://api.test/s?key={SECRET}"
REPEATS = [
    b'{"data":[1],"next":"%b"}' % URL.encode(), b'{"data":["%b"],"next":null}' % URL[14:].encode(),
    b"<!doctype html><p>%b" % URL.encode(), b'{"data":[{"n":2}],"next":["%b"]}' % SECRET.encode(),
    b'{"data":[{"n":2}],"next":["%b"]}' % URL.encode(),
]  # fmt: skip
KEYS = [
    {"style": "api_key", "key": "env:K", "param": "key"}, {"style": "basic", "username": "etl", "password": "env:K"},
]  # fmt: skip


@pytest.mark.parametrize("auth", KEYS)
@pytest.mark.parametrize("style", [{"style": "next_url"}, {"style": "cursor", "path": "next", "total_records": "next"}])
@pytest.mark.parametrize("repeats", REPEATS)
def test_a_key_that_an_answer_repeats_is_neither_kept_nor_shown_with_its_fault(
    repeats: bytes, style: dict[str, str], auth: dict[str, str], tmp_path: Path
) -> None:
    pipeline = authorized(tmp_path, lambda request: Response(200, {}, repeats), source(pagination=style, auth=auth))
    assert pipeline.drain() == ["failed"]
    kept = [*pipeline.objects("manifest", "dead").values(), msgspec.json.encode(pipeline.queue.dead[0].cause)]
    assert not [data for data in kept if SECRET[:6].encode() in data]


@pytest.mark.parametrize("table", [{"path": "next", "stop": "next_missing"}, {"record": "mail"}])
def test_a_cursor_is_nowhere_once_the_partition_is_complete(table: dict[str, str], tmp_path: Path) -> None:
    def api(request: Request) -> bytes:
        n = len(pipeline.requests)
        value = f"{n}@mail.test"
        return msgspec.json.encode({"data": [{"mail": value}], "next": value} if n < 6 else {"data": []})

    pipeline = Pipeline(tmp_path, api, source(pagination={"style": "cursor", **table}))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert pipeline.manifest().load.anchor is not None
    assert not [key for key, data in pipeline.objects("manifest").items() if b"@mail" in data]


def test_nor_where_a_first_page_that_was_short_was_the_last(tmp_path: Path) -> None:
    def api(request: Request) -> bytes:
        if "cursor" in query_params(request):
            raise HttpError("the API answered 404", status=404)
        return b'{"data":[{"id":1}],"next":"a@mail.test"}'

    table = {**CHAIN, "stop": "short", "size": 5}
    pipeline = Pipeline(tmp_path, api, source(pagination=table))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert not [key for key, data in pipeline.objects("manifest").items() if b"@mail" in data]


@pytest.mark.parametrize("style", [{"style": "next_url"}, {"style": "link"}])
def test_a_key_that_the_api_repeats_in_its_urls_is_in_no_ledger_and_goes_along_again(
    style: dict[str, str], tmp_path: Path
) -> None:
    asked: list[Request] = []

    def api(request: Request) -> Response:
        asked.append(request)
        n = int(query_params(request).get("p", "1"))
        url = f"/s?p={n + 1}&key={SECRET}&z=%20" if n < 3 else None
        body = msgspec.json.encode({"data": [{"n": n}], "next": url})
        return Response(200, {"link": f"<{url}>; rel=next"} if url else {}, body)

    keyed = source(pagination=style, auth={"style": "api_key", "key": "env:K", "param": "key"})
    pipeline = authorized(tmp_path, api, keyed)
    while pipeline.queue.messages:
        pipeline.step()
        assert not [key for key, data in pipeline.objects("manifest", "dead").items() if SECRET.encode() in data]
    assert [request.url for request in asked] == [
        "https://api.test/s",
        *(f"https://api.test/s?p={n}&z=%20" for n in (2, 3)),
    ]
    assert [request.credentials for request in asked] == [{"key": SECRET}] * 3
    assert len(pipeline.pages()) == 3


@pytest.mark.parametrize("repeats", ["error", "allow"])
def test_a_cursor_that_comes_again_is_no_way_on_even_where_pages_may_be_alike(repeats: str, tmp_path: Path) -> None:
    pipeline = Pipeline(
        tmp_path, lambda request: b'{"data": [{"id": 1}], "next": "same"}', source(pagination=CHAIN, repeats=repeats)
    )
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert len(pipeline.requests) <= 3
