"""Targets: bodies as they come over the wire, packed; gzip beside zlib, which must say the same."""

from __future__ import annotations

import gzip
import re
import zlib

import brotli
from backports import zstd

from option_a.ingest.errors import BodyError, TransientError
from option_a.ingest.http.content_encoding import decompress
from tests.support.fuzz.engine import Target
from tests.support.fuzz.keys import refused

PLAIN = b'{"data":[{"id":1},{"id":2}]}' * 20
CAP = 4_000


def gzip_body(data: bytes) -> bool:
    """gzip as zlib unpacks it: the same bytes, never beyond the cap, or an error of the tree."""
    told, whole = unzipped(data)
    with refused(BodyError, TransientError):
        body = decompress(data, "gzip", CAP)
        assert len(body) <= CAP
        assert told == "odd" or (told, whole) == ("whole", body)
        return True
    assert told != "whole" or len(whole) > CAP
    return False


def unzipped(data: bytes) -> tuple[str, bytes]:
    """What zlib makes of members one after another; zeros behind them are taken by some, and by others not."""
    whole, rest, odd = b"", data, False
    while rest:
        member = zlib.decompressobj(31)
        try:
            whole += member.decompress(rest, 2 * CAP)
        except zlib.error as error:  # isal reads no flag that is reserved, nor a checksum of the header
            return "odd" if odd or re.search("header flags|header crc", str(error)) else "broken", whole
        if not member.eof:
            return ("cut" if len(whole) <= CAP else "whole"), whole
        rest = member.unused_data.lstrip(b"\0")
        odd = odd or rest != member.unused_data
    return "odd" if odd else "whole" if data else "cut", whole


def other_codings(data: bytes) -> bool:
    """br and zstd: within the cap, or an error of the tree."""
    taken = False
    for encoding in ("br", "zstd", "x-gzip", "identity", "deflate"):
        with refused(BodyError, TransientError):
            body = decompress(data, encoding, CAP)
            assert len(body) <= CAP or encoding == "identity"
            taken = taken or encoding in ("br", "zstd")
    return taken


ZIPPED = [gzip.compress(PLAIN, level) for level in (0, 1, 9)]
TARGETS = [
    Target(
        "gzip bodies",
        [*ZIPPED, ZIPPED[0] + ZIPPED[1], ZIPPED[1] + b"\0" * 9, ZIPPED[1][:-4], gzip.compress(bytes(CAP * 3)), b""],
        gzip_body,
        words=[b"\x1f\x8b\x08", b"\x00" * 8, ZIPPED[1], b"\x1f\x8b\x08\x1e" + b"\0" * 6],
    ),
    Target(
        "br and zstd bodies",
        [brotli.compress(PLAIN), zstd.compress(PLAIN), zstd.compress(PLAIN) * 2, zstd.compress(bytes(CAP * 3)), PLAIN],
        other_codings,
        0.5,
    ),
]
