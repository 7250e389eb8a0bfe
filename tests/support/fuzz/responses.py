"""Fuzz targets for the rest of a response: pagination, URLs, addresses, and headers such as Retry-After and Link."""

from __future__ import annotations

import ipaddress
import json
import math
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import urllib3

from option_a.ingest.config.duration import interval
from option_a.ingest.config.source import Source
from option_a.ingest.errors import PaginationError, TotalError
from option_a.ingest.http.addresses import is_loopback, kind
from option_a.ingest.http.addresses import refused as unreachable
from option_a.ingest.http.request import build_request, resolve_next
from option_a.ingest.http.urls import same_origin, with_params, without_params
from option_a.ingest.jsontext.decode import decode_exact
from option_a.ingest.jsontext.parser import MalformedJson as NoJson
from option_a.ingest.jsontext.parser import parse
from option_a.ingest.manifest.model import Load, cursor_digest
from option_a.ingest.pagination import PageResponse
from option_a.ingest.pagination.link_header import MalformedLink, link_targets
from option_a.ingest.pagination.style import text as cursor_text
from option_a.ingest.resilience.rate_limit_headers import seconds_until_reset, server_time
from option_a.ingest.resilience.retry import parse_retry_after
from option_a.ingest.task import Task
from tests.support.clock import NOW
from tests.support.fuzz.checks import expecting
from tests.support.fuzz.engine import Target
from tests.support.pipeline import DATE, RUN, source

TASK = Task("s", DATE, RUN)
NUMBERS = [b'{"next":%b}' % digits for digits in (b"1.10", b"1E+2", b"-1.0", b"0.1e1", b"1e400", b"9" * 5_000)]
BASE = "https://api.test/v1/s?x=1"
_CURSOR = {"style": "cursor", "path": "next"}
_POST = {"method": "POST", "body": {"d": "{date}", "c": "{cursor}"}, "date_param": None}
PLAIN = 7
STYLES: list[Source] = [
    source(url=BASE, pagination=table, **more)
    for table, more in [
        ({"style": "page", "total_pages": "pages"}, {}), ({"style": "page", "total_records": "total", "size": 2}, {}),
        ({"style": "page", "has_more": "more"}, {}), ({"style": "page", "total_pages": "header:X-Pages"}, {}),
        ({"style": "page", "stop": "short", "size": 3}, {}), ({"style": "offset", "size": 2, "total_records": "total"},
        {}),
        ({"style": "offset", "size": 2, "has_more": "more"}, {}), (_CURSOR, {}), (_CURSOR, _POST),
        ({**_CURSOR, "send": "header", "param": "X-Cursor"}, {}), ({**_CURSOR, "stop": "next_missing"}, {}),
        ({**_CURSOR, "has_more": "more"}, {}), ({**_CURSOR, "stop": "short", "size": 2}, {}),
        ({"style": "cursor", "record": "id"}, {}), ({"style": "cursor", "path": "header:X-Next",
        "stop": "next_missing"}, {}),
        ({"style": "next_url"}, {}), ({"style": "next_url", "path": "links.next", "stop": "next_missing"}, {}),
        ({"style": "link"}, {}), ({"style": "link", "param": "page"}, {}), ({"style": "none",
        "total_records": "total"}, {}),
    ]
]  # fmt: skip
TOLD = [
    {"pages": 3, "total": 6, "more": True, "next": "c2", "id": 7, "links": {"next": "/s?page=2"}},
    {"pages": "3", "total": "6", "more": "false", "next": 17, "id": [1, "a"], "links": {"next": BASE + "&page=2"}},
    {"pages": 1.0, "total": None, "more": 0, "next": None, "id": 1.10, "links": {}}, {"next": "?page=2"}, [], 5,
    {"next": {"a": 1}, "total": -1}, {"next": "\ud800"}, {"next": 10**30}, {"next": [1, "a", 10**30]},
    {"next": "https://evil.test/"}, {"next": "\\\\evil.test/x"},
    {"next": "//evil.test/x"},
    {"next": "https://api.test@evil.test/"}, {"next": "https://evil.test\\@api.test/"},
    {"next": "ht\ntps://evil.test"},
]  # fmt: skip


def answer(data: bytes) -> bool:
    """In every style a body yields an end, a storable and requestable next position, or a pagination error."""
    try:
        parse(data, 0)
    except NoJson:
        return False
    meta: Any = decode_exact(data)
    shown = data[:200].decode("latin-1")
    headers = {"x-pages": shown, "x-next": shown, "link": f'<{shown}>; rel="next", <?page=9>; rel=last'}
    spelt = spelt_next(data)
    taken = 0
    for declared in STYLES:
        with expecting(PaginationError, TotalError):
            told = declared.pagination.read(PageResponse(1, 2, 2, meta, headers, data.replace(b"\n", b" ")))
            told = resolve_next(declared, None, told)
            check_told(declared, told.cursor)
            if declared is STYLES[PLAIN] and isinstance(spelt, str):
                assert told.cursor is None or cursor_text(told.cursor) == spelt
            assert told.last is None or told.last >= 1
            taken += 1
    return taken > len(STYLES) // 2


def spelt_next(data: bytes) -> Any:
    """The cursor as the standard library reads it, numbers as written, except that -0 is 0."""
    try:
        value = json.loads(data, parse_int=str, parse_float=str)
    except RecursionError:
        return None
    found = value.get("next") if isinstance(value, dict) else None
    return "0" if found == "-0" else found


