"""The mock payload: the same for ever, and with an end."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from threading import Thread
from urllib.error import HTTPError

import pytest

from option_a.ingest.config.source import DEFAULT_NAMES
from option_a.ingest.errors import HttpError
from option_a.ingest.http.mock import PAGE_SIZE, MockFetch, mock_body
from option_a.ingest.ports import Request
from option_a.local.mock_api import serve

DAY = "2026-11-23"


@pytest.mark.parametrize("name", [*DEFAULT_NAMES, "orders"])
def test_pages_are_full_to_the_last_and_empty_behind_it(name: str) -> None:
    counts = [len(json.loads(mock_body(name, DAY, str(page)))["data"]) for page in range(1, 16)]
    full = counts.index(next(count for count in counts if count < PAGE_SIZE))
    assert counts[:full] == [PAGE_SIZE] * full
    assert counts[full + 1 :] == [0] * (14 - full)
    assert 1_200 <= sum(counts) < 3_200


def test_no_record_comes_twice() -> None:
    ids = [record["id"] for page in range(1, 16) for record in json.loads(mock_body("api-a", DAY, str(page)))["data"]]
    assert len(set(ids)) == len(ids)


def test_the_same_question_has_the_same_answer_and_another_has_another() -> None:
    bodies = {mock_body(name, day, page) for name in DEFAULT_NAMES for day in (DAY, "2026-11-22") for page in "12"}
    assert len(bodies) == 16
    assert mock_body("api-a", DAY, "1") == mock_body("api-a", DAY, "1")


@pytest.mark.parametrize("page", ["0", "-1", "", "x", "1.5", "²", "٣", "9" * 5_000])
def test_a_page_that_is_none_is_refused_as_an_api_would(page: str) -> None:
    with pytest.raises(HttpError) as error:
        mock_body("api-a", DAY, page)
    assert error.value.status == 400


@pytest.mark.parametrize("date", ["yesterday", "2026-02-30", "23.11.2026"])
def test_a_date_that_is_none_is_refused_as_an_api_would(date: str) -> None:
    with pytest.raises(HttpError) as error:
        mock_body("api-a", date, "1")
    assert error.value.status == 400


def test_a_mock_url_is_answered_by_its_host_and_query() -> None:
    response = MockFetch()(Request("api-b", "mock://api-b", {"date": DAY, "page": "2"}))
    assert (response.status, response.body) == (200, mock_body("api-b", DAY, "2"))


@pytest.fixture
def api() -> Iterator[str]:
    """The mock behind a real server on a free port."""
    server = serve("127.0.0.1", 0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_http_the_mock_says_the_same(api: str) -> None:
    with urllib.request.urlopen(f"{api}/api-c?date={DAY}&page=3") as response:
        assert response.headers["content-type"] == "application/json"
        assert response.read() == mock_body("api-c", DAY, "3")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [("/api-a?page=0", 400, "page is a number from 1"), ("/orders", 404, "no such endpoint")],
)
def test_over_http_a_wrong_request_is_told_so(api: str, path: str, status: int, says: str) -> None:
    with pytest.raises(HTTPError) as error:
        urllib.request.urlopen(api + path)
    with error.value as answer:
        assert (answer.status, json.load(answer)) == (status, {"error": says})
