"""How a request proves who asks: headers made of secrets that sources.toml names and never holds. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Literal

import msgspec

Scheme = Literal["env", "file", "aws-secret"]
Resolve = Callable[[str], str]

_REFERENCE = re.compile(r"(env|file|aws-secret):([^\s#]+)(?:#([^\s#]+))?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FORMS = "env:NAME, file:PATH or aws-secret:NAME#key"


class Reference(msgspec.Struct, frozen=True):
    """Where a secret is: a variable, a file, or a secret of AWS Secrets Manager, `key` naming a field of its JSON."""

    scheme: Scheme
    name: str
    key: str | None = None


def reference(text: str) -> Reference:
    """The reference that a text is. Raises ValueError; its message never holds the text, which may be a secret."""
    match = _REFERENCE.fullmatch(text)
    if match is None or (match[3] and match[1] != "aws-secret"):
        raise ValueError(f"a secret in it is no reference: write {FORMS}; a secret itself never stands in sources.toml")
    return msgspec.convert({"scheme": match[1], "name": match[2], "key": match[3]}, Reference)


class _Style(msgspec.Struct, frozen=True, kw_only=True, tag_field="style", forbid_unknown_fields=True):
    """What every style has in common."""

    def references(self) -> tuple[str, ...]:
        """The secrets that it names."""
        raise NotImplementedError

    def headers(self, resolve: Resolve) -> dict[str, str]:
        """The headers, secrets and all; `resolve` gives the secret of a reference."""
        raise NotImplementedError

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
    """A key in a header of the API's own."""

    key: str
    header: str = "X-Api-Key"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _TOKEN.fullmatch(self.header):
            raise ValueError(f"`header` {self.header!r} is no name of a header")

    def references(self) -> tuple[str, ...]:
        return (self.key,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        return {self.header: resolve(self.key)}


class Basic(_Style, frozen=True, kw_only=True, tag="basic"):
    """`Authorization: Basic …` (RFC 7617). The user's name is no secret."""

    username: str
    password: str

    def references(self) -> tuple[str, ...]:
        return (self.password,)

    def headers(self, resolve: Resolve) -> dict[str, str]:
        pair = f"{self.username}:{resolve(self.password)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


Auth = Bearer | ApiKey | Basic
