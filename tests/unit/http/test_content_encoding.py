"""Encoded bodies: whole or not at all, never beyond the cap, whatever they claim."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import BodyError, TransientError
from option_a.ingest.http.content_encoding import ACCEPTED, decompress

BODY = b"".join(b'{"id": %d, "name": "n%d"},' % (n, n * n) for n in range(2_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": lambda data: bytes(brotli.compress(data, quality=4)),
    "zstd": zstd.compress,
}
LONG = len(BODY)


def test_what_is_installed_is_asked_for() -> None:
    assert ACCEPTED == "gzip, br, zstd"


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_comes_out_as_it_went_in_and_the_cap_is_exact(encoding: str) -> None:
    packed = PACKERS[encoding](BODY)
    assert decompress(packed, f" {encoding.upper()} ", LONG) == BODY
    for most in (1, 1_000, LONG - 1):
        with pytest.raises(BodyError, match=f"larger than {most} bytes"):
            decompress(packed, encoding, most)


@pytest.mark.parametrize("encoding", PACKERS)
@given(st.binary(max_size=300))
def test_any_bytes_survive(encoding: str, body: bytes) -> None:
    assert decompress(PACKERS[encoding](body), encoding, 300) == body


@pytest.mark.parametrize("encoding", PACKERS)
@given(st.integers(0, 2**20))
def test_a_body_that_is_cut_anywhere_is_transient(encoding: str, at: int) -> None:
    packed = PACKERS[encoding](BODY)
    with pytest.raises(TransientError, match=f"the {encoding} body was cut short"):
        decompress(packed[: at % len(packed)], encoding, LONG)


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("spoil", [lambda packed: b"<html>" + packed, lambda packed: packed + b"<html>"])
def test_what_is_not_encoded_so_is_a_body_error_with_the_body(encoding: str, spoil: Callable[[bytes], bytes]) -> None:
    spoilt = spoil(PACKERS[encoding](BODY))
    with pytest.raises(BodyError, match=f"the body is not {encoding}") as error:
        decompress(spoilt, encoding, 2 * LONG)
    assert error.value.body == spoilt


def test_members_of_gzip_may_follow_one_another() -> None:
    parts = [BODY[:500], BODY[500:900], BODY[900:]]
    assert decompress(b"".join(map(gzip.compress, parts)), "gzip", LONG) == BODY
    with pytest.raises(BodyError, match="larger than"):
        decompress(b"".join(map(gzip.compress, parts)), "gzip", LONG - 1)


def test_frames_of_zstd_may_follow_one_another() -> None:
    halves = zstd.compress(BODY[:500]) + zstd.compress(BODY[500:])
    assert decompress(halves, "zstd", LONG) == BODY
    with pytest.raises(BodyError, match="larger than"):
        decompress(halves, "zstd", LONG - 1)


def test_a_zstd_body_may_ask_for_no_window_beyond_eight_megabytes() -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 25, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(bytes(2**20)) + packer.flush()
    with pytest.raises(BodyError, match="the body is not zstd"):
        decompress(packed, "zstd", 2**21)


BOMB = """
import resource, sys
from option_a.ingest.http.content_encoding import decompress
packed = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decompress(packed, sys.argv[1], 2**20)
except Exception as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("encoding", PACKERS)
def test_a_bomb_is_refused_within_little_memory(encoding: str) -> None:
    bomb = PACKERS[encoding](bytes(200 * 2**20))
    assert len(bomb) < 2**18
    command = [sys.executable, "-c", BOMB, encoding]
    done = subprocess.run(command, input=bomb, capture_output=True, timeout=60, cwd=Path(__file__).parents[3])
    kilobytes, error = done.stdout.decode().split(" ", 1)
    assert int(kilobytes) < 20 * 2**10
    assert "larger than 1048576 bytes" in error
