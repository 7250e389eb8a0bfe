"""HTTPS: a certificate that nobody vouches for is refused, and the deadline holds within TLS too."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from option_a.ingest.errors import PermanentError, TransientError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.http.network import Network
from option_a.ingest.ports import Request
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.clock import FakeClock
from tests.support.pipeline import source

TIMEOUT = 20.0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an authority had signed it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def test_a_certificate_that_nobody_vouches_for_is_permanent_and_the_request_is_not_sent(tls: ssl.SSLContext) -> None:
    with (
        Server(lambda exchange: exchange.send(reply(b"{}")), tls=tls) as server,
        pytest.raises(PermanentError, match="certificate cannot be verified"),
    ):
        HttpFetch(FakeClock())(Request("s", server.url, timeout=TIMEOUT))
    assert server.targets == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_permanent_too(tls: ssl.SSLContext) -> None:
    with (
        Server(lambda exchange: exchange.send(reply(b"{}")), tls=tls) as server,
        pytest.raises(PermanentError, match="certificate cannot be verified"),
    ):
        HttpFetch(FakeClock())(Request("s", server.url.replace("127.0.0.1", "localhost"), timeout=TIMEOUT))
    assert server.targets == []


@pytest.mark.usefixtures("trusted")
def test_a_trusted_server_answers_over_one_connection(tls: ssl.SSLContext) -> None:
    with Server(lambda exchange: exchange.send(reply(b"{}")), tls=tls) as server:
        fetch = HttpFetch(FakeClock())
        assert [fetch(Request("s", server.url, timeout=TIMEOUT)).body for _ in range(3)] == [b"{}"] * 3
    assert server.connections == 1


def test_a_sources_own_ca_bundle_vouches_for_its_server_and_for_no_other_sources(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    sources = {"s": source(ca_bundle=certificate.name), "t": source(name="t")}
    fetch = HttpFetch(FakeClock(), sources=sources, network=Network(folder=str(certificate.parent)))
    with Server(lambda exchange: exchange.send(reply(b"{}")), tls=tls) as server:
        assert fetch(Request("s", server.url, timeout=TIMEOUT)).body == b"{}"
        with pytest.raises(PermanentError, match="certificate cannot be verified"):
            fetch(Request("t", server.url, timeout=TIMEOUT))
        with pytest.raises(PermanentError, match="certificate cannot be verified"):
            fetch(Request("s", server.url.replace("127.0.0.1", "localhost"), timeout=TIMEOUT))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_slow_drip_within_tls_ends_at_the_deadline(tls: ssl.SSLContext, head: bytes) -> None:
    gone = threading.Event()

    def behave(exchange: Exchange) -> None:
        exchange.send(head)
        exchange.drip(b" ", gone)

    with Server(behave, tls=tls) as server:
        with pytest.raises(TransientError, match=r"no complete answer within 0\.5 s"):
            HttpFetch(FakeClock())(Request("s", server.url, timeout=0.5))
        assert gone.wait(TIMEOUT)


def test_a_server_that_speaks_no_tls_is_transient() -> None:
    with Server(lambda exchange: exchange.send(reply(b"{}"))) as server, pytest.raises(TransientError):
        HttpFetch(FakeClock())(Request("s", server.url.replace("http:", "https:"), timeout=0.5))
