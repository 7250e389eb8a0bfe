"""Processes that are killed, four at once, each at a moment that is drawn, and what is known of where it fell."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TextIO

AT_ONCE = 4
PATIENCE = 3.0
"""A process is killed that has not come to where it was to be when it has worked for so many times its start."""
_LONGEST = 60.0
_LINE = re.compile(r"\S+Z (\S+ \d{4}-\d\d-\d\d): ([a-z-]+)")
_ENDED = frozenset({"complete", "another", "failed", "stopped"})
_SENT = re.compile(r"\d+ partitions? to load|\d+ left in the queue")
Start = Callable[..., subprocess.Popen[str]]


class Aim(NamedTuple):
    """So long after the n-th time that a process begins, sends its tasks, asks the API, promotes, completes.

    `after` is in seconds; in times of its start where it is to be killed before it has sent.
    """

    upon: str
    nth: int
    after: float


def drawn(rng: random.Random) -> Aim:
    """Each stretch of a process's life gets its share."""
    shares = {"begins": 25, "sends": 15, "asks": 20, "promotes": 25, "completes": 15}
    upon = rng.choices(list(shares), list(shares.values()))[0]
    reach = {"begins": 1.2, "sends": 0.06, "asks": 0.02, "promotes": 0.025, "completes": 0.03}[upon]
    nth = {"asks": rng.randint(1, 40), "completes": rng.randint(1, 4)}.get(upon, 1)
    return Aim(upon, nth, rng.uniform(0, reach))


class Victim:
    """One process, what it wrote, and when its time has come."""

    def __init__(self, aim: Aim, arguments: tuple[str, ...]) -> None:
        self.aim, self.arguments = aim, arguments
        self.lines: list[str] = []
        self.killed = False
        self.code = 0
        self._seen: dict[str, int] = {}
        self._works, self._due = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def see(self, what: str) -> None:
        """It sent, asked, promoted or completed."""
        with self._lock:
            self._seen[what] = self._seen.get(what, 0) + 1
            if what == self.aim.upon and self._seen[what] >= self.aim.nth:
                self._due.set()

    def live(self, process: subprocess.Popen[str], start: float) -> float:
        """Until it is killed, or is through with its work. `start`: how long such processes take to send; and this."""
        assert process.stderr is not None
        reader, begun = threading.Thread(target=self._read, args=(process.stderr,), daemon=True), time.monotonic()
        reader.start()
        if self.aim.upon == "begins":
            time.sleep(self.aim.after * start)
        else:
            self._works.wait(_LONGEST)
            start = time.monotonic() - begun
            self._due.wait(PATIENCE * start)
            time.sleep(self.aim.after)
        process.kill()
        self.code = process.wait()
        self.killed = self.code == -signal.SIGKILL
        reader.join()
        return start

    def _read(self, errors: TextIO) -> None:
        for line in errors:
            self.lines.append(line.rstrip("\n"))
            if _SENT.match(line):
                self._works.set()
                self.see("sends")
            elif ": promoting" in line:
                self.see("promotes")
            elif ": complete, " in line:
                self.see("completes")
        self._works.set()
        self._due.set()

    @property
    def sent(self) -> bool:
        """Whether the tasks that it planned are in the queue for sure."""
        return any(_SENT.match(line) for line in self.lines)

    @property
    def fell(self) -> str:
        """What it was at when it was killed."""
        last = {match[1]: match[2] for line in self.lines if (match := _LINE.match(line))}
        doing = {kind for kind in last.values() if kind not in _ENDED}
        if "promoting" in doing:
            return "promoting"
        if doing:
            return "loading"
        return "between two partitions" if last else "at the queue" if self.sent else "starting"


class Storm:
    """Kills until there were enough; `arguments` draws a command, `start` starts it."""

    def __init__(self, start: Start, arguments: Callable[[random.Random], tuple[str, ...]], worker: str) -> None:
        self._start, self._arguments, self._worker = start, arguments, worker
        self.victims: dict[str, Victim] = {}
        self._last_start = 0.5

    def asked(self, worker: str) -> None:
        """The API was asked by the process of this name."""
        if (victim := self.victims.get(worker)) is not None:
            victim.see("asks")

    def rage(self, kills: int, stream: Callable[[int], random.Random]) -> None:
        """So many kills more."""
        wanted = self.kills + kills
        with ThreadPoolExecutor(AT_ONCE) as slots:
            while (missing := wanted - self.kills) > 0:
                begun = len(self.victims)
                list(slots.map(self._one, [(number, stream(number)) for number in range(begun, begun + missing)]))

    @property
    def kills(self) -> int:
        """Processes that were killed: not those that were through before."""
        return sum(victim.killed for victim in self.victims.values())

    def _one(self, drawing: tuple[int, random.Random]) -> None:
        number, rng = drawing
        victim = self.victims[str(number)] = Victim(drawn(rng), self._arguments(rng))
        env = {self._worker: str(number), "PYTHONFAULTHANDLER": "1"}
        with self._start(*victim.arguments, **env) as process:
            self._last_start = victim.live(process, self._last_start)
