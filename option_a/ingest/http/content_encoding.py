"""Bodies as they come over the wire, unpacked: gzip always, br and zstd where their libraries are installed.

Whatever a body claims, no more than the cap is ever held: each unpacker is told where to stop.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from isal import isal_zlib

from option_a.ingest.errors import BodyError, TransientError

Inflate = Callable[[bytes, int], bytes]
_WINDOW = 23
"""zstd's window, as a power of two: RFC 9659 lets no content encoding ask for more than 8 MB."""

try:
    import brotli
except ImportError:  # a Lambda carries none
    brotli: Any = None  # type: ignore[no-redef]
try:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
except ImportError:
    zstd: Any = None  # type: ignore[no-redef]


class _Cut(Exception):
    """The body ended before its encoding did."""


class _Broken(Exception):
    """The body is not what its encoding says."""


def decompress(raw: bytes, encoding: str, limit: int) -> bytes:
    """The body, at most `limit` bytes of it. Raises TransientError for one that was cut, BodyError for any other."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return raw
    inflate = _INFLATERS.get(name)
    if inflate is None:
        hint = "ask the API's owner, or see which proxy stands between"
        raise BodyError(f"the body is encoded as {encoding[:40]!r}, which was not requested", hint=hint, body=raw)
    shown = name.removeprefix("x-")
    try:
        body = inflate(raw, limit + 1)
    except _Cut:
        raise TransientError(f"the {shown} body was cut short") from None
    except _Broken as error:
        hint = "ask the API's owner, or see which proxy stands between"
        raise BodyError(f"the body is not {shown}: {error}", hint=hint, body=raw) from None
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> BodyError:
    """A body beyond `max_body`."""
    return BodyError(f"the body is larger than {limit} bytes", hint="ask for smaller pages, or raise max_body")


def _gzip(raw: bytes, limit: int) -> bytes:
    inflater = isal_zlib.decompressobj(31)
    try:
        body = inflater.decompress(raw, limit)
        if inflater.eof and inflater.unused_data:  # gzip may have several members, one after another
            body += gzip.GzipFile(fileobj=io.BytesIO(inflater.unused_data)).read(limit - len(body))
    except EOFError:
        raise _Cut from None
    except (isal_zlib.IsalError, gzip.BadGzipFile, zlib.error) as error:  # type: ignore[misc]  # isal's stub
        raise _Broken(error) from None
    if not inflater.eof and len(body) < limit:
        raise _Cut
    return bytes(body)


def _brotli(raw: bytes, limit: int) -> bytes:
    inflater, pieces, size, rest = brotli.Decompressor(), [], 0, raw
    try:
        while size < limit and not inflater.is_finished():
            pieces.append(inflater.process(rest, output_buffer_limit=limit - size))
            rest, size = b"", size + len(pieces[-1])
            if not pieces[-1] and not inflater.is_finished() and inflater.can_accept_more_data():
                raise _Cut
    except brotli.error as error:
        raise _Broken(error) from None
    return b"".join(pieces)[:limit]


def _zstd(raw: bytes, limit: int) -> bytes:
    pieces, size, rest = [], 0, raw
    if not raw:
        raise _Cut
    while rest and size < limit:  # frames may follow one another
        inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW})
        try:
            pieces.append(inflater.decompress(rest, limit - size))
        except zstd.ZstdError as error:
            raise _Broken(error) from None
        size += len(pieces[-1])
        if not inflater.eof and size < limit:
            raise _Cut
        rest = inflater.unused_data
    return b"".join(pieces)


_INFLATERS: Mapping[str, Inflate] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    **({"br": _brotli} if brotli is not None else {}),
    **({"zstd": _zstd} if zstd is not None else {}),
}
ACCEPTED = ", ".join(name for name in _INFLATERS if not name.startswith("x-"))
"""What a request says that it takes."""
