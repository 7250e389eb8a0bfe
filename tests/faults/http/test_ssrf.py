"""No request goes to an inner address, however it is spelt, resolved or redirected to: not one connection is made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.errors import AddressError, HttpError, PermanentError, TransientError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.http.network import Network
from option_a.ingest.ports import Request
from tests.conftest import Proof
from tests.support.apis.connection_recorder import record_connections
from tests.support.apis.http_server import Server, reply
from tests.support.clock import FakeClock
from tests.support.pipeline import Pipeline, source

TIMEOUT = 5.0
PUBLIC = "93.184.216.34"
NOWHERE = (TransientError, PermanentError)

LOOPBACK = [
    "127.1", "127.0.1", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "2130706433", "017700000001", "0177.0.0.1", "0177.1",
    "127.000.000.001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "ⓛocalhost", "①②⑦.⓪.⓪.①", "127。0。0。1",
]  # fmt: skip
"""This machine, and hardly what a person would write who means it."""
INNER = [
    "10.0.0.1", "10.1", "0xa000001", "172.16.0.1", "192.168.1.1", "192.168.257", "100.64.0.1", "198.18.0.1",
    "[fd12:3456::1]", "[fc00::1]", "[fe80::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[64:ff9b::10.0.0.1]",
    "[2002:a00:1::]", "[64:ff9b:1::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "169.254.1.1", "0xa9fe0101",
]  # fmt: skip
"""Private, shared and link-local addresses."""
NEVER = [
    "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "169.254.170.2",
    "100.100.100.200", "0.0.0.0", "0", "[::]", "[::ffff:0.0.0.0]", "224.0.0.1", "239.255.255.250", "[ff02::1]",
    "255.255.255.255", "240.0.0.1", "[::a9fe:a9fe]",
]  # fmt: skip
"""Metadata services, and what is nobody's address."""


@pytest.fixture(scope="module")
def inside() -> Iterator[Server]:
    """A service of this machine that nobody should reach."""
    with Server(lambda exchange: exchange.send(reply(b'{"secret": 1}'))) as server:
        yield server


def fetch(*, loopback: bool = False, private: bool = False, answers: list[list[str]] | None = None) -> HttpFetch:
    """A fetch of one source; `answers` are what its resolver says, one after another."""
    told = iter(answers or [])
    network = Network(loopback=loopback, resolve=(lambda host, port: next(told)) if answers else None)
    sources: dict[str, Source] = {"s": source(allow_private=private)}
    return HttpFetch(FakeClock(), sources=sources, network=network)


@pytest.mark.bar(13)
@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("host", [*LOOPBACK, *INNER, *NEVER])
def test_an_inner_address_is_not_dialled_in_any_spelling(
    host: str, loopback: bool, inside: Server, proof: Proof
) -> None:
    with record_connections() as found, pytest.raises(NOWHERE):
        fetch(loopback=loopback)(Request("s", f"http://{host}:{inside.port}/", timeout=TIMEOUT))
    proof.figure("inner addresses refused, in every spelling", 1)
    proof.figure("connections to them", len(found), most=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "[::1]"])
def test_where_this_machine_may_not_ask_itself_it_does_not(host: str, inside: Server) -> None:
    with record_connections() as found, pytest.raises(AddressError, match="loopback"):
        fetch()(Request("s", f"http://{host}:{inside.port}/", timeout=TIMEOUT))
    assert found == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_a_source_on_this_machine_is_asked_where_its_url_says_so(host: str, inside: Server) -> None:
    assert fetch(loopback=True)(Request("s", f"http://{host}:{inside.port}/", timeout=TIMEOUT)).status == 200


@pytest.mark.bar(13)
@pytest.mark.parametrize("host", NEVER)
def test_a_metadata_service_is_not_asked_even_by_a_source_that_may_ask_inner_addresses(host: str, proof: Proof) -> None:
    with record_connections() as found, pytest.raises(AddressError, match=r"metadata|no address that an API can have"):
        fetch(loopback=True, private=True)(Request("s", f"http://{host}/latest/meta-data/", timeout=TIMEOUT))
    proof.figure("inner addresses refused, in every spelling", 1)
    proof.figure("connections to them", len(found), most=0)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.257", "127.1", "[::ffff:10.0.0.1]", "169.254.1.1"])
