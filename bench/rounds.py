"""The rounds: the APIs it needs are made and served once, the contenders take turns, all of it in one folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.contenders import Contender
from bench.group import run_group
from bench.measure import Sample, measure
from bench.workload import Workload


@dataclass(frozen=True)
class Run:
    """One measured run. ledger: bytes below manifest/ of the lake it made."""

    contender: Contender
    sample: Sample
    ledger: int
    verdict: str


class Bench:
    """Serves workloads and measures contenders; what it makes lies below `root`."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self._root = root
        self._stack = stack
        self._folders: dict[Workload, Path] = {}
        self._urls: dict[tuple[Workload, float], str] = {}

    def rounds(self, contenders: list[Contender], repeat: int) -> Iterator[Run]:
        """Measure every contender `repeat` times, in turns, so that a passing load troubles all alike."""
        for turn in range(repeat):
            for contender in contenders:
                if turn == 0 or not contender.once:
                    yield self._run(contender)

    def _run(self, contender: Contender) -> Run:
        url = self._url(contender.workload, contender.delay)
        out = self._root / "out"
        out.mkdir()
        if contender.first is not None:
            measure(contender.first(url, out), self._root / "first.log")
        sample = measure(contender.command(url, out), self._root / "run.log")
        verdict = ""
        if contender.check is not None:
            verdict = contender.check(out, self._folders[contender.workload], contender.workload)
        ledger = sum(path.stat().st_size for path in (out / "lake" / "manifest").rglob("*") if path.is_file())
        shutil.rmtree(out)
        return Run(contender, sample, ledger, verdict)

    def _url(self, workload: Workload, delay: float) -> str:
        if (workload, delay) not in self._urls:
            folder, state = self._folder(workload), self._root / f"server-{len(self._urls)}"
            server = servers.slow(folder, state, delay) if delay else servers.fast(folder, state)
            self._urls[workload, delay] = self._stack.enter_context(server)
        return self._urls[workload, delay]

    def _folder(self, workload: Workload) -> Path:
        if workload not in self._folders:
            folder = self._root / f"api-{len(self._folders)}"
            print(f"making {workload} ...", flush=True)
            sizes = ["--pages", str(workload.pages), "--records", str(workload.records)]
            run_group([sys.executable, "-m", "bench.workload", str(folder), *sizes])
            self._folders[workload] = folder
        return self._folders[workload]
