"""The machine's clock."""

from __future__ import annotations

import time
from threading import Thread

from option_a.workspace.clock import SystemClock


def test_a_wish_to_stop_cuts_a_sleep_short() -> None:
    clock = SystemClock()
    assert not clock.stopping()
    sleeper = Thread(target=clock.sleep, args=(3600.0,), daemon=True)
    sleeper.start()
    clock.stop()
    sleeper.join(60.0)
    assert not sleeper.is_alive()
    assert clock.stopping()


def test_now_is_the_time_of_day() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()
