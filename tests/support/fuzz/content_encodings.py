"""Fuzz targets for compressed bodies: gzip must agree with zlib; br and zstd must stay within the size limit."""

from __future__ import annotations

import gzip
import re
import zlib

import brotli
from backports import zstd

from option_a.ingest.errors import BodyError, TransientError
from option_a.ingest.http.content_encoding import decompress
from tests.support.fuzz.checks import expecting
from tests.support.fuzz.engine import Target

PLAIN = b'{"data":[{"id":1},{"id":2}]}' * 20
CAP = 4_000


def gzip_body(data: bytes) -> bool:
    """gzip gives the bytes that zlib gives, never more than the cap, or an error of our own."""
    told, whole = unzipped(data)
    with expecting(BodyError, TransientError):
        body = decompress(data, "gzip", CAP)
        assert len(body) <= CAP
        assert told == "odd" or (told, whole) == ("whole", body)
        return True
    assert told != "whole" or len(whole) > CAP
    return False


def unzipped(data: bytes) -> tuple[str, bytes]:
    """How zlib reads consecutive members; trailing zeros are accepted by some decoders and not by others."""
    whole, rest, odd = b"", data, False
    while rest:
        member = zlib.decompressobj(31)
        try:
            whole += member.decompress(rest, 2 * CAP)
        except zlib.error as error:  # isal ignores reserved flags and header checksums
            return "odd" if odd or re.search("header flags|header crc", str(error)) else "broken", whole
        if not member.eof:
            return ("cut" if len(whole) <= CAP else "whole"), whole
        rest = member.unused_data.lstrip(b"\0")
        odd = odd or rest != member.unused_data
    return "odd" if odd else "whole" if data else "cut", whole


def other_codings(data: bytes) -> bool:
    """br and zstd stay within the cap, or raise an error of our own."""
    taken = False
    for encoding in ("br", "zstd", "x-gzip", "identity", "deflate"):
        with expecting(BodyError, TransientError):
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
