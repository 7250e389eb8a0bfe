"""Asks with the credentials that a source names. They are read when they are needed, and once more after a 401."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from urllib.parse import quote, quote_plus

import msgspec

from option_a.ingest.config.auth import OAuth2
from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError, OptionAError, SecretError
from option_a.ingest.http.oauth import Tokens
from option_a.ingest.ports import Clock, Fetch, Request, Response, Secrets
from option_a.ingest.secrets import reference

KEPT = 300.0
"""Seconds for which a secret is kept: one that was rotated is taken up within five minutes, or at the first 401."""
_HIDDEN = b"***"
_ESCAPED = ("<>&", "<>&'", "<>&'+`")
"""What encoders of JSON escape besides, lest a page of HTML takes it for its own: Go, PHP, .NET."""
_ESCAPES: tuple[Callable[[re.Match[str]], str], ...] = (
    lambda found: f"\\u{ord(found[0]):04x}",
    lambda found: f"\\u{ord(found[0]):04X}",
)
_TELLING = 6
"""Characters from which on a secret is looked for in what an API answers."""


class _Credentials(msgspec.Struct, frozen=True):
    """What is sent along: headers, and query parameters."""

    headers: Mapping[str, str]
    params: Mapping[str, str]


class Authenticated:
    """A fetch that sends each source's credentials along. Threads may share it."""

    def __init__(self, fetch: Fetch, sources: Mapping[str, Source], secrets: Secrets, clock: Clock) -> None:
        self._fetch, self._sources, self._secrets, self._clock = fetch, sources, secrets, clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, str]] = {}
        self._tokens = Tokens(fetch, sources.values(), self._secret, clock)
        self._named = {name for name, s in sources.items() if s.auth is not None or s.secret_headers or s.secret_params}

    def __call__(self, request: Request) -> Response:
        if request.source not in self._named:
            return self._fetch(request)
        source, began = self._sources[request.source], self._clock.now()
        sent = self._credentials(source)
        try:
            return self._send(request, source, sent)
        except HttpError as error:
            if error.status != 401:
                raise
            self._forget(source, before=began)
            renewed = self._credentials(source)
            if renewed == sent:
                raise
        return self._send(request, source, renewed)

    def _credentials(self, source: Source) -> _Credentials:
        headers = {name: self._secret(text) for name, text in source.secret_headers.items()}
        if isinstance(source.auth, OAuth2):
            headers["Authorization"] = f"Bearer {self._tokens(source, source.auth)}"
        elif source.auth is not None:
            headers |= source.auth.headers(self._secret)
        params = {name: self._secret(text) for name, text in source.secret_params.items()}
        return _Credentials({name: _sound(source, value) for name, value in headers.items()}, params)

    def _send(self, request: Request, source: Source, sent: _Credentials) -> Response:
        headers = {**request.headers, **sent.headers}
        hide: Callable[[bytes], bytes] = partial(self._hidden, source, sent)
        try:
            response = self._fetch(msgspec.structs.replace(request, headers=headers, credentials=sent.params))
        except OptionAError as error:
            if error.body is not None:
                error.body = hide(error.body)
            raise
        return msgspec.structs.replace(response, redact=hide)

    def _hidden(self, source: Source, sent: _Credentials, data: bytes) -> bytes:
        coded = [value.rpartition(" ")[2] for value in sent.headers.values()]  # a token, or Basic's base64
        return _hidden(data, [*self._values(source), *sent.params.values(), *coded])

    def _values(self, source: Source) -> list[str]:
        """Every secret of the source that was read."""
        with self._lock:
            return [self._kept[text][1] for text in source.secrets if text in self._kept]

    def _secret(self, text: str) -> str:
        with self._lock:
            read_at, value = self._kept.get(text, (-KEPT, ""))
            now = self._clock.now()
            if now - read_at >= KEPT:
                value = self._secrets(reference(text))
                self._kept[text] = (now, value)
            return value

    def _forget(self, source: Source, *, before: float) -> None:
        """Forget what was read, or given, before this request: it may have been rotated or revoked."""
        if isinstance(source.auth, OAuth2):
            self._tokens.forget(source.auth, before=before)
        with self._lock:
            for text in source.secrets:
                if self._kept.get(text, (before, ""))[0] < before:
                    del self._kept[text]


def _hidden(body: bytes, values: Iterable[str]) -> bytes:
    """A body that is kept to be looked at: some APIs repeat the key, in their refusals or in their URLs."""
    for value in values:
        for spelling in _spellings(value) if len(value) >= _TELLING else ():
            body = body.replace(spelling.encode(), _HIDDEN)
    return body


def _spellings(value: str) -> list[str]:
    """The value as it is and as URLs have it, each in a text, in JSON and in HTML; the longest first."""
    quoted = [quote(value), quote(value, ""), quote_plus(value)]
    lower = [re.sub("%..", lambda digits: digits[0].lower(), text) for text in quoted]
    coded = {spelt for text in (value, *quoted, *lower) for spelt in (text, json.dumps(text)[1:-1], html.escape(text))}
    coded |= {re.sub(f"[{chars}]", escape, json.dumps(value)[1:-1]) for chars in _ESCAPED for escape in _ESCAPES}
    return sorted(coded | {text.replace("/", "\\/") for text in coded}, key=len, reverse=True)


def _sound(source: Source, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise SecretError(
            f"a secret of {', '.join(source.secrets)} holds what no header may: a line break or a letter beyond ASCII",
            hint="store the bare value",
        )
    return value
