"""References to secrets: sources.toml names where a secret is, and never holds it. Pure."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Scheme = Literal["env", "file", "aws-secret"]
_REFERENCE = re.compile(r"(env|file|aws-secret):([^\s#]+)(?:#([^\s#]+))?")
FORMS = "env:NAME, file:PATH or aws-secret:NAME#key"
SCHEMES = ("env:", "file:", "aws-secret:")
"""How references begin."""


class Reference(msgspec.Struct, frozen=True):
    """Where a secret is: a variable, a file, or a secret of AWS Secrets Manager, `key` naming a field of its JSON."""

    scheme: Scheme
    name: str
    key: str | None = None


def reference(text: str) -> Reference:
    """The reference that a text is. Raises ValueError; its message never holds the text, which may be a secret."""
    match = _REFERENCE.fullmatch(text)
    if match is None or (match[3] and match[1] != "aws-secret"):
        raise ValueError(f"not a secret reference: write {FORMS}; a secret itself must not stand in sources.toml")
    return msgspec.convert({"scheme": match[1], "name": match[2], "key": match[3]}, Reference)
