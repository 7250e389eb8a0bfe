"""Access tokens of OAuth2 clients: asked for by the same fetch, kept, and renewed before they run out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlencode, urlsplit

import msgspec

from option_a.ingest.config import OAuth2, Source
from option_a.ingest.errors import HttpError, SecretError, TransientError
from option_a.ingest.jsontext import decode_or_none
from option_a.ingest.ports import Clock, Fetch, Request

LIFE = 300.0
"""Seconds for which a token is kept where the answer does not say."""
EARLY = 60.0
"""Seconds before its end at which a token is renewed; of a short life a tenth."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LARGEST = 2**20
_HINT = "check `token_url`, `client_id`, `client_secret` and `scope`, then option-a redrive"


class _Grant(msgspec.Struct):
    """What a token endpoint answers (RFC 6749, 5.1), as far as it is needed."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6749's word
    expires_in: float | str | None = None


class _Refusal(msgspec.Struct):
    """What it answers where it gives none (5.2)."""

    error: str


class _Kept(msgspec.Struct, frozen=True):
    token: str
    given: float
    until: float


class Tokens:
    """The token of each client. Threads may share it: one asks, the others wait for the same token."""

    def __init__(self, fetch: Fetch, sources: Iterable[Source], secret: Callable[[str], str], clock: Clock) -> None:
        self._fetch, self._secret, self._clock = fetch, secret, clock
        self._locks = {source.auth: threading.Lock() for source in sources if isinstance(source.auth, OAuth2)}
        self._kept: dict[OAuth2, _Kept] = {}

    def __call__(self, source: Source, auth: OAuth2) -> str:
        """The client's token. Raises SecretError where none is given, TransientError where it may be later."""
        with self._locks[auth]:
            kept, now = self._kept.get(auth), self._clock.now()
            if kept is None or now >= kept.until:
                grant = self._granted(source, auth)
                life = _seconds(grant.expires_in)
                kept = self._kept[auth] = _Kept(grant.access_token, now, now + life - min(EARLY, life / 10))
            return kept.token

    def forget(self, auth: OAuth2, *, before: float) -> None:
        """Forget a token that was given before then."""
        with self._locks[auth]:
            if auth in self._kept and self._kept[auth].given < before:
                del self._kept[auth]

    def _granted(self, source: Source, auth: OAuth2) -> _Grant:
        form = urlencode(auth.form(self._secret)).encode()
        headers = {**_FORM, **auth.headers(self._secret)}
        asked = Request(source.name, auth.token_url, {}, source.timeout, _LARGEST, headers, method="POST", body=form)
        host = urlsplit(auth.token_url).hostname
        try:
            body = self._fetch(asked).body
        except TransientError as error:
            raise TransientError(f"no token from {host}: {error.what}", retry_after=error.retry_after) from None
        except HttpError as error:
            raise SecretError(f"no token from {host}: {error.what}{_why(error.body)}", hint=_HINT) from None
        return _read(body, str(host))


_GRANT, _REFUSAL = msgspec.json.Decoder(_Grant), msgspec.json.Decoder(_Refusal)


def _read(body: bytes, host: str) -> _Grant:
    grant = decode_or_none(_GRANT, body)
    if grant is None:
        raise SecretError(f"{host} did not return a token", hint=_HINT)
    if grant.token_type.lower() != "bearer" or not grant.access_token:
        raise SecretError(f"{host} did not return a bearer token", hint=_HINT)
    return grant


def _why(body: bytes | None) -> str:
    """The error code of RFC 6749, 5.2, and nothing else of the answer: it may repeat the secret."""
    refusal = decode_or_none(_REFUSAL, body or b"")
    return f", {refusal.error}" if refusal is not None and refusal.error in _CODES else ""


_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
) | {"invalid_scope", "invalid_target"}


def _seconds(life: float | str | None) -> float:
    try:
        return max(1.0, float(life)) if life is not None else LIFE
    except ValueError:
        return LIFE
