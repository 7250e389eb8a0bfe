"""Answers that are cut, slow, reset or nonsense: a fetch ends within its deadline, and takes no part for the whole."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from option_a.ingest.errors import PermanentError, TransientError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.ports import Request, Response
from tests.support.apis.http_server import Exchange, Server, chunked, reply, until_close
from tests.support.clock import FakeClock

BODY = b'{"data": [{"id": 1}, {"id": 2}]}'
GZIP = {"Content-Encoding": "gzip"}
SHORT, LONG = 0.5, 20.0
ANSWERS = {
    "identity": reply(BODY),
    "gzip": reply(gzip.compress(BODY), headers=GZIP),
    "two gzip members": reply(gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), headers=GZIP),
    "chunked": chunked(BODY[:7], BODY[7:]),
    "chunked gzip": chunked(gzip.compress(BODY)[:11], gzip.compress(BODY)[11:], headers=GZIP),
    "until close gzip": until_close(gzip.compress(BODY), GZIP),
}


class Saying:
    """A server that says the same bytes to everybody and hangs up; the bytes can be changed."""

    def __init__(self) -> None:
        self.data = b""
        self.hang_up: Callable[[Exchange], None] = Exchange.close

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(self.data)
        self.hang_up(exchange)


@pytest.fixture(scope="module")
def saying() -> Saying:
    return Saying()


@pytest.fixture(scope="module")
def fetched(saying: Saying) -> Iterator[Callable[[bytes], Response]]:
    """What a fetch makes of these bytes."""
    with Server(saying) as server:
        fetch = HttpFetch(FakeClock())

        def ask(data: bytes) -> Response:
            saying.data = data
            return fetch(Request("s", server.url, timeout=LONG, max_body=10_000))

        yield ask


@pytest.mark.parametrize("how", ANSWERS)
def test_an_answer_cut_at_any_byte_is_transient_or_had_its_whole_body(
    fetched: Callable[[bytes], Response], how: str
) -> None:
    whole = ANSWERS[how]
    assert fetched(whole).body == BODY
    taken = 0
    for cut in range(len(whole)):
        try:
            assert fetched(whole[:cut]).body == BODY
            taken += 1
        except TransientError:
            continue
    # of the chunked ones what follows the 0 of the last chunk can be missing: two line ends
    assert taken <= (4 if "chunked" in how else 0)


@pytest.fixture
def collected() -> Iterator[None]:
    """What is left to the garbage collector is collected before the next test."""
    yield
    gc.collect()


# urllib3 leaves an answer whose Content-Length contradicts itself to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_bytes_a_server_sends_the_outcome_is_a_response_or_an_error_of_the_tree(
    fetched: Callable[[bytes], Response], data: st.DataObject
) -> None:
    whole = bytearray(data.draw(st.sampled_from([*ANSWERS.values(), reply(b"", 302, {"Location": "/x"})])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=8))
    with suppress(TransientError, PermanentError):
        assert isinstance(fetched(bytes(whole)), Response)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\n", reply(BODY)[:-1], chunked(BODY)[:-1]])
def test_a_reset_at_any_point_is_transient(part: bytes) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.send(part)
        exchange.reset()

    with Server(behave) as server, pytest.raises(TransientError):
        HttpFetch(FakeClock())(Request("s", server.url, timeout=LONG))


def test_a_refused_connection_is_transient_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientError, match="connection was refused"):
        HttpFetch(FakeClock())(Request("s", f"http://127.0.0.1:{port}/", timeout=LONG))


def test_a_host_that_nobody_knows_is_transient_and_a_url_that_is_none_is_permanent() -> None:
    fetch = HttpFetch(FakeClock())
    with pytest.raises(TransientError, match="name cannot be resolved"):
        fetch(Request("s", "http://nobody.invalid/", timeout=LONG))
    with pytest.raises(PermanentError, match="invalid url"):
        fetch(Request("s", "http://", timeout=LONG))


DRIPS = {
    "silence": (b"", b""),
    "the status line": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
    "a header that does not end": (b"HTTP/1.1 200 OK\r\nX-More: ", b"x"),
    "a body of a known length": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a body in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body until close": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "a body, connection: close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n", b" "),
    "an error's body": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a redirect's body": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a redirect's body until close": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b" "),
    "answers to come": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("what", DRIPS)
def test_a_slow_drip_ends_at_the_deadline_and_the_connection_with_it(what: str) -> None:
    head, drop = DRIPS[what]
    gone = threading.Event()

    def behave(exchange: Exchange) -> None:
        exchange.send(head)
        if drop:
            exchange.drip(drop, gone)
        elif not exchange.sock.recv(1):
            gone.set()

    with Server(behave) as server:
        with pytest.raises(TransientError, match=f"no complete answer within {SHORT:g} s"):
            HttpFetch(FakeClock())(Request("s", server.url, timeout=SHORT))
        assert gone.wait(LONG)
    assert (len(server.targets), server.connections) == (1, 1)


def test_the_deadline_is_for_all_redirects_together() -> None:
    def behave(exchange: Exchange) -> None:
        threading.Event().wait(SHORT / 3)
        exchange.send(reply(b"", 302, {"Location": "/again"}))

    with Server(behave) as server, pytest.raises(TransientError, match="no complete answer within"):
        HttpFetch(FakeClock())(Request("s", server.url, timeout=SHORT))
    assert len(server.targets) <= 3


def test_a_request_that_ran_out_of_time_leaves_the_others_alone() -> None:
    gone = threading.Event()
    slow = threading.Event()

    def behave(exchange: Exchange) -> None:
        if exchange.target == "/slow":
            slow.set()
            exchange.drip(b"H", gone)
        gone.wait(LONG)
        exchange.send(reply(BODY))

    outcomes: list[bytes] = []
    with Server(behave) as server:
        fetch = HttpFetch(FakeClock())
        patient = threading.Thread(target=lambda: outcomes.append(fetch(Request("s", server.url, timeout=LONG)).body))
        patient.start()
        with pytest.raises(TransientError, match="no complete answer"):
            fetch(Request("s", f"{server.url}/slow", timeout=SHORT))
        patient.join()
    assert slow.is_set()
    assert outcomes == [BODY]
