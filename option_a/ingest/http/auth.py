"""Asks with the credentials that a source names. They are read when they are needed, and once more after a 401."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from functools import partial

import msgspec

from option_a.ingest.config import OAuth2, Source
from option_a.ingest.errors import HttpError, OptionAError, SecretError
from option_a.ingest.headers import UNSENDABLE, is_sendable
from option_a.ingest.http.oauth import Tokens
from option_a.ingest.http.redact import redact
from option_a.ingest.ports import Clock, Fetch, Redact, Request, Response, Secrets
from option_a.ingest.secrets import reference

KEPT = 300.0
"""Seconds for which a secret is kept: one that was rotated is taken up within five minutes, or at the first 401."""


class _Credentials(msgspec.Struct, frozen=True):
    """What is sent along: headers, and query parameters."""

    headers: Mapping[str, str]
    params: Mapping[str, str]

    @property
    def values(self) -> list[str]:
        """The secrets among them: of a header what follows its scheme, a token or the base64 of Basic."""
        return [*self.params.values(), *(value.rpartition(" ")[2] for value in self.headers.values())]


class _SecretCache:
    """Reads secrets by their references and keeps each for a while. Threads may share it."""

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, str]] = {}
        """By reference: when it was read, and the secret."""

    def __call__(self, text: str) -> str:
        """The secret of a reference. Raises SecretError, or TransientError where it may be read later."""
        with self._lock:
            read_at, value = self._kept.get(text, (-KEPT, ""))
            now = self._clock.now()
            if now - read_at >= KEPT:
                value = self._secrets(reference(text))
                self._kept[text] = (now, value)
            return value

    def kept(self, texts: Iterable[str]) -> list[str]:
        """Those of these secrets that have been read."""
        with self._lock:
            return [self._kept[text][1] for text in texts if text in self._kept]

    def forget(self, texts: Iterable[str], *, before: float) -> None:
        """Forget those that were read before then."""
        with self._lock:
            for text in texts:
                if text in self._kept and self._kept[text][0] < before:
                    del self._kept[text]


class Authenticated:
    """A fetch that sends each source's credentials along. Threads may share it."""

    def __init__(self, fetch: Fetch, sources: Mapping[str, Source], secrets: Secrets, clock: Clock) -> None:
        self._fetch, self._sources, self._clock = fetch, sources, clock
        self._secrets = _SecretCache(secrets, clock)
        self._tokens = Tokens(fetch, sources.values(), self._secrets, clock)
        self._named = {name for name, s in sources.items() if s.auth is not None or s.secret_headers or s.secret_params}

    def __call__(self, request: Request) -> Response:
        if request.source not in self._named:
            return self._fetch(request)
        source, began = self._sources[request.source], self._clock.now()
        credentials = self._credentials(source)
        try:
            return self._send(request, source, credentials)
        except HttpError as error:
            if error.status != 401:
                raise
            self._forget(source, before=began)
            renewed = self._credentials(source)
            if renewed == credentials:
                raise
        return self._send(request, source, renewed)

    def _credentials(self, source: Source) -> _Credentials:
        headers = {name: self._secrets(text) for name, text in source.secret_headers.items()}
        if isinstance(source.auth, OAuth2):
            headers["Authorization"] = f"Bearer {self._tokens(source, source.auth)}"
        elif source.auth is not None:
            headers |= source.auth.headers(self._secrets)
        params = {name: self._secrets(text) for name, text in source.secret_params.items()}
        _check_sendable(source, headers.values())
        return _Credentials(headers, params)

    def _send(self, request: Request, source: Source, credentials: _Credentials) -> Response:
        """Send the request. What comes back, be it a response or an error, redacts the secrets that were sent."""
        headers = {**request.headers, **credentials.headers}
        redacted: Redact = partial(self._redact, source, credentials)
        try:
            response = self._fetch(msgspec.structs.replace(request, headers=headers, credentials=credentials.params))
        except OptionAError as error:
            if error.body is not None:
                error.body = redacted(error.body)
            raise
        return msgspec.structs.replace(response, redact=redacted)

    def _redact(self, source: Source, credentials: _Credentials, body: bytes) -> bytes:
        return redact(body, [*self._secrets.kept(source.secrets), *credentials.values])

    def _forget(self, source: Source, *, before: float) -> None:
        """Forget what was read, or given, before this request: it may have been rotated or revoked."""
        if isinstance(source.auth, OAuth2):
            self._tokens.forget(source.auth, before=before)
        self._secrets.forget(source.secrets, before=before)


def _check_sendable(source: Source, values: Iterable[str]) -> None:
    """Raises SecretError for a value that no header may hold."""
    if not all(map(is_sendable, values)):
        raise SecretError(
            f"a secret of {', '.join(source.secrets)} contains what no header may: {UNSENDABLE}",
            hint="store the bare value",
        )
