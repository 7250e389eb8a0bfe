"""A mutational fuzzer with a watchdog, for tests/prove/test_fuzz.py: the same seed replays the same inputs."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

HANG = 10.0
"""CPU seconds after which an input counts as a hang."""
POOL = 400
"""The number of inputs kept for further mutation: the seeds and inputs that a target accepted."""
TOKENS = (
    b"", b"\0", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"=", b"/", b"..", b"../", b"%2e%2e/", b"\n",
    b"\r", b"\r\n",
    b" ", b"\t", b"-", b"+", b"0", b"1e400", b"9" * 30, b"9" * 5_000, b"-1", b"0.1", b"null", b"true", b"false",
    b"NaN", b"{}", b"[]",
    b'""', b'"a"', b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", "é".encode(),
    "\u202e".encode(),
    "\u2028".encode(), "٣".encode(), b"[" * 3_000, b'{"a":' * 3_000, b"x" * 3_000, b"#", b"?", b"&", b";", b"<", b">",
    b"@", b"$", b"*",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 999_999, 2**31, 2**63, 2**64, 10**30, -(10**30), 1.5, -0.0, 1e308, "", "a", "0", "..",
    "../..", "a/b", "\0",
    "\ud800", "\n", "é", "٣", "x" * 3_000, [], {}, [[]], [None], {"": None}, [1, 2, 3], "2023-11-01", "0001-01-01",
    "9999-12-31",
    "2023-02-30", "20231114T220000Z-a", "http://[", "%", "%Y\0", "999999999999d", "99999/h", float("inf"), float("nan"),
)  # fmt: skip


class Target(NamedTuple):
    """What is fuzzed. `run` raises on a fault, and returns whether to mutate the input further."""

    name: str
    seeds: Sequence[bytes]
    run: Callable[[bytes], bool]
    share: float = 1.0
    """Its share of the inputs relative to other targets; expensive ones get fewer."""
    words: Sequence[bytes] = ()
    """The tokens of its language."""


class FuzzResult(NamedTuple):
    """How many inputs were tried, and how many accepted."""

    inputs: int
    taken: int
    slowest: float
    """CPU seconds of the slowest input."""


class FuzzFailure(AssertionError):
    """An input on which a target failed."""


class HangDetected(BaseException):
    """Raised during an input that takes too long. No target catches it."""


class Mutator:
    """Makes inputs from seeds by changing bytes, tokens and JSON values."""

    def __init__(self, target: Target, rng: random.Random) -> None:
        self._rng, self._seeds = rng, list(target.seeds)
        self._pool = list(target.seeds)
        self._words = [*TOKENS, *target.words]

    def keep(self, found: bytes) -> None:
        """Mutate this input further too."""
        if len(found) > 20_000:
            return
        if len(self._pool) < POOL:
            self._pool.append(found)
        else:
            self._pool[self._rng.randrange(len(self._seeds), POOL) if len(self._seeds) < POOL else 0] = found

    def next(self) -> bytes:
        """The next input."""
        rng = self._rng
        data = rng.choice(self._pool)
        if rng.random() < 0.4 and (changed := _reshaped(data, rng)) is not None:
            data = changed
            if rng.random() < 0.7:
                return data
        for _ in range(1 + int(rng.expovariate(0.7))):
            data = self._changed(data)
        return data

    def _changed(self, data: bytes) -> bytes:
        rng = self._rng
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + 1 + int(rng.expovariate(0.25)))
        how = rng.random()
        if how < 0.35:
            return data[:at] + rng.choice(self._words) + data[end if rng.random() < 0.5 else at :]
        if how < 0.55:
            return data[:at] + data[end:]
        if how < 0.7:
            return data[:at] + rng.randbytes(end - at) + data[end:]
        if how < 0.85:
            return data[:end] + data[at:end] * rng.randrange(1, 4) + data[end:]
        other = rng.choice(self._pool)
        return data[:at] + other[rng.randrange(len(other) + 1) :]


def _reshaped(data: bytes, rng: random.Random) -> bytes | None:
    """JSON with one value, key or member changed; None if the data is not JSON."""
    try:
        value = json.loads(data)
        places = list(_places(value, 40))
        if not places:
            return None
        holder, key = rng.choice(places)
        how = rng.random()
        if how < 0.7:
            holder[key] = rng.choice(VALUES)
        elif how < 0.85:
            del holder[key]
        elif isinstance(holder, dict):
            holder[str(rng.choice(VALUES))] = holder[key]
        else:
            holder.append(holder[key])
        return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def _places(value: Any, most: int) -> Iterable[tuple[Any, Any]]:
    """Where values are: a container, and the key or position in it."""
    waiting = [value]
    while waiting and most > 0:
        holder = waiting.pop()
        for key in list(holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()):
            most -= 1
            yield holder, key
            waiting.append(holder[key])


class Watchdog:
    """Raises HangDetected in the thread that made it once an input has used more than `hang` CPU seconds."""

    def __init__(self, hang: float) -> None:
        self.number = 0
        self._hang = hang
        self._done = threading.Event()
        self._watched = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._watched)
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        seen, since = -1, 0.0
        while not self._done.wait(self._hang / 20):
            now = time.clock_gettime(self._clock)
            if self.number != seen:
                seen, since = self.number, now
            elif now - since > self._hang:
                faulthandler.dump_traceback()
                # not a signal: tests started in the background may ignore SIGINT
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._watched), ctypes.py_object(HangDetected)
                )
                return


def fuzz(target: Target, count: int, seed: int, hang: float = HANG) -> FuzzResult:
    """Try this many inputs. Raises FuzzFailure with the input and how to replay it."""
    mutator = Mutator(target, random.Random(f"{seed}/{target.name}"))
    taken, slowest = 0, 0.0
    data = b""
    with Watchdog(hang) as watch:
        try:
            for number in range(count):
                watch.number = number
                data = target.seeds[number] if number < len(target.seeds) else mutator.next()
                began = time.thread_time()
                if target.run(data):
                    taken += 1
                    mutator.keep(data)
                slowest = max(slowest, time.thread_time() - began)
        except HangDetected:
            raise FuzzFailure(_replay_message(target, watch.number, seed, data, "no end")) from None
        except Exception as error:
            raise FuzzFailure(_replay_message(target, watch.number, seed, data, repr(error))) from error
    return FuzzResult(count, taken, slowest)


def _replay_message(target: Target, number: int, seed: int, data: bytes, what: str) -> str:
    shown = data if len(data) < 2_000 else data[:2_000] + b"..."
    return f"{target.name}, input {number} of --seed {seed}: {what}\n{shown!r}"
