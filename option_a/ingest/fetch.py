"""One request, one whole response, over HTTP. Every other outcome is an error of the tree, transient or permanent."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from isal import isal_zlib
from urllib3.connection import HTTPConnection, HTTPSConnection

from option_a import __version__
from option_a.ingest.deadline import Guard, Watchdog, carried
from option_a.ingest.errors import BodyError, HttpError, PermanentError, TransientError
from option_a.ingest.ports import Clock, Request, Response
from option_a.ingest.retry import is_transient, retry_after
from option_a.ingest.urls import same_origin, with_params

HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"option-a/{__version__}"}
CONNECT_TIMEOUT = 10.0
REDIRECTS = 5
ERROR_BODY = 2**20
"""Bytes of an error's body that are kept."""


class _WatchedHttp(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        with carried(self):
            super().request(*args, **kwargs)


class _WatchedHttps(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        with carried(self):
            super().request(*args, **kwargs)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


class HttpFetch:
    """GETs with keep-alive, a total deadline and a cap on bodies. Threads may share it."""

    def __init__(self, clock: Clock, connections: int = 64) -> None:
        self._clock = clock
        self._pools = urllib3.PoolManager(maxsize=connections, retries=False)
        self._pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self._watchdog = Watchdog()

    def __call__(self, request: Request) -> Response:
        url = with_params(request.url, request.params)
        with self._watchdog.limit(request.timeout) as guard:
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
        what = f"more than {REDIRECTS} redirects"
        raise HttpError(what, status=answer.status, hint="give `url` the address that they end at")

    def _open(self, request: Request, url: str, guard: Guard) -> urllib3.BaseHTTPResponse:
        """The head of the answer. A kept connection that the server has closed meanwhile costs one more try."""
        how: Any = {
            "redirect": False, "preload_content": False, "decode_content": False, "timeout": _timeout(request),
            "headers": {**HEADERS, **request.headers},
        }  # fmt: skip
        try:
            return self._pools.urlopen("GET", url, **how)
        except urllib3.exceptions.ProtocolError as error:
            if not guard.kept or guard.expired or not isinstance(error.args[-1], ConnectionError):
                raise
            return self._pools.urlopen("GET", url, **how)

    def _whole(self, request: Request, answer: urllib3.BaseHTTPResponse) -> Response:
        encoded = bool(answer.headers.get("content-encoding"))  # what is packed badly may shrink
        cap = request.max_body * (2 if encoded else 1) if 200 <= answer.status <= 299 else ERROR_BODY
        raw = _read(answer, cap)
        left = getattr(answer, "length_remaining", None)
        if len(raw) <= cap and left:
            raise TransientError(f"the body was cut short after {len(raw)} bytes")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if not 200 <= answer.status <= 299:
            raise self._refusal(answer.status, headers, raw)
        if not raw and left is None and headers.get("transfer-encoding", "").lower() != "chunked":
            raise TransientError("the answer was cut short before its body")
        if len(raw) > cap:
            raise _too_large(request)
        return Response(answer.status, headers, _decompressed(raw, headers.get("content-encoding", ""), request))

    def _refusal(self, status: int, headers: dict[str, str], body: bytes) -> TransientError | HttpError:
        if is_transient(status):
            wish = retry_after(headers.get("retry-after"), self._clock.now())
            return TransientError(f"the API answered {status}", retry_after=wish)
        return HttpError(f"the API answered {status}", status=status, hint=_advice(status), body=body or None)


def _read(answer: urllib3.BaseHTTPResponse, cap: int) -> bytes:
    """The body, or its first `cap` + 1 bytes."""
    raw = answer.read(cap + 1)
    if len(raw) > cap:
        answer.close()
    answer.release_conn()
    return raw


def _timeout(request: Request) -> urllib3.Timeout:
    return urllib3.Timeout(connect=min(CONNECT_TIMEOUT, request.timeout), read=request.timeout)


def _redirected(url: str, target: str, status: int) -> str:
    try:
        joined = urljoin(url, target)
    except ValueError:
        raise HttpError("a redirect to what is no url", status=status, hint="ask the API's owner") from None
    if not same_origin(url, joined):
        shown = f"{urlsplit(joined).scheme}://{urlsplit(joined).netloc.rpartition('@')[2]}"
        raise HttpError(
            f"refused a redirect to {shown}", status=status, hint="if that is the API, give `url` its address"
        )
    return joined


def _decompressed(raw: bytes, encoding: str, request: Request) -> bytes:
    if encoding.lower() in ("", "identity"):
        return raw
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise BodyError(f"the body is encoded as {encoding[:40]!r}, which was not asked for", body=raw)
    inflater = isal_zlib.decompressobj(31)
    try:
        body = inflater.decompress(raw, request.max_body + 1)
        if inflater.eof and inflater.unused_data:  # gzip may have several members, one after another
            rest = gzip.GzipFile(fileobj=io.BytesIO(inflater.unused_data))
            body += rest.read(request.max_body + 1 - len(body))
    except EOFError:
        raise TransientError("the gzip body was cut short") from None
    except (isal_zlib.IsalError, gzip.BadGzipFile, zlib.error) as error:  # type: ignore[misc]  # isal's stub
        raise BodyError(f"the body is no gzip: {error}", body=raw) from None
    if len(body) > request.max_body:
        raise _too_large(request)
    if not inflater.eof:
        raise TransientError("the gzip body was cut short")
    return bytes(body)


def _too_large(request: Request) -> BodyError:
    return BodyError(
        f"the body is larger than {request.max_body} bytes", hint="ask for smaller pages, or raise max_body"
    )


def _late(request: Request) -> TransientError:
    return TransientError(
        f"no whole answer within {request.timeout:g} s", hint="raise `timeout` or ask for smaller pages"
    )


def _network_error(
    error: urllib3.exceptions.HTTPError, guard: Guard, request: Request
) -> TransientError | PermanentError:
    if guard.expired:
        return _late(request)
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return TransientError("the host's name cannot be resolved", hint="check the url, or the network")
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # a kind of timeout to urllib3, so it comes first
        return TransientError("the connection was refused", hint="check the url, or whether the API is up")
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return TransientError(f"no connection within {min(CONNECT_TIMEOUT, request.timeout):g} s")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return _late(request)
    if isinstance(error, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return PermanentError("the server's certificate cannot be verified")
    if isinstance(error, urllib3.exceptions.LocationValueError):
        return PermanentError("the url is none")
    return TransientError(f"the connection broke: {type(error).__name__}")


def _advice(status: int) -> str:
    return {
        401: "the API wants credentials, or others",
        403: "these credentials may not read this",
        404: "check `url`; some APIs answer so past the last page: declare a total, or a stop rule",
    }.get(status, "the API takes the request for a wrong one")
