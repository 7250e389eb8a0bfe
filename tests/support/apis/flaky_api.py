"""An API that answers correctly except for random 429s, 503s, resets and cut bodies, for kill and soak tests."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.support.apis.http_server import Exchange, reply

_FAULTS = {
    "answers": 88, "429": 2, "503": 3, "reset": 2, "reset within the body": 1, "cut body": 2, "hangs up": 1, "slow": 1,
}  # fmt: skip
_SLOW = 0.3


class FlakyApi:
    """Draws for each request whether and how it fails; `answer` gives the complete response."""

    def __init__(self, answer: Callable[[Exchange], bytes], rng: random.Random) -> None:
        self._answer, self._rng = answer, rng
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self.seen: Counter[str] = Counter()

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            fault = self._rng.choices(list(_FAULTS), list(_FAULTS.values()))[0]
            self.seen[fault] += 1
        whole = self._answer(exchange)
        if fault in ("429", "503"):
            exchange.send(reply(b"{}", status=int(fault), headers={"Retry-After": "1"} if fault == "429" else {}))
        elif fault == "reset":
            exchange.reset()
        elif fault == "reset within the body":
            exchange.send(whole[:-1])
            exchange.reset()
        elif fault == "cut body":
            exchange.send(whole[:-7])
            exchange.close()
        elif fault == "hangs up":
            exchange.close()
        else:
            self._pause.wait(_SLOW if fault == "slow" else 0)
            with suppress(OSError):
                exchange.send(whole)
