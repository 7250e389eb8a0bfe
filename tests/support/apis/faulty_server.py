"""A server that answers what it should, save that now and then it does as servers do when all is not well."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.support.apis.server import Exchange, reply

_FAULTS = {
    "answers": 88, "429": 2, "503": 3, "reset": 2, "reset amid the body": 1, "cut body": 2, "hangs up": 1, "slow": 1,
}  # fmt: skip
_SLOW = 0.3


class Faulty:
    """Draws for each request whether it is answered, and how not. `answer` gives the whole response."""

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
        elif fault == "reset amid the body":
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
