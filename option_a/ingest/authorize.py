"""Asks with the credentials that a source names. They are read when they are needed, and once more after a 401."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import msgspec

from option_a.ingest.auth import Auth, reference
from option_a.ingest.errors import HttpError, SecretError
from option_a.ingest.ports import Clock, Fetch, Request, Response, Secrets
from option_a.ingest.source import Source

KEPT = 300.0
"""Seconds for which a secret is kept: one that was rotated is taken up within five minutes, or at the first 401."""


class Authorized:
    """A fetch that sends each source's credentials along. Threads may share it."""

    def __init__(self, fetch: Fetch, sources: Mapping[str, Source], secrets: Secrets, clock: Clock) -> None:
        self._fetch, self._sources, self._secrets, self._clock = fetch, sources, secrets, clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, str]] = {}

    def __call__(self, request: Request) -> Response:
        source, began = self._sources[request.source], self._clock.now()
        if source.auth is None:
            return self._fetch(request)
        sent = self._headers(source, source.auth)
        try:
            return self._fetch(msgspec.structs.replace(request, headers=sent))
        except HttpError as error:
            if error.status != 401:
                raise
            self._forget(source, before=began)
            renewed = self._headers(source, source.auth)
            if renewed == sent:
                raise
        return self._fetch(msgspec.structs.replace(request, headers=renewed))

    def _headers(self, source: Source, auth: Auth) -> dict[str, str]:
        return {name: _sound(source, value) for name, value in auth.headers(self._secret).items()}

    def _secret(self, text: str) -> str:
        with self._lock:
            read_at, value = self._kept.get(text, (-KEPT, ""))
            now = self._clock.now()
            if now - read_at >= KEPT:
                value = self._secrets(reference(text))
                self._kept[text] = (now, value)
            return value

    def _forget(self, source: Source, *, before: float) -> None:
        """Forget what was read before this request: it may have been rotated."""
        with self._lock:
            for text in source.secrets:
                if self._kept.get(text, (before, ""))[0] < before:
                    del self._kept[text]


def _sound(source: Source, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise SecretError(
            f"a secret of {', '.join(source.secrets)} holds what no header may: a line break or a letter beyond ASCII",
            hint="store the bare value",
        )
    return value