def check_told(declared: Source, cursor: Any) -> None:
    """The cursor survives storage, and the next page is requested from the same host."""
    load = Load(run=TASK.run, origin="real", shape="", started=NOW, cursor=cursor)
    again = msgspec.json.decode(msgspec.json.encode(load), type=Load).cursor
    assert again == cursor, (again, cursor)
    request = build_request(declared, TASK, 2, again)
    url = with_params(request.url, request.params)
    assert dials_same_host(url), url
    assert all(value.isascii() and value.isprintable() for value in request.headers.values())
    if cursor is not None:
        assert cursor_digest(cursor)


def dials_same_host(url: str) -> bool:
    """Whether the HTTP library sees the source's host in this URL."""
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return True  # never connected to
    return parts.host is None or (parts.scheme, parts.host, parts.port or 443) == ("https", "api.test", 443)


URLS = [
    BASE, "https://api.test:443/x", "https://API.TEST/x", "http://api.test/", "https://api.test@evil.test/",
    "//evil.test", "https:evil.test",
    "https://evil.test\\@api.test/", "https://api.test\\.evil.test/", "https://api.test#@evil.test/",
    "https://api.test:80/", "https://[::1]/",
    "https://api.test?key=s&z=%20&key=t", "https://api.test/x?KEY=s;key=t&k%65y=u", "https://api.test./",
    "https://api.test%00.evil/", "",
]  # fmt: skip


def url(data: bytes) -> bool:
    """The HTTP library agrees on what is the same origin; a removed parameter is gone."""
    text = data.decode("utf-8", "surrogateescape")
    same = same_origin(BASE, text)
    if same:
        assert dials_same_host(text), text
    left = without_params(text, ["key"])
    assert len(left) <= len(text)
    query = left.partition("?")[2]
    assert "key" not in [name for name, _ in parse_qsl(query, keep_blank_values=True)], left
    return same


ADDRESSES = [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "8.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1%eth0", "fd00:ec2::254", "2001:db8::1", "0.0.0.0", "::", "224.0.0.1", "192.0.0.192", "fec0::1",
    "255.255.255.255", "::127.0.0.1",
    "::ffff:169.254.169.254", "2002:a9fe:a9fe::",
]  # fmt: skip


def address(data: bytes) -> bool:
    """Addresses outside the public internet are refused; four or sixteen bytes are addresses too."""
    found = _address(data)
    is_loopback(data.decode("latin-1"))
    if found is None:
        return False
    why = unreachable("api.test", str(found), private=False, loopback=False)
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    assert why is not None or inner.is_global, found
    assert why is not None or not (inner.is_loopback or inner.is_link_local or inner.is_multicast), found
    if kind(str(found)) in ("metadata", "unroutable") or str(inner) == "169.254.169.254":
        assert unreachable("localhost", str(found), private=True, loopback=True) is not None
    return why is None


def _address(data: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(data if len(data) in (4, 16) else data.decode("latin-1"))
    except ValueError:
        return None


HEADERS = [
    b"120", b"Wed, 21 Oct 2023 07:28:00 GMT", b"Wed, 21 Oct 2023 07:28:00 -0000", b"21 Oct 2023", b"0", b"-1", b"1e3",
    b"99999999999999",
    b'"default";r=0;t=30', b"limit=10, remaining=0, reset=30", b"0;0;1700000100", b"0;5", b"0;1700000100000", b"10/s",
    b"600 / min", b"1/h",
    b'<https://api.test/s?page=2>; rel="next", <https://api.test/s?page=9>; rel="last"',
    b"<>; rel=next; a=\"\\\"\"; b", b"<a>;rel=\"next x\",<b>",
    b"<a>" + b"; a=b" * 900, b"<a>,, ,<b>;;rel=next;anchor=\"#\"", b"Sun, 06 Nov 1994 08:49:37 GMT, 5", b"(",
    b"Mon, 31 Feb 2023 25:61:61 +9999",
]  # fmt: skip


def header(data: bytes) -> bool:
    """Waits requested by servers are finite seconds or None; links are targets or Malformed."""
    text = data.decode("latin-1")
    wait = parse_retry_after(text, NOW)
    assert wait is None or 0.0 <= wait < math.inf
    left, _, reset = text.partition(";")
    for told in (
        {"ratelimit": text}, {"x-ratelimit-remaining": left, "x-ratelimit-reset": reset, "date": text},
        {"ratelimit-remaining": "0", "ratelimit-reset": text},
    ):  # fmt: skip
        found = seconds_until_reset(told, NOW)
        assert found is None or 0.0 <= found < math.inf
        assert math.isfinite(server_time(told, NOW))
    with expecting(ValueError):
        assert 0.0 < interval(text) <= 60.0
    with expecting(MalformedLink):
        return bool(link_targets(text))
    return wait is not None


_HOSTS = [
    b"\\", b"@", b"#", b"?", b"//", b"key=", b"&key=", b"evil.test", b"https://", b":443", b"%40", b"%2f", b"api.test",
    b"\t", b".",
]  # fmt: skip
_PACKED = [ipaddress.ip_address("10.1.2.3").packed, bytes(16)]
_WISHES = [b"GMT", b"; ", b"rel=", b'"', b"<", b">", b"remaining=0", b"reset=", b"r=", b"t=", b"/min"]
TARGETS = [
    Target("what answers tell", [*(json.dumps(told).encode() for told in TOLD), *NUMBERS], answer, 0.2),
    Target("URLs", [text.encode() for text in URLS], url, 0.3, _HOSTS),
    Target(
        "addresses",
        [*(text.encode() for text in ADDRESSES), *_PACKED],
        address,
        2.0,
        [b"::", b"ffff:", b"127.", b"0x7f", b"%", b"64:ff9b::"],
    ),
    Target("headers", HEADERS, header, 2.0, _WISHES),
]
