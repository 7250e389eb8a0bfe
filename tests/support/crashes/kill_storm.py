"""Runs commands, four at a time, and kills each at a random moment, for tests/prove/test_kills.py."""

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
"""A process that misses its kill point is killed after this many times its start-up time."""
_LONGEST = 60.0
_LINE = re.compile(r"\S+Z (\S+ \d{4}-\d\d-\d\d): ([a-z-]+)")
_ENDED = frozenset({"complete", "another", "failed", "stopped"})
_SENT = re.compile(r"\d+ partitions? to load|\d+ left in the queue")
Start = Callable[..., subprocess.Popen[str]]


class KillPoint(NamedTuple):
    """When to kill: after the n-th time the process begins, sends tasks, asks the API, promotes or completes.

    `after` is in seconds; for "begins" in multiples of the start-up time.
    """

    event: str
    nth: int
    after: float


def draw_kill_point(rng: random.Random) -> KillPoint:
    """Draw a kill point; each phase of a process gets its share."""
    shares = {"begins": 25, "sends": 15, "asks": 20, "promotes": 25, "completes": 15}
    event = rng.choices(list(shares), list(shares.values()))[0]
    reach = {"begins": 1.2, "sends": 0.06, "asks": 0.02, "promotes": 0.025, "completes": 0.03}[event]
    nth = {"asks": rng.randint(1, 40), "completes": rng.randint(1, 4)}.get(event, 1)
    return KillPoint(event, nth, rng.uniform(0, reach))


class KilledProcess:
    """One process, its output, and when to kill it."""

    def __init__(self, kill_point: KillPoint, arguments: tuple[str, ...]) -> None:
        self.kill_point, self.arguments = kill_point, arguments
        self.lines: list[str] = []
        self.killed = False
        self.code = 0
        self._seen: dict[str, int] = {}
        self._works, self._due = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def notice(self, what: str) -> None:
        """The process sent, asked, promoted or completed."""
        with self._lock:
            self._seen[what] = self._seen.get(what, 0) + 1
            if what == self.kill_point.event and self._seen[what] >= self.kill_point.nth:
                self._due.set()

    def run_until_killed(self, process: subprocess.Popen[str], start: float) -> float:
        """Run until killed or done. `start`: how long such processes take to start up; returns that of this one."""
        assert process.stderr is not None
        reader, begun = threading.Thread(target=self._read, args=(process.stderr,), daemon=True), time.monotonic()
        reader.start()
        if self.kill_point.event == "begins":
            time.sleep(self.kill_point.after * start)
        else:
            self._works.wait(_LONGEST)
            start = time.monotonic() - begun
            self._due.wait(PATIENCE * start)
            time.sleep(self.kill_point.after)
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
                self.notice("sends")
            elif ": promoting" in line:
                self.notice("promotes")
            elif ": complete, " in line:
                self.notice("completes")
        self._works.set()
        self._due.set()

    @property
    def sent(self) -> bool:
        """Whether its planned tasks are certainly in the queue."""
        return any(_SENT.match(line) for line in self.lines)

    @property
    def died_while(self) -> str:
        """What it was doing when it was killed."""
        last = {match[1]: match[2] for line in self.lines if (match := _LINE.match(line))}
        doing = {kind for kind in last.values() if kind not in _ENDED}
        if "promoting" in doing:
            return "promoting"
        if doing:
            return "loading"
        return "between two partitions" if last else "at the queue" if self.sent else "starting"


class KillStorm:
    """Kills as many processes as wanted; `arguments` draws a command, `start` starts it."""

    def __init__(self, start: Start, arguments: Callable[[random.Random], tuple[str, ...]], worker: str) -> None:
        self._start, self._arguments, self._worker = start, arguments, worker
        self.processes: dict[str, KilledProcess] = {}
        self._last_start = 0.5

    def asked(self, worker: str) -> None:
        """The process of this name asked the API."""
        if (target := self.processes.get(worker)) is not None:
            target.notice("asks")

    def kill(self, kills: int, stream: Callable[[int], random.Random]) -> None:
        """Kill this many more processes."""
        wanted = self.kills + kills
        with ThreadPoolExecutor(AT_ONCE) as slots:
            while (missing := wanted - self.kills) > 0:
                begun = len(self.processes)
                list(slots.map(self._one, [(number, stream(number)) for number in range(begun, begun + missing)]))

    @property
    def kills(self) -> int:
        """The number of processes killed before they were done."""
        return sum(target.killed for target in self.processes.values())

    def _one(self, drawing: tuple[int, random.Random]) -> None:
        number, rng = drawing
        target = self.processes[str(number)] = KilledProcess(draw_kill_point(rng), self._arguments(rng))
        env = {self._worker: str(number), "PYTHONFAULTHANDLER": "1"}
        with self._start(*target.arguments, **env) as process:
            self._last_start = target.run_until_killed(process, self._last_start)
