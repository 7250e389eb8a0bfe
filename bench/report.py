"""The results in words: tables for the terminal and for RESULTS.md, and all the figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bench.contenders import LATENCY, STANDARD
from bench.results import Figure, Result, Results, judged

_GROUPS = {
    "loopback": "As fast as the API can send",
    "latency": f"The API takes {LATENCY * 1000:.0f} ms for each page",
    "scale": "More pages",
    "start": "Start-up",
}
_RERUN = """\
## Run it again

    make bench                              # everything, a few minutes
    .venv/bin/python -m bench --help        # a part of it, or more rounds

It needs nginx (`apt-get install nginx`); the peers are installed into `bench/.venvs/peers` from
`bench/requirements-peers.txt`, pinned and hashed.

## How it is measured

- Each contender runs in its own process, started with an empty lake. Wall time is from start to exit, including the
  interpreter's start. CPU is user and system time of the process and all its children (`wait4`). Peak memory is that
  of the largest single process (`ru_maxrss`), in MB of 10^6 bytes.
- The server runs outside the measured process, on the same cores: nginx, or a small server that waits, for latency.
- Contenders take turns; the figure is the median, the range is in brackets.
- After each run of option-a and of the bare loop, every page is compared with the API's body, byte for byte. Peers
  write their own formats, so their records are counted.
- The bare loop (`bench/limit.py`) is the minimum in Python: fetch, split, compress, rename. It keeps no manifest and
  checks nothing. Whatever `option-a run` needs beyond it is the price of its promises.
- dlt is measured as it comes, and tuned according to its performance guide (`bench/peers/dlt_rest.py`).
"""


def terminal(results: Results) -> str:
    """The tables alone, for the screen."""
    return "\n".join([*_tables(results), *_ledger(results), *_bars(results)])


def markdown(machine: dict[str, str], results: Results) -> str:
    """RESULTS.md."""
    about = [f"- {caption}: {text}" for caption, text in machine.items()]
    head = ["# Results", "", f"Standard workload: {STANDARD} of 353 B, 141 MB.", "", *about, ""]
    chart = ["![Records per second and peak memory of option-a and the others](results.svg)", ""]
    return "\n".join([*head, *chart, *_bars(results), *_tables(results), *_ledger(results), _RERUN])


def figures(machine: dict[str, str], results: Results) -> str:
    """results.json."""
    bars = [
        {"what": bar.what, "value": round(value, 3), "bar": bar.bar, "unit": bar.unit, "met": met}
        for bar, value, met in judged(results)
    ]
    document = {"machine": machine, "results": [_record(r) for r in results.values()], "bars": bars}
    return json.dumps(document, indent=2) + "\n"


def _record(result: Result) -> dict[str, object]:
    contender = result.contender
    load = asdict(contender.workload) | {"latency": contender.delay} if result.loads else {}
    costs = {"wall_s": result.wall, "cpu_s": result.cpu, "peak_mb": result.peak}
    rounded = {name: {k: round(v, 4) for k, v in asdict(figure).items()} for name, figure in costs.items()}
    extra = {"records_per_s": round(result.records_per_second), "ledger_bytes": result.ledger} if result.loads else {}
    return {"name": contender.name, "title": contender.title, **load, "runs": result.runs, **rounded, **extra}


def _tables(results: Results) -> Iterator[str]:
    for group, title in _GROUPS.items():
        rows = [result for result in results.values() if result.contender.group == group]
        if rows:
            yield from (f"## {title}", "")
            yield from _table(rows)
            yield ""


def _table(rows: list[Result]) -> list[str]:
    head = ("", "records/s", "wall s", "CPU s", "CPU s / million records", "peak MB", "checked")
    return _grid(head if any(row.loads for row in rows) else (head[0], *head[2:4], head[5]), [_row(r) for r in rows])


def _row(result: Result) -> tuple[str, ...]:
    costs = _figure(result.wall, 2), _figure(result.cpu, 2)
    if not result.loads:
        return (result.contender.title, *costs, _figure(result.peak, 0))
    speed, effort = f"{result.records_per_second:,.0f}", f"{result.cpu_per_million:.2f}"
    return (result.contender.title, speed, *costs, effort, _figure(result.peak, 0), result.verdict)


def _bars(results: Results) -> Iterator[str]:
    rows = [
        (bar.what, f"{value:.2f} {bar.unit}", f"{'<=' if bar.most else '>='} {bar.bar:g} {bar.unit}", _verdict(met))
        for bar, value, met in judged(results)
    ]
    if rows:
        yield from ("## Option A against its bars", "", *_grid(("", "measured", "bar", ""), rows), "")


def _ledger(results: Results) -> Iterator[str]:
    landed = [r for r in results.values() if r.contender.option_a and r.loads and not r.contender.delay]
    rows = [
        (
            str(r.contender.workload),
            f"{r.contender.workload.total_pages:,}",
            f"{r.ledger:,}",
            f"{r.ledger_per_page:.1f}",
        )
        for r in landed
        if "--durable" not in r.contender.title
    ]
    if rows:
        head = ("workload", "pages", "manifest bytes", "bytes per page")
        yield from ("## The manifest grows no faster than the pages", "", *_grid(head, rows), "")


def _grid(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A Markdown table whose columns also line up on a screen; all but the first are set to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    rule = [("-" * width) if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    cells = [
        [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in rows
    ]
    top = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(head, widths, strict=True))]
    return ["| " + " | ".join(line) + " |" for line in [top, rule, *cells]]


def _figure(figure: Figure, digits: int) -> str:
    median, low, high = (f"{value:.{digits}f}" for value in (figure.median, figure.low, figure.high))
    return median if low == high else f"{median} ({low}-{high})"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
