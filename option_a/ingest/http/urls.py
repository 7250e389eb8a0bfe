"""What is done to URLs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import SplitResult, unquote_plus, urlencode, urlsplit


def with_params(url: str, params: Mapping[str, str]) -> str:
    """The URL with more query parameters behind those that it has."""
    if not params:
        return url
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + joint + urlencode(params)


def without_params(url: str, names: Collection[str]) -> str:
    """The URL without these query parameters, and else as it is: an API may repeat a key in the URLs that it gives."""
    if not names:
        return url
    head, mark, query = url.partition("?")
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in names]
    return head + (mark + "&".join(kept) if kept else "")


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one scheme, host and port: where credentials may go along."""
    try:
        return _origin(urlsplit(one)) == _origin(urlsplit(other))
    except ValueError:
        return False  # a port that is none, or a host that every reader sees elsewhere


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    if "\\" in parts.netloc:  # https://evil.test\\@api.test: to urllib3 the host is evil.test, to urllib api.test
        raise ValueError(parts.netloc)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
