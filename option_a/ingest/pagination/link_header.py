"""The Link header of RFC 8288: relation to target. Pure."""

from __future__ import annotations

import re

# possessive throughout: a header that is none costs one pass, however long it is
_TARGET = re.compile(r"<([^>]*+)>")
_PARAM = re.compile(r"""\s*+;\s*+(?:([!#$%&'*+.^_`|~0-9A-Za-z-]++)\s*+(?:=\s*+("(?:[^"\\]|\\.)*+"|[^\s",;]*+))?+)?+""")
_BETWEEN = re.compile(r"[\s,]*+")
_ESCAPED = re.compile(r"\\(.)")


class MalformedLink(ValueError):
    """Text that is no Link header."""


def link_targets(header: str) -> dict[str, str]:
    """The target of each relation, relations in lower case; of two links of one relation the first counts.

    A link with an `anchor` is about another resource, and is left out. Raises Malformed.
    """
    links: dict[str, str] = {}
    at = _skip(header, 0)
    while at < len(header):
        target = _TARGET.match(header, at)
        if target is None:
            raise MalformedLink(header[at : at + 40])
        params, at = _params(header, target.end())
        if "anchor" not in params:
            for relation in params.get("rel", "").lower().split():
                links.setdefault(relation, target[1].strip())
        at = _separated(header, at)
    return links


def _params(header: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters that follow a target, the first of each name, and where they end."""
    params: dict[str, str] = {}
    while (param := _PARAM.match(header, at)) is not None:
        if param[1]:
            params.setdefault(param[1].lower(), _plain(param[2] or ""))
        at = param.end()
    return params, at


def _plain(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _separated(header: str, at: int) -> int:
    after = _skip(header, at)
    if after < len(header) and "," not in header[at:after]:
        raise MalformedLink(header[at : at + 40])
    return after


def _skip(header: str, at: int) -> int:
    matched = _BETWEEN.match(header, at)
    return matched.end() if matched else at
