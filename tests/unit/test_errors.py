"""An error says what happened, where, and the way out."""

from __future__ import annotations

import pytest

from option_a.ingest.errors import BodyError, HttpError, LakeError, OptionAError, TransientError, Where


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LakeError("the disk is full"), "the disk is full"),
        (LakeError("the disk is full", hint="make room"), "the disk is full (make room)"),
        (BodyError("not JSON", where=Where(source="s", date="2026-11-23", page=3)), "s 2026-11-23 page 3: not JSON"),
        (OptionAError("x", hint="y", where=Where(file="sources.toml")), "sources.toml: x (y)"),
    ],
)
def test_an_error_reads_as_a_sentence(error: OptionAError, text: str) -> None:
    assert str(error) == text


def test_the_first_place_that_was_told_stays() -> None:
    error = TransientError("slow", retry_after=5.0)
    assert error.at(Where(source="s", page=2)) is error
    assert str(error.at(Where(source="t"))) == "s page 2: slow"


def test_an_http_error_knows_its_status_and_body() -> None:
    error = HttpError("the API answered 401", status=401, body=b"no")
    assert (error.status, error.body, error.restart) == (401, b"no", False)
