"""Removes secrets from a body that is kept or shown: some APIs repeat the key, in a refusal or in a URL. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""Characters of a secret; shorter ones are not redacted: they match by chance."""
_REDACTED = b"***"
_HTML_SAFE = ("<>&", "<>&'", "<>&'+`")
"""What the JSON encoders of Go, PHP and .NET escape as well, lest a page take it for HTML."""


def redact(body: bytes, secrets: Iterable[str]) -> bytes:
    """The body with `***` for each secret, in every spelling."""
    for secret in secrets:
        for spelling in _spellings(secret) if len(secret) >= SHORTEST else ():
            body = body.replace(spelling.encode(), _REDACTED)
    return body


def _spellings(secret: str) -> list[str]:
    """The secret as text, URLs, JSON and HTML spell it; the longest first, since one may be part of another."""
    plain = {secret, *_in_urls(secret)}
    found = plain | {_in_json(text) for text in plain} | {html.escape(text) for text in plain}
    found |= {
        _escaped(_in_json(secret), characters, digits) for characters in _HTML_SAFE for digits in ("04x", "04X")
    }  # fmt: skip
    found |= {text.replace("/", "\\/") for text in found}
    return sorted(found, key=len, reverse=True)


def _in_urls(secret: str) -> set[str]:
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return encoded | {re.sub("%..", lambda code: code[0].lower(), text) for text in encoded}


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _escaped(text: str, characters: str, digits: str) -> str:
    """The text with `\\u003c` for each of the characters; `digits` formats the four digits."""
    return re.sub(f"[{characters}]", lambda found: f"\\u{ord(found[0]):{digits}}", text)
