"""Through a proxy: what it is sent, and what is not asked of it."""

from __future__ import annotations

import base64
import socket
import threading

import pytest

from option_a.ingest.errors import AddressError, PermanentError, TransientError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.http.network import Network
from option_a.ingest.ports import Request
from tests.support.apis.connection_recorder import record_connections
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.clock import FakeClock
from tests.support.pipeline import source

TIMEOUT = 5.0


def through(url: str, *, private: bool = False) -> HttpFetch:
    network = Network(env={"HTTP_PROXY": url, "HTTPS_PROXY": url})
    return HttpFetch(FakeClock(), sources={"s": source(allow_private=private)}, network=network)


def test_the_proxy_gets_the_whole_url_and_its_own_credentials_and_resolves_the_name() -> None:
    seen: list[Exchange] = []

    def behave(exchange: Exchange) -> None:
        seen.append(exchange)
        exchange.send(reply(b"{}"))

    with Server(behave) as server:
        url = server.url.replace("http://", "http://user:p%40ss@")
        answer = through(url)(Request("s", "http://nobody.invalid/x?a=1", timeout=TIMEOUT))
    assert answer.body == b"{}"
    assert server.targets == ["http://nobody.invalid/x?a=1"]
    wanted = base64.b64encode(b"user:p@ss").decode()
    assert seen[0].headers["proxy-authorization"] == f"Basic {wanted}"
    assert "authorization" not in seen[0].headers


def test_https_goes_through_a_tunnel_to_the_name() -> None:
    asked: list[str] = []

    def behave(exchange: Exchange) -> None:
        asked.append(exchange.target)
        exchange.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        exchange.close()

    with Server(behave) as server, pytest.raises(TransientError, match="proxy cannot be reached, or refused"):
        through(server.url)(Request("s", "https://nobody.invalid/x?secret=1", timeout=TIMEOUT))
    assert asked == ["nobody.invalid:443"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0xa9fea9fe", "10.0.0.1", "127.1", "[::ffff:10.0.0.1]", "metadata.google.internal"]
)
def test_an_inner_address_is_not_asked_of_a_proxy_either(host: str, scheme: str) -> None:
    with (
        Server(lambda exchange: exchange.send(reply(b"{}"))) as server,
        record_connections() as found,
        pytest.raises(AddressError),
    ):
        through(server.url)(Request("s", f"{scheme}://{host}/", timeout=TIMEOUT))
    assert (found, server.connections) == ([], 0)


def test_a_proxy_that_is_not_there_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientError, match="proxy"):
        through(f"http://127.0.0.1:{port}")(Request("s", "http://nobody.invalid/", timeout=TIMEOUT))


def test_a_proxy_that_does_not_answer_ends_at_the_deadline() -> None:
    free = threading.Event()
    with Server(lambda exchange: free.wait(TIMEOUT)) as server:
        with pytest.raises(TransientError):
            through(server.url)(Request("s", "https://nobody.invalid/", timeout=0.3))
        free.set()


@pytest.mark.parametrize(
    "url", ["socks5://user:pa55@proxy.test:1080", "http://[", "http://user:pa55@:99999", "http://"]
)
def test_a_proxy_that_is_none_is_permanent_and_its_password_not_repeated(url: str) -> None:
    with pytest.raises(PermanentError, match="unsupported proxy") as caught:
        through(url)(Request("s", "http://nobody.invalid/", timeout=TIMEOUT))
    assert "pa55" not in str(caught.value)


def test_an_inner_api_is_asked_of_a_proxy_where_its_source_allows_it() -> None:
    with Server(lambda exchange: exchange.send(reply(b"{}"))) as server:
        assert through(server.url, private=True)(Request("s", "http://10.0.0.1/", timeout=TIMEOUT)).body == b"{}"


def test_a_ca_bundle_that_is_none_is_permanent_and_says_where_it_was_looked_for() -> None:
    sources = {"s": source(ca_bundle="certs/none.pem")}
    with pytest.raises(PermanentError, match=r"ca_bundle /etc/option/certs/none\.pem cannot be read"):
        HttpFetch(FakeClock(), sources=sources, network=Network(folder="/etc/option"))(Request("s", "https://x.test/"))