def test_a_source_that_allows_it_asks_inner_addresses(host: str) -> None:
    with record_connections() as found, pytest.raises(TransientError, match="refused"):
        fetch(private=True)(Request("s", f"http://{host}:1/", timeout=TIMEOUT))
    assert len(found) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1"], [PUBLIC, "169.254.169.254"], ["::1", PUBLIC], ["fe80::1%eth0"]]
)
def test_a_name_is_judged_by_what_it_resolves_to_and_one_bad_address_is_enough(
    addresses: list[str], scheme: str
) -> None:
    with record_connections() as found, pytest.raises(AddressError, match=r"refused to connect to api\.test"):
        fetch(loopback=True, answers=[addresses])(Request("s", f"{scheme}://api.test/", timeout=TIMEOUT))
    assert found == []


@pytest.mark.bar(13)
def test_the_address_that_was_checked_is_the_one_that_is_dialled(inside: Server) -> None:
    """A resolver that says something harmless first, and something else when it is asked again."""
    asking = fetch(answers=[[PUBLIC], ["127.0.0.1"]])
    with record_connections() as found:
        with pytest.raises(TransientError, match="refused"):
            asking(Request("s", f"http://rebinding.test:{inside.port}/", timeout=TIMEOUT))
        assert found == [(PUBLIC, inside.port)]
        with pytest.raises(AddressError):
            asking(Request("s", f"http://rebinding.test:{inside.port}/", timeout=TIMEOUT))
    assert found == [(PUBLIC, inside.port)]


def test_every_address_of_a_name_is_tried_in_turn() -> None:
    with record_connections() as found, pytest.raises(TransientError, match="refused"):
        fetch(answers=[[PUBLIC, "2606:2800:220:1::1"]])(Request("s", "https://api.test/", timeout=TIMEOUT))
    assert found == [(PUBLIC, 443), ("2606:2800:220:1::1", 443)]


def test_a_deadline_ends_the_trying_of_addresses() -> None:
    def resolve(host: str, port: int) -> list[str]:
        threading.Event().wait(0.4)
        return [PUBLIC] * 50

    asking = HttpFetch(FakeClock(), network=Network(resolve=resolve))
    with record_connections() as found, pytest.raises(TransientError, match=r"no complete answer within 0\.2 s"):
        asking(Request("s", "http://api.test/", timeout=0.2))
    assert found == []


def test_a_name_without_an_address_is_transient() -> None:
    with record_connections() as found, pytest.raises(TransientError):
        fetch(answers=[[]])(Request("s", "http://api.test/", timeout=TIMEOUT))
    assert found == []


def test_a_kept_connection_of_a_source_that_may_serves_none_that_may_not(inside: Server) -> None:
    sources = {"may": source(name="may", allow_private=True), "not": source(name="not")}
    asking = HttpFetch(FakeClock(), sources=sources, network=Network(loopback=False))
    assert asking(Request("may", inside.url, timeout=TIMEOUT)).status == 200
    with pytest.raises(AddressError):
        asking(Request("not", inside.url, timeout=TIMEOUT))


@pytest.mark.bar(13)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://[::ffff:169.254.169.254]/",
        "http://metadata.google.internal/", "http://0x7f.1/", "file:///etc/passwd", "ftp://127.0.0.1/",
        "gopher://127.0.0.1/", "http://localhost:1/", "/\\169.254.169.254/x",
    ],
)  # fmt: skip
def test_a_redirect_to_an_inner_address_is_not_followed(target: str, status: int, proof: Proof) -> None:
    """A backslash makes of a path no host: what is asked is the server's own."""
    with (
        Server(lambda exchange: exchange.send(reply(b"", status, {"Location": target}))) as server,
        record_connections() as found,
        pytest.raises(HttpError, match="redirect"),
    ):
        fetch(loopback=True)(Request("s", server.url, timeout=TIMEOUT))
    assert set(found) == {("127.0.0.1", server.port)}
    proof.figure("redirects to inner addresses refused", 1)


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "dict", "data", "jar", "unix", "http+unix", ""])
def test_a_scheme_other_than_http_is_never_asked(scheme: str) -> None:
    with record_connections() as found, pytest.raises(PermanentError):
        fetch(loopback=True, private=True)(Request("s", f"{scheme}://127.0.0.1/etc/passwd", timeout=TIMEOUT))
    assert found == []


def test_a_next_url_to_an_inner_address_fails_the_partition_and_is_not_asked(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        return msgspec.json.encode({"data": [{"id": 1}], "next": "http://169.254.169.254/latest"})

    pipeline = Pipeline(tmp_path, answer, source(pagination={"style": "next_url"}))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    assert len(pipeline.requests) == 1
