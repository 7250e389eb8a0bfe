"""How a request proves who asks: headers made of secrets that sources.toml names and never holds. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote_plus

import msgspec

from option_a.ingest.headers import check_header
from option_a.ingest.secrets import SCHEMES, reference

Resolve = Callable[[str], str]


class _Style(msgspec.Struct, frozen=True, kw_only=True, tag_field="style", forbid_unknown_fields=True):
    """What every style has in common."""

    def references(self) -> tuple[str, ...]:
        """The secrets that it names."""
        raise NotImplementedError

    def headers(self, resolve: Resolve) -> dict[str, str]:
        """The headers, secrets and all; `resolve` gives the secret of a reference."""
        raise NotImplementedError

    def params(self) -> dict[str, str]:
        """The query parameters that hold secrets: their names to the references."""
        return {}

    def __post_init__(self) -> None:
        for text in self.references():
            reference(text)


class Bearer(_Style, frozen=True, kw_only=True, tag="bearer"):
    """`Authorization: Bearer <token>`."""

    token: str

    def references(self) -> tuple[str, ...]:
        return (self.token,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        return {"Authorization": f"Bearer {resolve(self.token)}"}


class ApiKey(_Style, frozen=True, kw_only=True, tag="api_key"):
    """A key in a header of the API's own, or in a query parameter where the API takes it nowhere else."""

    key: str
    header: str | None = None
    param: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.header is not None and self.param is not None:
            raise ValueError("`header` and `param` are mutually exclusive: the key is sent once")
        if self.header is not None:
            check_header(self.header)

    def references(self) -> tuple[str, ...]:
        return (self.key,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        return {} if self.param is not None else {self.header or "X-Api-Key": resolve(self.key)}

    def params(self) -> dict[str, str]:
        return {} if self.param is None else {self.param: self.key}


class Basic(_Style, frozen=True, kw_only=True, tag="basic"):
    """`Authorization: Basic …` (RFC 7617). The user's name is no secret."""

    username: str
    password: str

    def references(self) -> tuple[str, ...]:
        return (self.password,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        pair = f"{self.username}:{resolve(self.password)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class OAuth2(_Style, frozen=True, kw_only=True, tag="oauth2"):
    """Client credentials (RFC 6749, 4.4): a token is asked for, kept, and renewed before it runs out."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None
    audience: str | None = None
    send: Literal["body", "basic"] = "body"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.token_url.startswith(("https://", "http://")) or not self.token_url.isprintable():
            raise ValueError("`token_url` is not a valid URL: it must begin with https://")

    def references(self) -> tuple[str, ...]:
        named = self.client_id.startswith(SCHEMES)
        return (self.client_id, self.client_secret) if named else (self.client_secret,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        """For the request of the token; those of the source's own hold the token that it gave."""
        if self.send == "body":
            return {}
        pair = ":".join(quote_plus(text) for text in self._client(resolve))  # RFC 6749, 2.3.1
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def form(self, resolve: Resolve) -> dict[str, str]:
        """The form that asks for a token."""
        fields = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        if self.send == "body":
            fields["client_id"], fields["client_secret"] = self._client(resolve)
        return {name: value for name, value in fields.items() if value is not None}

    def _client(self, resolve: Resolve) -> tuple[str, str]:
        name = self.client_id
        return resolve(name) if name.startswith(SCHEMES) else name, resolve(self.client_secret)


Auth = Bearer | ApiKey | Basic | OAuth2
