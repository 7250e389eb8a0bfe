"""What a source may declare of statuses, and what counts."""

from __future__ import annotations

import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.config.statuses import Meaning, meaning
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.http.status_errors import refusal


@pytest.mark.parametrize("key", ["404", "4xx", "5xx", "201", "204", "299", "599"])
def test_a_status_or_a_class_of_errors(key: str) -> None:
    assert Source(name="s", statuses={key: "empty"}).statuses == {key: "empty"}


@pytest.mark.parametrize("key", ["200", "2xx", "3xx", "302", "100", "600", "4XX", "40x", "404 ", "", "٤٠٤", "x"])
def test_what_is_none_is_refused_with_advice(key: str) -> None:
    with pytest.raises(ValueError, match=r"`statuses`.*status.*class"):
        Source(name="s", statuses={key: "empty"})


def test_a_status_counts_before_its_class() -> None:
    statuses: dict[str, Meaning] = {"4xx": "transient", "404": "empty"}
    assert [meaning(statuses, status) for status in (404, 409, 500)] == ["empty", "transient", None]


@pytest.mark.parametrize(
    ("status", "means", "kind"),
    [
        (409, None, HttpError), (409, "transient", TransientError), (401, "transient", TransientError),
        (500, None, TransientError), (500, "permanent", HttpError), (429, "permanent", HttpError),
        (202, "transient", TransientError), (204, "permanent", HttpError),
    ],
)  # fmt: skip
def test_what_is_declared_counts_over_the_usual(status: int, means: Meaning | None, kind: type[Exception]) -> None:
    assert isinstance(refusal(status, {}, b"", means, 0.0), kind)


@pytest.mark.parametrize("status", [401, 403, 407, 408, 425, 429])
def test_no_class_covers_a_refused_key_or_a_plea_for_patience(status: int) -> None:
    assert meaning({"4xx": "empty"}, status) is None
    assert meaning({"4xx": "empty", str(status): "transient"}, status) == "transient"
