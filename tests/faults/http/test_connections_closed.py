"""What a fetch that nobody holds any more leaves behind: no connection, and no thread of its own."""

from __future__ import annotations

import gc
import socket
import threading

from option_a.ingest.http.client import HttpFetch
from option_a.ingest.ports import Request
from tests.support.apis.http_server import Server, reply
from tests.support.clock import FakeClock


def connections(port: int) -> int:
    """How many open sockets of this process lead to a port."""
    found = [thing for thing in gc.get_objects() if type(thing) is socket.socket and thing.fileno() >= 0]
    return sum(sock.getsockname()[1] != port and sock.getpeername()[1] == port for sock in found if _connected(sock))


def _connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def test_its_connections_end_with_it() -> None:
    with Server(lambda exchange: exchange.send(reply(b"{}"))) as server:
        fetch = HttpFetch(FakeClock())
        fetch(Request("s", server.url))
        assert connections(server.port) == 1
        del fetch
        gc.collect()
        assert connections(server.port) == 0


def test_all_share_the_thread_that_watches_deadlines() -> None:
    with Server(lambda exchange: exchange.send(reply(b"{}"))) as server:
        for _ in range(3):
            HttpFetch(FakeClock())(Request("s", server.url))
    assert [thread.name for thread in threading.enumerate()].count("deadlines") == 1
