"""Mock and real: the same bytes either way, and never both in one partition."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import data_body, serve_api

FOUR = ("api-a", "api-b", "api-c", "api-d")


def test_the_mock_api_over_http_lands_the_same_bytes_as_the_mock_in_the_process(option_a: Place) -> None:
    option_a("run", "--date", DAY)
    within = {name: checksums(option_a, name) for name in FOUR}
    with mock_api(option_a) as port:
        endpoints = option_a("mock-api", "--endpoint-map", "--port", str(port)).out
        real = {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": endpoints}
        done = option_a("run", "--date", DAY, "--lake", "wire", "--json", **real)
        assert done.code == 0, done.err
        assert {row["origin"] for row in done.json()["partitions"]} == {"real"}
        option_a.lake = option_a.folder / "wire"
        assert {name: checksums(option_a, name) for name in FOUR} == within


def test_a_source_that_becomes_real_is_loaded_again_and_real_data_gives_way_to_mock_only_where_that_is_asked_for(
    option_a: Place,
) -> None:
    with serve_api(lambda asked: data_body([b'{"real":true}'] if asked.page == 1 else [])) as api:
        real = {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": json.dumps({"api-a": api.url})}
        option_a.declare("[sources.api-a]\n")
        option_a("run", "--date", DAY)
        mock = option_a.pages("api-a")
        assert [row["why"] for row in option_a("plan", "--date", DAY, "--json", **real).json()] == ["origin"]
        assert option_a("run", "--date", DAY, **real).code == 0
        assert option_a.lines("api-a") == [b'{"real":true}']
        forgot = option_a("run", "--date", DAY)
        assert (forgot.code, option_a.lines("api-a")) == (0, [b'{"real":true}'])
        assert "1 partition of real data kept" in forgot.err
        assert option_a("run", "--date", DAY, USE_REAL_HTTP="false").code == 0
        assert option_a.pages("api-a") == mock
        assert option_a("verify").code == 0


def checksums(option_a: Place, name: str) -> dict[int, str]:
    found = {page: hashlib.sha256(data).hexdigest() for page, data in option_a.pages(name).items()}
    assert found
    return found


@contextmanager
def mock_api(option_a: Place) -> Iterator[int]:
    """The command `mock-api`, serving; its port."""
    with option_a.start("mock-api", "--port", "0", PYTHONUNBUFFERED="1") as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        try:
            yield int(found[1])
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0
