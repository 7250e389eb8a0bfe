"""Answers that are whole, refused or too large, from a real server: what a fetch makes of each."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import pytest

from option_a.ingest.errors import BodyError, HttpError, TransientError
from option_a.ingest.http.client import REDIRECTS, HttpFetch
from option_a.ingest.http.content_encoding import ACCEPTED
from option_a.ingest.ports import Request, Response
from tests.support.apis.http_server import ConnectionBehaviour, Exchange, Server, chunked, reply, until_close
from tests.support.clock import FakeClock

BODY = b'{"data": [{"id": 1}]}'
GZIP = {"Content-Encoding": "gzip"}
CUT = gzip.compress(b"why not", mtime=0)[:-3]
TIMEOUT = 20.0


def ask(behaviour: ConnectionBehaviour, *, max_body: int = 2**20) -> Response:
    """One request to a server that behaves so."""
    with Server(behaviour) as server:
        return HttpFetch(FakeClock())(Request("s", server.url, timeout=TIMEOUT, max_body=max_body))


def answer(data: bytes, *, then_close: bool = False) -> ConnectionBehaviour:
    def behave(exchange: Exchange) -> None:
        exchange.send(data)
        if then_close:
            exchange.close()

    return behave


WHOLE = {
    "identity": answer(reply(BODY)),
    "gzip": answer(reply(gzip.compress(BODY), headers=GZIP)),
    "x-gzip": answer(reply(gzip.compress(BODY), headers={"Content-Encoding": "X-GZip"})),
    "gzip of two members": answer(reply(gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), headers=GZIP)),
    "chunked": answer(chunked(BODY[:5], BODY[5:])),
    "chunked gzip": answer(chunked(gzip.compress(BODY)[:9], gzip.compress(BODY)[9:], headers=GZIP)),
    "until close": answer(until_close(BODY), then_close=True),
    "until close gzip": answer(until_close(gzip.compress(BODY), GZIP), then_close=True),
    "connection: close": answer(reply(BODY, headers={"Connection": "close"}), then_close=True),
    "after 100 continue": answer(b"HTTP/1.1 100 Continue\r\n\r\n" + reply(BODY)),
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_whole_answer_is_its_status_headers_and_plain_body(how: str) -> None:
    response = ask(WHOLE[how])
    assert (response.status, response.body) == (200, BODY)


def test_header_names_are_in_lower_case_and_a_2xx_other_than_200_is_an_answer() -> None:
    response = ask(answer(reply(BODY, 203, {"X-Total-Count": "7"})))
    assert (response.status, response.headers["x-total-count"]) == (203, "7")


def test_params_go_behind_those_of_the_url_and_json_and_gzip_are_asked_for() -> None:
    seen: list[Exchange] = []

    def behave(exchange: Exchange) -> None:
        seen.append(exchange)
        exchange.send(reply(BODY))

    with Server(behave) as server:
        HttpFetch(FakeClock())(Request("s", server.url + "/a?b=1", {"c": "ä &", "d": ""}))
    assert server.targets == ["/a?b=1&c=%C3%A4+%26&d="]
    assert (seen[0].headers["accept"], seen[0].headers["accept-encoding"]) == ("application/json", ACCEPTED)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("wish", [None, "90", "soon"])
def test_a_fault_that_may_pass_is_transient_with_the_servers_wish_in_seconds(status: int, wish: str | None) -> None:
    with pytest.raises(TransientError, match=f"answered {status}") as caught:
        ask(answer(reply(b"{}", status, {"Retry-After": wish} if wish else {})))
    assert caught.value.retry_after == (90.0 if wish == "90" else None)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_may_be_a_date(status: int) -> None:
    date = formatdate(FakeClock().now() + 75, usegmt=True)
    with pytest.raises(TransientError) as caught:
        ask(answer(reply(b"", status, {"Retry-After": date})))
    assert caught.value.retry_after == 75.0


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "wrong"), (401, "credentials"), (403, "may not read"), (404, "check `url`"), (410, "wrong"), (501, "wrong")],
)
def test_a_refusal_is_permanent_with_its_status_advice_and_body(status: int, advice: str) -> None:
    with pytest.raises(HttpError, match=f"answered {status}") as caught:
        ask(answer(reply(b"why not", status)))
    assert (caught.value.status, caught.value.body) == (status, b"why not")
    assert advice in caught.value.hint


@pytest.mark.parametrize("status", [401, 500])
@pytest.mark.parametrize(
    ("raw", "encoding", "kept"),
    [
        (gzip.compress(b"why not", mtime=0), "gzip", b"why not"),
        (CUT, "gzip", b""),
        (gzip.compress(b"why not" * 2**18, mtime=0), "gzip", b""),
        (gzip.compress(b"why not", mtime=0), "deflate", b""),
        (b"why not", "gzip", b"why not"),
        (b"why not", "deflate", b"why not"),
    ],
    ids=["packed", "cut", "too large", "of another encoding", "not packed", "not packed either"],
)
def test_the_body_of_a_refusal_is_unpacked_and_not_kept_where_that_cannot_be(
    status: int, raw: bytes, encoding: str, kept: bytes
) -> None:
    """A secret that the API repeats in it could not be masked."""
    with pytest.raises((HttpError, TransientError), match=f"answered {status}") as caught:
        ask(answer(reply(raw, status, headers={"Content-Encoding": encoding})))
    assert (caught.value.body or b"") == kept


def test_of_a_refusal_that_goes_on_and_on_a_megabyte_is_kept() -> None:
    with pytest.raises(HttpError) as caught:
        ask(answer(reply(b"x" * 3 * 2**20, 400)))
    assert caught.value.body is not None
    assert 2**20 <= len(caught.value.body) <= 2**20 + 1


@pytest.mark.parametrize("encoding", ["deflate", "compress", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_a_body_error_that_names_it(encoding: str) -> None:
    with pytest.raises(BodyError, match=encoding) as caught:
        ask(answer(reply(BODY, headers={"Content-Encoding": encoding})))
    assert caught.value.body == BODY


@pytest.mark.parametrize(
    "body",
    [BODY, gzip.compress(BODY) + BODY, gzip.compress(BODY)[:-8] + b"\0" * 8],
    ids=["plain", "something behind it", "a wrong checksum"],
)
def test_gzip_that_is_none_is_a_body_error(body: bytes) -> None:
    with pytest.raises(BodyError, match="not gzip"):
        ask(answer(reply(body, headers=GZIP)))


@pytest.mark.parametrize("frame", [reply, chunked, until_close])
def test_a_body_of_just_max_body_is_taken_and_one_byte_more_is_not(frame: Callable[[bytes], bytes]) -> None:
    assert ask(answer(frame(BODY), then_close=True), max_body=len(BODY)).body == BODY
    with pytest.raises(BodyError, match=f"larger than {len(BODY) - 1} bytes"):
        ask(answer(frame(BODY), then_close=True), max_body=len(BODY) - 1)


def test_the_cap_holds_for_what_gzip_inflates_to_however_many_members_it_has() -> None:
    for packed in (gzip.compress(BODY * 100), gzip.compress(BODY * 25) * 4):
        assert ask(answer(reply(packed, headers=GZIP)), max_body=100 * len(BODY)).body == BODY * 100
        with pytest.raises(BodyError, match="larger than"):
            ask(answer(reply(packed, headers=GZIP)), max_body=100 * len(BODY) - 1)


BOMB = """
import resource, sys
from option_a.ingest.errors import BodyError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.ports import Request
from tests.support.clock import FakeClock

