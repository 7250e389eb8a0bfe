"""One request, one whole response, over HTTP. Every other outcome is an error of the tree, transient or permanent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import urllib3

from option_a import __version__
from option_a.ingest.config import Meaning, OAuth2, Source, meaning
from option_a.ingest.errors import BodyError, HttpError, PermanentError, TransientError
from option_a.ingest.http.connections import ConnectionPools
from option_a.ingest.http.content_encoding import ACCEPTED, decompress, too_large
from option_a.ingest.http.deadline import WATCHDOG, Guard
from option_a.ingest.http.network import Network
from option_a.ingest.http.status_errors import refusal
from option_a.ingest.http.urls import same_origin, with_params
from option_a.ingest.jsontext import is_utf8
from option_a.ingest.ports import Clock, Request, Response

urllib3.connectionpool.log.disabled = True  # at DEBUG it writes urls, and with them the keys in their queries
HEADERS = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": f"option-a/{__version__}"}
CONNECT_TIMEOUT = 10.0
REDIRECTS = 5
ERROR_BODY = 2**20
"""Bytes of an error's body that are kept."""


class HttpFetch:
    """Asks with keep-alive, a total deadline and a cap on bodies. Threads may share it."""

    def __init__(
        self,
        clock: Clock,
        connections: int = 64,
        *,
        sources: Mapping[str, Source] = {},
        network: Network = Network(),  # noqa: B008 - it is frozen
    ) -> None:
        self._clock, self._sources = clock, sources
        self._pools = ConnectionPools(sources, network, connections)

    def __call__(self, request: Request) -> Response:
        url = with_params(with_params(request.url, request.params), request.credentials)
        with WATCHDOG.limit(request.timeout) as guard:
            try:
                response = self._follow(request, url, guard)
                if guard.expired:  # the deadline looks like the end of an answer that ends with its connection
                    raise _late(request)
                return response
            except urllib3.exceptions.HTTPError as error:
                raise _network_error(error, guard, request) from None
            except TransientError:
                if guard.expired:
                    raise _late(request) from None
                raise

    def _follow(self, request: Request, url: str, guard: Guard) -> Response:
        for _ in range(REDIRECTS + 1):
            if guard.expired:
                raise _late(request)
            answer = self._open(request, url, guard)
            target = answer.get_redirect_location()
            if not target:
                return self._whole(request, answer)
            _read(answer, ERROR_BODY)
            url = _redirected(url, target, answer.status)
            if answer.status == 303:  # "see other": RFC 9110 makes it a GET
                request = msgspec.structs.replace(request, method="GET", body=None)
        what = f"more than {REDIRECTS} redirects"
        raise HttpError(what, status=answer.status, hint="give `url` the address that they end at")

    def _open(self, request: Request, url: str, guard: Guard) -> urllib3.BaseHTTPResponse:
        """The head of the answer. A kept connection that the server has closed meanwhile costs one more try."""
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, request.timeout), read=request.timeout)
        how: Any = {
            "redirect": False, "preload_content": False, "decode_content": False, "timeout": timeout,
            "headers": _headers(request), "body": request.body,
        }  # fmt: skip
        pools = self._pools.of(request.source, url)
        try:
            return pools.urlopen(request.method, url, **how)
        except urllib3.exceptions.ProtocolError as error:
            if not guard.kept or guard.expired or not isinstance(error.args[-1], ConnectionError):
                raise
            return pools.urlopen(request.method, url, **how)

    def _whole(self, request: Request, answer: urllib3.BaseHTTPResponse) -> Response:
        encoded = bool(answer.headers.get("content-encoding"))  # what is packed badly may shrink
        cap = request.max_body * (2 if encoded else 1) if 200 <= answer.status <= 299 else ERROR_BODY
        raw = _read(answer, cap)
        left = getattr(answer, "length_remaining", None)
        if len(raw) <= cap and left:
            raise TransientError(f"the body was cut short after {len(raw)} bytes")
        headers = {name.lower(): value for name, value in answer.headers.itermerged()}
        means = meaning(self._statuses(request), answer.status)
        if means == "empty":
            return Response(answer.status, headers, b"", empty=True)
        if means is not None or not 200 <= answer.status <= 299:
            told = _unpacked(raw, headers.get("content-encoding", ""))
            raise refusal(answer.status, headers, told, means, self._clock.now())
        if not raw and left is None and headers.get("transfer-encoding", "").lower() != "chunked":
            raise TransientError("the answer was cut short before its body")
        if len(raw) > cap:
            raise too_large(request.max_body)
        return Response(answer.status, headers, decompress(raw, headers.get("content-encoding", ""), request.max_body))

    def _statuses(self, request: Request) -> Mapping[str, Meaning]:
        """What the source declares of its API; of where its tokens come from it declares nothing."""
        source = self._sources.get(request.source)
        if source is None or (isinstance(source.auth, OAuth2) and request.url == source.auth.token_url):
            return {}
        return source.statuses


def _headers(request: Request) -> Mapping[str, str]:
    """Our own headers, but for those that the source sets, however it spells their names."""
    if not request.headers:
        return HEADERS
    own = {name.lower() for name in request.headers}
    return {**{name: value for name, value in HEADERS.items() if name.lower() not in own}, **request.headers}


def _read(answer: urllib3.BaseHTTPResponse, cap: int) -> bytes:
    """The body, or its first `cap` + 1 bytes."""
    raw = answer.read(cap + 1)
    if len(raw) > cap:
        answer.close()
    answer.release_conn()
    return raw


def _unpacked(raw: bytes, encoding: str) -> bytes:
    """The body of a refusal, so that its secrets can be masked and a person can read it; none where that cannot be."""
    try:
        return decompress(raw, encoding, ERROR_BODY)
    except (BodyError, TransientError):
        return raw if not encoding.strip() or is_utf8(raw) else b""


def _redirected(url: str, target: str, status: int) -> str:
    try:
        joined = urljoin(url, target)
    except ValueError:
        raise HttpError("a redirect to an invalid url", status=status, hint="ask the API's owner") from None
    if not same_origin(url, joined):
        shown = f"{urlsplit(joined).scheme}://{urlsplit(joined).netloc.rpartition('@')[2]}"
        raise HttpError(
            f"refused a redirect to {shown}", status=status, hint="if that is the API, give `url` its address"
        )
    return joined


def _late(request: Request) -> TransientError:
    return TransientError(
        f"no complete answer within {request.timeout:g} s", hint="raise `timeout` or ask for smaller pages"
    )


def _network_error(
    error: urllib3.exceptions.HTTPError, guard: Guard, request: Request
) -> TransientError | PermanentError:
    if guard.expired:
        return _late(request)
    if isinstance(error, urllib3.exceptions.ProxyError):
        return TransientError(
            "the proxy cannot be reached, or refused the request", hint="see HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
        )
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return TransientError("the host's name cannot be resolved", hint="check the url, or the network")
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # a kind of timeout to urllib3, so it comes first
        return TransientError("the connection was refused", hint="check the url, or whether the API is up")
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return TransientError(f"no connection within {min(CONNECT_TIMEOUT, request.timeout):g} s")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return _late(request)
    if isinstance(error, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "has it run out? if your own authority signs, name a file of its certificates: ca_bundle"
        return PermanentError("the server's certificate cannot be verified", hint=hint)
    if isinstance(error, urllib3.exceptions.LocationValueError):
        return PermanentError("invalid url", hint="correct `url`, or what the API sends as its next one")
    return TransientError(f"the connection broke: {type(error).__name__}")
