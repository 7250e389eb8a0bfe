"""Connections: under a deadline's watch, and to no address that a source may not reach.

The address that is checked is the one that is connected to: a name is resolved once, and what it resolves to is judged
and then dialled. TLS and the Host header still go by the name. Through a proxy the proxy resolves: there the address
is checked only where the URL itself is one.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from option_a.ingest.config import Source
from option_a.ingest.errors import AddressError, PermanentError
from option_a.ingest.http.addresses import METADATA_NAMES, refused
from option_a.ingest.http.deadline import out_of_time, track_connection
from option_a.ingest.http.network import Network
from option_a.ingest.http.proxies import Proxies

for _logger in ("urllib3.connection", "urllib3.connectionpool"):
    # it logs whole URLs, and some hold a key: a function's log would have them
    logging.getLogger(_logger).addFilter(lambda record: False)

Check = Callable[[str, int], list[str]]
"""The addresses of a host that may be dialled. Raises AddressError."""
_HOSTS = 64
"""Hosts to which connections are kept."""


def _resolved(host: str, port: int) -> list[str]:
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in addresses]


class PoolKey(msgspec.Struct, frozen=True):
    """What requests must have in common to share connections."""

    private: bool
    ca_bundle: str | None
    proxy: str | None


class ConnectionPools:
    """Kept connections, those of sources with different rights apart. Threads may share it."""

    def __init__(self, sources: Mapping[str, Source], network: Network, connections: int) -> None:
        self._sources, self._network, self._connections = sources, network, connections
        self._proxies = Proxies(network.env)
        self._made: dict[PoolKey, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def of(self, name: str, url: str) -> urllib3.PoolManager:
        """The connections for a source's request to `url`. Raises AddressError or PermanentError."""
        try:
            parts = urlsplit(url)
        except ValueError:
            hint = "correct `url`, or what the API sends as its next one"
            raise PermanentError("invalid url", hint=hint) from None
        if parts.scheme not in ("http", "https"):
            raise PermanentError("invalid url", hint="it begins with https:// or http://")
        source = self._sources.get(name)
        private = source is not None and source.allow_private
        way = PoolKey(private, source.ca_bundle if source is not None else None, self._proxies.of(url))
        if way.proxy is not None:
            self._check_written(parts.hostname or "", private)
        with self._lock:
            if way not in self._made:
                self._made[way] = self._make(way)
            return self._made[way]

    def _make(self, way: PoolKey) -> urllib3.PoolManager:
        how: dict[str, Any] = {"maxsize": self._connections, "retries": False, "num_pools": _HOSTS}
        if way.ca_bundle is not None:
            how["ssl_context"] = _trusting(os.path.join(self._network.folder, way.ca_bundle))
        if way.proxy is None:
            made = urllib3.PoolManager(**how)
            check = partial(_checked, self._network, private=way.private)  # of `self` it would keep it alive
            classes: Any = {"http": partial(_HttpPool, check=check), "https": partial(_HttpsPool, check=check)}
            made.pool_classes_by_scheme = classes
            return made
        _check_proxy(way.proxy)
        made = urllib3.ProxyManager(way.proxy, proxy_headers=_credentials(way.proxy), **how)
        made.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return made

    def _check_written(self, host: str, private: bool) -> None:
        if host.rstrip(".").lower() in METADATA_NAMES:
            raise _refusal(host, "the name of a cloud's metadata service")
        with suppress(OSError):  # a name: the proxy resolves it
            for *_, address in socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST):
                _judge(self._network, host, str(address[0]), private)


def _checked(network: Network, host: str, port: int, *, private: bool) -> list[str]:
    addresses = (network.resolve or _resolved)(host, port)
    for address in addresses:
        _judge(network, host, address, private)
    return addresses


def _judge(network: Network, host: str, address: str, private: bool) -> None:
    why = refused(host, address, private=private, loopback=network.loopback)
    if why is not None:
        raise _refusal(host, f"{address}, {why}" if address != host else why)


class _Watched(HTTPConnection):
    """A connection that tells its request's deadline what to shut, and dials only what it may."""

    check: Check | None = None
    """None: it goes to a proxy, whose address is its owner's business."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        with track_connection(self):
            super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        if self.check is None:
            return super()._new_conn()
        broken: OSError = OSError("the name has no addresses")
        try:
            for address in self.check(self._dns_host.strip("[]"), self.port):
                if out_of_time():
                    break
                try:
                    return create_connection((address, self.port), self.timeout, None, self.socket_options)
                except OSError as error:
                    broken = error
        except (OSError, UnicodeError):
            raise NameResolutionError(self.host, self, socket.gaierror()) from None
        if isinstance(broken, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from None
        raise NewConnectionError(self, "refused") from None


class _WatchedHttps(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Checked(urllib3.HTTPConnectionPool):
    """Its connections dial only what `check` lets through."""

    def __init__(self, *args: Any, check: Check | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._check = check

    def _new_conn(self) -> Any:
        made: Any = super()._new_conn()
        made.check = self._check
        return made


class _HttpPool(_Checked):
    ConnectionCls = _Watched


class _HttpsPool(_Checked, urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


def _refusal(host: str, why: str) -> AddressError:
    return AddressError(
        f"refused to connect to {host}: it is {why}",
        hint="if the API is in your own network, set allow_private = true; a metadata service is always refused",
    )


def _trusting(path: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise PermanentError(
            f"ca_bundle {path} cannot be read: {why}", hint="it must be a file of PEM certificates"
        ) from None


def _check_proxy(proxy: str) -> None:
    """The error does not repeat it: it may hold a password."""
    try:
        sound = urllib3.util.parse_url(proxy).scheme in ("http", "https") and bool(urlsplit(proxy).hostname)
    except (ValueError, urllib3.exceptions.LocationParseError):
        sound = False
    if not sound:
        hint = "correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: http://proxy.example.com:3128"
        raise PermanentError("unsupported proxy: only http and https", hint=hint)


def _credentials(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(urllib3.make_headers(proxy_basic_auth=pair))
