"""Formats, shapes and fields through the whole worker: what lands, and what is kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.errors import SecretError, TransientError
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference
from tests.support.pipeline import ApiFunction, Pipeline, source

SALT = "pepper-4711"
PERSON = "anna@example.com"
FIELDS = {"drop": ["phone"], "hash": ["mail"], "rename": {"id": "order_id"}, "salt": "env:SALT"}


def paged(*pages: bytes) -> ApiFunction:
    def answer(request: Request) -> bytes:
        number = int(request.params["page"])
        return pages[number - 1] if number <= len(pages) else b""

    return answer


def people(request: Request) -> bytes:
    number = int(request.params["page"])
    rows = [{"id": number, "mail": PERSON, "phone": "555-0123"}] if number <= 3 else []
    return msgspec.json.encode({"data": rows})


def salted(pipeline: Pipeline) -> list[Reference]:
    """Give the worker a salt, and see how often it is read."""
    read: list[Reference] = []

    def secrets(wanted: Reference) -> str:
        read.append(wanted)
        return SALT

    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, secrets=secrets), pipeline.sources)
    return read


def test_csv_lands_as_objects_page_by_page_until_an_empty_body(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, paged(b"a,b\r\n1,x\r\n2,\r\n", b'a,b\r\n3,"y,z"\r\n'), source(format="csv"))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert list(pipeline.pages().values()) == [[b'{"a":"1","b":"x"}', b'{"a":"2","b":""}'], [b'{"a":"3","b":"y,z"}']]
    assert pipeline.requests[0].headers["Accept"].startswith("text/csv")


@pytest.mark.parametrize("later", [b"2,y\n3,z\n", b"2,2\n", b"Service temporarily unavailable", b"b,a\n1,2\n"])
def test_a_later_page_of_csv_that_begins_with_no_header_is_an_error(later: bytes, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, paged(b"a,b\n1,x\n", later), source(format="csv"))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    cause = pipeline.manifest().cause
    assert cause is not None
    assert (cause.kind, cause.page) == ("body", 2)
    assert "the first line is not the first page's header" in cause.message
    assert list(pipeline.objects("dead").values()) == [later]


def test_the_header_of_csv_is_that_of_the_first_page_which_has_one(tmp_path: Path) -> None:
    bodies = [b"", b"a\n1\n", b"a\n", b"7\n8\n"]
    table = {"style": "page", "total_pages": "header:X-Pages"}
    pipeline = Pipeline(
        tmp_path,
        lambda request: Response(200, {"x-pages": "4"}, bodies[int(request.params["page"]) - 1]),
        source(format="csv", pagination=table, parallel=1),
    )
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert list(pipeline.pages().values()) == [[b'{"a":"1"}']]
    assert pipeline.queue.dead[0].cause.page == 4


def test_ndjson_lands_line_by_line(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, paged(b'{"a":1.10}\n{"a":2}\n', b'{"a":3}'), source(format="ndjson"))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert list(pipeline.pages().values()) == [[b'{"a":1.10}', b'{"a":2}'], [b'{"a":3}']]


def test_a_page_of_another_format_fails_the_partition_and_is_kept(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, paged(b"a\n1\n", b"<html>"), source(format="csv"))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert list(pipeline.objects("dead").values()) == [b"<html>"]


def test_fields_are_treated_on_their_way_and_the_salt_is_read_once(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, people, source(fields=FIELDS))
    read = salted(pipeline)
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    digest = hmac.new(SALT.encode(), PERSON.encode(), hashlib.sha256).hexdigest()
    landed = [json.loads(line) for page in pipeline.pages().values() for line in page]
    assert landed == [{"order_id": number, "mail": digest} for number in (1, 2, 3)]
    assert read == [Reference("env", "SALT")]
    for content in pipeline.objects("raw", "manifest").values():
        assert SALT.encode() not in content


def test_a_cursor_that_is_a_field_of_the_last_record_is_read_before_it_is_renamed(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        after = int(request.params.get("after", "0"))
        return msgspec.json.encode({"data": [{"id": after + 1, "x": 1}] if after < 3 else []})

    table = {"style": "cursor", "record": "id", "param": "after"}
    pipeline = Pipeline(tmp_path, answer, source(pagination=table, fields={"rename": {"id": "n"}, "drop": ["x"]}))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert list(pipeline.pages().values()) == [[b'{"n":%d}' % n] for n in (1, 2, 3)]


SPOILT = [b"%s", b'{"data": [{"id": 1, "mail": "%s"', b'{"data": ["%s"]}', b'{"data": [{}, "%s"]}']


@pytest.mark.parametrize("spoilt", [body.replace(b"%s", PERSON.encode()) for body in SPOILT])
def test_a_body_that_cannot_be_read_is_neither_kept_nor_shown_where_fields_are_treated(
    spoilt: bytes, tmp_path: Path
) -> None:
    pipeline = Pipeline(tmp_path, lambda request: spoilt, source(fields=FIELDS))
    salted(pipeline)
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert pipeline.objects("dead") == {}
    everything = b"".join(pipeline.objects("raw", "manifest", "dead", "staging").values())
    assert PERSON.encode() not in everything
    assert PERSON not in str(pipeline.events) + str(pipeline.queue.dead)


def test_a_salt_that_is_not_there_fails_and_one_that_cannot_be_read_now_waits(tmp_path: Path) -> None:
    for error, outcome in (
        (SecretError("the environment has no SALT"), "failed"),
        (TransientError("later"), "waiting"),
    ):
        pipeline = Pipeline(tmp_path / outcome, people, source(fields=FIELDS))

        def secrets(wanted: Reference, error: Exception = error) -> str:
            raise error

        pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, secrets=secrets), pipeline.sources)
        pipeline.send()
        assert pipeline.drain(1) == [outcome]
        assert pipeline.objects("raw") == {}
