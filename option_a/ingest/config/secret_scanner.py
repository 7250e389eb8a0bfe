"""Secrets in the clear: what looks like one in sources.toml is refused, and never repeated. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from option_a.ingest.headers import UNSENDABLE, check_header, is_sendable
from option_a.ingest.secrets import FORMS, SCHEMES, reference

_NAME = re.compile(
    r"authori[sz]ation|api[-_ ]?key|access[-_ ]?key|secret|passw(or)?d|credential|signature|cookie|bearer|token$"
)
_POSITION = re.compile(r"(page|next|continuation|sync|cursor|start|after)[-_ ]?token$")
_KNOWN = re.compile(r"(Bearer|Basic|Token) \S|[srp]k_(live|test)_|gh[a-z]_|glpat-|xox[a-z]-|AKIA[0-9A-Z]{12}|eyJ\w{16}")
_RUN = re.compile(r"[A-Za-z0-9+]{20,}")
_BITS = 3.5
"""A letter of a random key holds more than this, one of a word less."""


def is_reference(value: Any) -> bool:
    """Whether a text names a secret rather than being one."""
    return isinstance(value, str) and value.startswith(SCHEMES)


def check_request(
    method: str, headers: Mapping[str, str], params: Mapping[str, Any], body: Mapping[str, Any] | None
) -> None:
    """Raises ValueError for what a request may not hold: secrets above all."""
    if body is not None and method == "GET":
        raise ValueError('`body` needs method = "POST"')
    for name, value in headers.items():
        check_header(name)
        if not is_sendable(value):
            raise ValueError(f"`headers.{name}` contains what no header may: {UNSENDABLE}")
    for key, table in (("headers", headers), ("params", params)):
        _check_open(key, table)
    check_body(body)


def _check_open(key: str, table: Mapping[str, Any]) -> None:
    for name, value in table.items():
        if is_reference(value):
            reference(value)
        elif looks_secret(name, value):
            raise ValueError(f"`{key}.{name}` looks like a secret: write a reference instead ({FORMS})")


def check_body(body: Any, path: str = "body") -> None:
    """Raises ValueError for a value of a body that is a secret, or names one."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            if is_reference(value) or looks_secret(name, value):
                raise ValueError(f"`{path}.{name}` looks like a secret: send it by `auth` or `headers`, as {FORMS}")
            check_body(value, f"{path}.{name}")
    elif isinstance(body, list):
        for item in body:
            check_body({"": item} if isinstance(item, str) else item, path)


def looks_secret(name: str, value: Any) -> bool:
    """Whether a value is one by its name, by its beginning, or because it is long and random."""
    if not isinstance(value, str) or not value or re.fullmatch(r"\{\w+\}", value):
        return False
    plain = name.lower()
    if _NAME.search(plain) and not _POSITION.search(plain):
        return True
    return _KNOWN.match(value) is not None or any(map(_random, _RUN.findall(value)))


def _random(run: str) -> bool:
    digits = sum(letter.isdigit() for letter in run)
    shares = [run.count(letter) / len(run) for letter in set(run)]
    bits = -sum(share * math.log2(share) for share in shares)
    return 3 <= digits < len(run) and bits >= _BITS
