"""What is measured: each contender is a command over an API, and a check of what it landed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.venvs import peers_python
from bench.verify import counted, identical
from bench.workload import DATE, SOURCES, Workload

STANDARD = Workload(pages=100, records=1000)
TENFOLD = Workload(pages=1000, records=1000)
NARROW = Workload(pages=3000, records=10)
LATENCY = 0.1

Command = list[str]
_HERE = Path(__file__).parent
_SOURCE = """\
[sources.{source}]
url = "{url}/{source}"
records = "data"
date_param = "date"
parallel = {parallel}
pagination = {{ style = "page", param = "page", start = 1, total_pages = "total_pages" }}
"""


@dataclass(frozen=True)
class Contender:
    """One line of the results.

    command: the API's base url and an empty folder to work in -> what to run.
    check: raises Mismatch unless all of the workload landed in the folder.
    first: an unmeasured command that goes before, in the same folder.
    once: long, so measured once however many rounds there are; left out of a quick run.
    """

    name: str
    group: str
    title: str
    command: Callable[[str, Path], Command]
    check: Callable[[Path, Path, Workload], str] | None = None
    first: Callable[[str, Path], Command] | None = None
    workload: Workload = STANDARD
    delay: float = 0.0
    once: bool = False

    @property
    def option_a(self) -> bool:
        """Whether it is the project itself."""
        return self.name.startswith("option-a")


def option_a_executable() -> Path:
    """The command as installed beside this interpreter."""
    return Path(sys.executable).with_name("option-a")


def _option_a(verb: str, *flags: str, parallel: int = 4) -> Callable[[str, Path], Command]:
    def command(url: str, out: Path) -> Command:
        declared = out / "sources.toml"
        texts = [_SOURCE.format(source=source, url=url, parallel=parallel) for source in SOURCES]
        declared.write_text("\n".join(texts))
        places = ["--sources", str(declared), "--lake", str(out / "lake"), "--home", str(out / "home")]
        return [str(option_a_executable()), verb, *places, *flags]

    return command


def _run(*flags: str, parallel: int = 4) -> Callable[[str, Path], Command]:
    return _option_a("run", "--date", DATE, *flags, parallel=parallel)


def _limit(*flags: str) -> Callable[[str, Path], Command]:
    return lambda url, out: [sys.executable, "-m", "bench.limit", str(out / "lake"), "--base", url, *flags]


def _peer(script: str, *flags: str) -> Callable[[str, Path], Command]:
    path = _HERE / "peers" / script
    return lambda url, out: [str(peers_python()), str(path), str(out), url, DATE, *flags, *SOURCES]


def _help(url: str, out: Path) -> Command:
    del url, out
    return [str(option_a_executable()), "--help"]


CONTENDERS = (
    Contender("option-a", "loopback", "`option-a run`", _run(), identical),
    Contender("limit", "loopback", "bare loop, 8 threads", _limit(), identical),
    Contender("option-a-durable", "loopback", "`option-a run --durable`", _run("--durable"), identical),
    Contender("limit-fsync", "loopback", "bare loop, 8 threads, fsync", _limit("--fsync"), identical),
    Contender("requests", "loopback", "script: requests, json, gzip", _peer("requests_loop.py"), counted),
    Contender("dlt", "loopback", "dlt rest_api, tuned", _peer("dlt_rest.py", "tuned"), counted),
    Contender(
        "dlt-default", "loopback", "dlt rest_api, as it comes", _peer("dlt_rest.py", "default"), counted, once=True
    ),
    Contender(
        "option-a-latency", "latency", "`option-a run`, parallel = 16", _run(parallel=16), identical, delay=LATENCY
    ),
    Contender("limit-latency", "latency", "bare loop, 64 threads", _limit("--threads", "64"), identical, delay=LATENCY),
    Contender(
        "dlt-latency", "latency", "dlt rest_api, tuned", _peer("dlt_rest.py", "tuned"), counted, delay=LATENCY
    ),
    Contender(
        "option-a-10x", "scale", "`option-a run`, 10 x the pages", _run(), identical, workload=TENFOLD, once=True
    ),
    Contender(
        "option-a-narrow", "scale", "`option-a run`, 30 x the pages, narrow ones", _run(), identical,
        workload=NARROW, once=True,
    ),
    Contender("help", "start", "`option-a --help`", _help),
    Contender("status", "start", "`option-a status` of a loaded lake", _option_a("status"), first=_run()),
)  # fmt: skip


def choose(names: list[str]) -> list[Contender]:
    """The contenders of these names or groups; all for none. Raises ValueError for a name that is neither."""
    known = {contender.name for contender in CONTENDERS} | {contender.group for contender in CONTENDERS}
    for name in names:
        if name not in known:
            raise ValueError(f"no contender or group `{name}`; there are: {', '.join(sorted(known))}")
    return [c for c in CONTENDERS if not names or c.name in names or c.group in names]
