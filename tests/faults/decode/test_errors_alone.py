"""A body that is one record, one line or one member may be an error; and what is shown of one is no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from option_a.ingest.ports import Response
from tests.support.pipeline import Pipeline, source


def test_a_body_that_is_an_error_is_no_record(tmp_path: Path) -> None:
    check_alone(tmp_path, b'{"error": "quota"}')


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b'{"error": "quota"}', {"format": "ndjson"}),
        (b'{"error": "quota"}', {"format": "ndjson", "shape": "values"}),
        (b'\n{"errors": [{"message": "quota"}]}\n', {"format": "ndjson"}),
        (b'{"error": "quota", "code": 429, "message": "later"}', {"format": "ndjson"}),
        (b'{"error": {"message": "quota"}}', {"shape": "keyed", "records": "@"}),
        (b'{"err\\u006fr": {"message": "quota"}}', {"shape": "keyed", "records": "@", "key_field": "id"}),
    ],
)
def test_an_error_is_no_record_either_as_the_one_line_or_the_one_member(
    body: bytes, keys: dict[str, Any], tmp_path: Path
) -> None:
    check_alone(tmp_path, body, **keys)


def check_alone(root: Path, body: bytes, **keys: Any) -> None:
    for allowed, state in (("error", "failed"), ("beside", "failed"), ("allow", "complete")):
        declared = source(pagination={"style": "none"}, errors=allowed, **keys)
        pipeline = Pipeline(root / allowed, lambda request: body, declared)
        pipeline.send()
        pipeline.drain()
        cause = pipeline.manifest().cause
        assert pipeline.manifest().state == state
        if cause is not None:
            assert "the body is one record, and says `error" in cause.message
            assert "quota" in cause.message
            assert "is a field of the record: errors = " in cause.message


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b'{"error": 0, "id": 1}', {"format": "ndjson"}),
        (b'{"error": "card declined", "id": 1}', {"format": "ndjson"}),
        (b'{"id": 1}\n{"error": "in one of two"}', {"format": "ndjson"}),
        (b'{"error": "in one of two"}\n{"id": 1}', {"format": "ndjson"}),
        (b'"error"', {"format": "ndjson", "shape": "values"}),
        (b'["error"]', {"format": "ndjson", "shape": "values"}),
        (b'{"error": {"code": 0}}', {"shape": "keyed", "records": "@"}),
        (b'{"a": {"error": "x"}}', {"shape": "keyed", "records": "@"}),
        (b'{"error": {"code": 5}, "warning": {"code": 6}}', {"shape": "keyed", "records": "@"}),
        (b"error\nx\n", {"format": "csv"}),
    ],
)
def test_a_record_that_only_looks_like_an_error_lands(body: bytes, keys: dict[str, Any], tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, lambda request: body, source(pagination={"style": "none"}, **keys))
    pipeline.send()
    pipeline.drain()
    assert pipeline.manifest().state == "complete"
    assert pipeline.manifest().load.records > 0


@pytest.mark.parametrize("data", [[], [{"id": 1}], None])
@pytest.mark.parametrize(
    ("keys", "sent"), [({}, b"key-4711-canary"), ({"fields": {"drop": ["errors"]}}, b"none")], ids=["secret", "fields"]
)
def test_what_is_said_shows_neither_a_secret_nor_a_field_that_does_not_land(
    data: object, keys: dict[str, Any], sent: bytes, tmp_path: Path
) -> None:
    """The secret begins where what is shown ends, so that half of it could be."""
    said = json.dumps({"data": data, "errors": "x" * 50 + "key-4711-canary"}).encode()
    answer = Response(200, {}, said, redact=lambda text: text.replace(sent, b"***"))
    pipeline = Pipeline(tmp_path, lambda request: answer, source(pagination={"style": "none"}, **keys))
    pipeline.send()
    pipeline.drain()
    cause = pipeline.manifest().cause
    assert cause is not None
    assert "the body says `errors`" in cause.message
    assert "as follows" not in cause.message
    assert ("`fields` is set" in cause.message, cause.body is None) == (bool(keys), bool(keys))