fetch = HttpFetch(FakeClock())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    fetch(Request("s", sys.argv[1], max_body=2**20))
except BodyError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


def test_a_gzip_bomb_is_refused_within_little_memory() -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 6)
    assert len(bomb) < 2**18
    with Server(answer(reply(bomb, headers=GZIP))) as server:
        command = [sys.executable, "-c", BOMB, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3])
    kilobytes, error = done.stdout.split(" ", 1)
    assert int(kilobytes) < 20 * 2**10
    assert "larger than 1048576 bytes" in error


def test_redirects_within_the_origin_are_followed_to_a_limit() -> None:
    def behave(exchange: Exchange) -> None:
        left = int(exchange.target[1:])
        exchange.send(reply(b"see there", 302, {"Location": f"/{left - 1}"}) if left else reply(BODY))

    with Server(behave) as server:
        fetch = HttpFetch(FakeClock())
        assert fetch(Request("s", f"{server.url}/{REDIRECTS}")).body == BODY
        with pytest.raises(HttpError, match=f"more than {REDIRECTS} redirects"):
            fetch(Request("s", f"{server.url}/{REDIRECTS + 1}"))
    assert server.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused_and_the_other_is_never_contacted(status: int) -> None:
    with Server(answer(reply(BODY))) as other:
        for url in (other.url, other.url.replace("127.0.0.1", "127.0.0.2"), other.url.replace("http:", "https:")):
            with pytest.raises(HttpError, match="refused a redirect to http") as caught:
                ask(answer(reply(b"", status, {"Location": f"{url}/x?secret=1"})))
            assert (caught.value.status, "secret" in str(caught.value)) == (status, False)
    assert other.connections == 0


@pytest.mark.parametrize("target", ["http://[", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "//other/"])
def test_a_redirect_to_nowhere_is_an_http_error(target: str) -> None:
    with pytest.raises(HttpError, match="redirect") as caught:
        ask(answer(reply(b"", 302, {"Location": target})))
    assert caught.value.status == 302


def test_one_connection_serves_request_after_request_errors_included() -> None:
    statuses = itertools.cycle([200, 404, 503])
    with Server(lambda exchange: exchange.send(reply(BODY, next(statuses)))) as server:
        fetch = HttpFetch(FakeClock())
        for _ in range(5):
            assert fetch(Request("s", server.url)).body == BODY
            for error in (HttpError, TransientError):
                with pytest.raises(error):
                    fetch(Request("s", server.url))
    assert (len(server.targets), server.connections) == (15, 1)


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew() -> None:
    with Server(answer(reply(BODY), then_close=True)) as server:
        fetch = HttpFetch(FakeClock())
        assert [fetch(Request("s", server.url)).body for _ in range(3)] == [BODY] * 3
    assert server.connections == 3


def test_many_threads_each_get_their_own_answer_over_no_more_connections_than_threads() -> None:
    together = threading.Barrier(16)

    def behave(exchange: Exchange) -> None:
        exchange.send(reply(gzip.compress(json.dumps(exchange.target).encode()), headers=GZIP))

    with Server(behave) as server:
        fetch = HttpFetch(FakeClock())

        def work(thread: int) -> None:
            together.wait()
            for turn in range(20):
                response = fetch(Request("s", f"{server.url}/{thread}/{turn}"))
                assert json.loads(response.body) == f"/{thread}/{turn}"

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(work, range(16)))
    assert len(server.targets) == 16 * 20
    assert server.connections <= 16
