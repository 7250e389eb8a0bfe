"""The tables of docs/recipes.md, against answers as the APIs' documentation prints them: as documented, not called."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.decode.fields import Fields, apply_fields
from option_a.ingest.http.urls import with_params
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Request, Response
from tests.support.pipeline import DATE, RUN, Pipeline

DOCUMENT = Path(__file__).parents[2] / "docs" / "recipes.md"
SALT = "pepper"


class Step(msgspec.Struct, frozen=True):
    """One request as it must be made, and its answer."""

    url: str
    """Behind the source's own url; or all of it."""
    answer: Any
    headers: Mapping[str, str] = {}
    body: Any = None


def recipes() -> dict[str, Source]:
    """Every table of the document, by the name of its source."""
    text = DOCUMENT.read_text("utf-8")
    return {name: source for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
            for name, source in read_sources(block, {}).items()}  # fmt: skip


COMMIT = {"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "commit": {"message": "Fix all the bugs"}}
CHARGE = {"object": "charge", "amount": 1099, "currency": "usd", "paid": True}
PERSON = {"UserName": "russellwhyte", "FirstName": "Russell"}
GITHUB = "https://api.github.com/repositories/1300192/commits?per_page=100&page="
SHOP = "https://example.myshopify.com/admin/api/2025-01/orders.json?limit=250&page_info="
ODATA = "https://services.odata.org/TripPinRESTierService/People?$count=true&$skiptoken="
HIT = {"_index": "events", "_source": {"user": {"id": "kimchy"}}}


def hits(*sorts: list[Any]) -> dict[str, Any]:
    return {
        "took": 17, "timed_out": False, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {"total": {"value": 3, "relation": "eq"}, "max_score": None,
                 "hits": [{**HIT, "_id": str(sort[1]), "sort": sort} for sort in sorts]},
    }  # fmt: skip


def search(after: list[Any] | None) -> dict[str, Any]:
    bounds = {"gte": "2023-11-01T00:00:00Z", "lt": "2023-11-02T00:00:00Z"}
    body = {
        "size": 1000, "track_total_hits": True, "sort": [{"@timestamp": "asc"}, {"event.id": "asc"}],
        "query": {"range": {"@timestamp": bounds}},
    }  # fmt: skip
    return body if after is None else {**body, "search_after": after}


REPLAYS: dict[str, list[Step]] = {
    "commits": [
        Step("?per_page=100&since=2023-11-01T00%3A00%3A00Z&until=2023-11-01T23%3A59%3A59.999999Z",
             [COMMIT, {**COMMIT, "n": 1}], {"link": f'<{GITHUB}2>; rel="next", <{GITHUB}3>; rel="last"'}),
        Step(f"{GITHUB}2", [{**COMMIT, "n": 2}], {"link": f'<{GITHUB}1>; rel="prev", <{GITHUB}3>; rel="next", '
             f'<{GITHUB}3>; rel="last", <{GITHUB}1>; rel="first"'}),
        Step(f"{GITHUB}3", [{**COMMIT, "n": 3}], {"link": f'<{GITHUB}2>; rel="prev", <{GITHUB}1>; rel="first"'}),
    ],
    "charges": [
        Step("?limit=100&created%5Bgte%5D=1698796800&created%5Blt%5D=1698883200",
             {"object": "list", "url": "/v1/charges", "has_more": True,
              "data": [{"id": "ch_1", **CHARGE}, {"id": "ch_3MmlLrLkdIwHu7ix0snN0B15", **CHARGE}]}),
        Step("?limit=100&created%5Bgte%5D=1698796800&created%5Blt%5D=1698883200"
             "&starting_after=ch_3MmlLrLkdIwHu7ix0snN0B15",
             {"object": "list", "url": "/v1/charges", "has_more": False, "data": [{"id": "ch_2", **CHARGE}]}),
    ],
    "people": [
        Step("?%24count=true&%24top=100", {"@odata.context": "$metadata#People", "@odata.count": 3,
             "@odata.nextLink": f"{ODATA}8", "value": [PERSON, {**PERSON, "n": 2}]}),
        Step(f"{ODATA}8", {"@odata.context": "$metadata#People", "@odata.count": 3, "value": [{**PERSON, "n": 3}]}),
    ],
    "contacts": [
        Step("?limit=100&properties=email%2Cphone%2Clifecyclestage",
             {"results": [{"id": "512", "properties": {"email": "mark.s@lumon.industries", "phone": "5555555555"}}],
              "paging": {"next": {"after": "NTI1Cg%3D%3D", "link": "?after=NTI1Cg%3D%3D"}}}),
        Step("?limit=100&properties=email%2Cphone%2Clifecyclestage&after=NTI1Cg%253D%253D",
             {"results": [{"id": "513", "properties": {"email": None, "lastname": "S."}}]}),
    ],
    "orders": [
        Step("?limit=250&status=any&created_at_min=2023-11-01T00%3A00%3A00%2B01%3A00"
             "&created_at_max=2023-11-01T23%3A59%3A59.999999%2B01%3A00",
             {"orders": [{"id": 450789469, "total_price": "598.94"}]}, {"link": f'<{SHOP}hijgklmn>; rel="next"'}),
        Step(f"{SHOP}hijgklmn", {"orders": [{"id": 450789470, "total_price": "1.10"}]},
             {"link": f'<{SHOP}abcdefg>; rel="previous"'}),
    ],
    "channels": [
        Step("?limit=200", {"ok": True, "channels": [{"id": "C012AB3CD", "name": "general"}],
             "response_metadata": {"next_cursor": "dGVhbTpDMDYxRkE1UEI="}}),
        Step("?limit=200&cursor=dGVhbTpDMDYxRkE1UEI%3D", {"ok": True, "channels": [{"id": "C061EG9T2"}],
             "response_metadata": {"next_cursor": ""}}),
    ],
    "posts": [
        Step("?orderby=id&order=asc&after=2023-11-01T00%3A00%3A00&before=2023-11-02T00%3A00%3A00&page=1&per_page=100",
             [{"id": n, "title": {"rendered": "Hello"}} for n in range(100)],
             {"x-wp-total": "101", "x-wp-totalpages": "2"}),
        Step("?orderby=id&order=asc&after=2023-11-01T00%3A00%3A00&before=2023-11-02T00%3A00%3A00&page=2&per_page=100",
             [{"id": 100, "title": {"rendered": "Bye"}}], {"x-wp-total": "101", "x-wp-totalpages": "2"}),
    ],
    "events": [
        Step("", hits([1698796800123, "a"], [1698796800124, "b"]), body=search(None)),
        Step("", hits([1698796800125, "c"]), body=search([1698796800124, "b"])),
        Step("", hits(), body=search([1698796800125, "c"])),
    ],
}  # fmt: skip


class Replay:
    """Answers the steps in their order, and takes nothing but the requests that they expect."""

    def __init__(self, source: Source, steps: list[Step]) -> None:
        self.source, self.left = source, list(steps)

    def __call__(self, request: Request) -> Response:
        step = self.left.pop(0)
        wanted = step.url if step.url.startswith("https://") else self.source.url + step.url
        assert with_params(request.url, request.params) == wanted
        assert (json.loads(request.body) if request.body else None) == step.body
        assert self.source.plain_headers.items() <= request.headers.items()
        return Response(200, step.headers, json.dumps(step.answer).encode())


def records_of(source: Source, answer: Any) -> list[Any]:
    for key in [] if source.records == "@" else (source.records or "").split("."):
        answer = answer[key]
    found: list[Any] = answer
    return found


def test_every_recipe_is_replayed() -> None:
    assert recipes().keys() == REPLAYS.keys()
    assert "as documented, not called" in DOCUMENT.read_text("utf-8")


@pytest.mark.parametrize("name", REPLAYS)
def test_a_recipe_lands_every_record_of_the_answers_as_documented(name: str, tmp_path: Path) -> None:
    source = recipes()[name]
    api = Replay(source, REPLAYS[name])
    pipeline = Pipeline(tmp_path, api, source)
    world = msgspec.structs.replace(pipeline.services, secrets=lambda wanted: SALT)
    pipeline.worker = Worker(world, pipeline.sources)
    date = date_of(source, pipeline)
    pipeline.send(RUN, name=name, date=date)
    assert pipeline.drain() == ["complete"], pipeline.events
    assert api.left == []
    wanted = [json.dumps(record).encode() for step in REPLAYS[name] for record in records_of(source, step.answer)]
    landed = [line for page in pipeline.pages(name, date).values() for line in page]
    assert [json.loads(line) for line in landed] == [json.loads(treated(source.fields, line)) for line in wanted]
    assert pipeline.manifest(name, date).state == "complete"


def date_of(source: Source, pipeline: Pipeline) -> dt.date:
    """The date of the replays; a snapshot is taken on the day that it is."""
    return dt.datetime.fromtimestamp(pipeline.clock.time, dt.UTC).date() if source.snapshot else DATE


def treated(fields: Fields | None, line: bytes) -> bytes:
    return line if fields is None else apply_fields(fields, line + b"\n", SALT)


def test_what_is_personal_does_not_land_in_the_clear() -> None:
    fields = recipes()["contacts"].fields
    assert fields is not None
    line = json.dumps(REPLAYS["contacts"][0].answer["results"][0]).encode()
    assert b"5555555555" not in treated(fields, line)
    assert b"lumon" not in treated(fields, line)
