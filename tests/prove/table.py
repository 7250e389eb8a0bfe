"""The figures of docs/reliability.md, rendered from results.json; `python -m tests.prove.table` runs no trial."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.prove.rows import ROWS, Grid, Row
from tests.prove.seen import RESULTS, Figure, Seen, load

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: written by `make prove` -->", "<!-- end of figures -->"
FIGURE = re.compile(r"\{([^}|]+)(\|[^}]+)?\}")
_CODE = re.compile(r"`([^`]+)`")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def table(seen: dict[int, Seen]) -> str:
    """One line per row: the trial, and the figures that decide it."""
    rows = [_row(bar, found) for bar, found in sorted(seen.items())]
    return "\n".join(["| # | trial | result | took | seed |", "|--:|---|---|--:|--:|", *rows])


def details(seen: dict[int, Seen]) -> str:
    """Every figure, folded up per row."""
    return "\n\n".join("\n".join(_folded(bar, found)) for bar, found in sorted(seen.items()))


def figures(seen: dict[int, Seen]) -> str:
    """The text between the marks of the document."""
    machines = "; ".join(dict.fromkeys(found.machine for found in seen.values()))
    return f"{table(seen)}\n\nSeen on {machines}. All figures, row by row:\n\n{details(seen)}"


def write(document: Path, seen: dict[int, Seen]) -> None:
    """Replace the figures of the document."""
    before, rest = document.read_text("utf-8").split(BEGIN)
    document.write_text(f"{before}{BEGIN}\n{figures(seen)}\n{END}{rest.split(END)[1]}", "utf-8")


def _row(bar: int, seen: Seen) -> str:
    verdict = _verdict(ROWS[bar], seen)
    return f"| {bar} | {ROWS[bar].tried} | {verdict} | {seen.seconds:,.0f}{_NO_BREAK}s | `{seen.seed}` |"


def _verdict(row: Row, seen: Seen) -> str:
    """A row with a test that did not pass has no verdict, whatever its figures are."""
    if seen.missed:
        return f"**{_count(len(seen.missed), 'test')} did not pass**, named below"
    found = {figure.label: figure for figure in seen.joined()}
    return FIGURE.sub(lambda match: _decisive(found.get(match[1], Figure(match[1], "?")), match[2] or ""), row.verdict)


def _decisive(figure: Figure, noun: str) -> str:
    """For a zero whose limit is zero, the limit is omitted."""
    limits = "" if figure.value == figure.most == 0 else _limits(figure)
    return f"**{_number(figure.value)}**{noun.replace('|', ' ')}{limits}"


def _folded(bar: int, seen: Seen) -> Iterator[str]:
    row = ROWS[bar]
    tried = _CODE.sub(r"<code>\1</code>", row.tried)  # Markdown is not interpreted within HTML
    yield f"<details><summary>{bar}: {tried}</summary>"
    yield ""
    yield from _listed(row, seen.joined())
    yield from (f"- **{missed}**" for missed in seen.missed)
    yield f"- {_count(seen.passed, 'test')} passed in {seen.seconds:,.0f} s on {seen.date}"
    yield from _gridded(row.grid, row.words, seen.joined()) if row.grid else ()
    yield ""
    yield "</details>"


def _listed(row: Row, figures: list[Figure]) -> Iterator[str]:
    pattern, of_what = row.gathered or (None, "")
    alike = [figure for figure in figures if pattern and pattern.fullmatch(figure.label)]
    for figure in figures:
        if figure not in alike and not (row.grid and row.grid.each.search(_plain(figure))):
            yield _item(row.words.get(figure.label, figure.label), figure)
    if alike:
        yield f"- {of_what}: {', '.join(f'{figure.label} {_number(figure.value)}' for figure in alike)}"


def _item(words: str, figure: Figure) -> str:
    """A part of the figure before it is indented below that figure."""
    indent = "  " if words.startswith("of them ") else ""
    return f"{indent}- {words}: {_number(figure.value)}{_limits(figure)}"


def _gridded(grid: Grid, words: dict[str, str], figures: list[Figure]) -> Iterator[str]:
    lines = [match.groups() for figure in figures for match in grid.each.finditer(_plain(figure))]
    yield ""
    yield f"| {' | '.join(grid.head)} |"
    yield "|---" + "|--:" * (len(grid.head) - 1) + "|"
    yield from (f"| {' | '.join([words.get(what, what), *map(_number, cells)])} |" for what, *cells in lines)


def _plain(figure: Figure) -> str:
    return f"{figure.label}: {figure.value}"


def _limits(figure: Figure) -> str:
    limits = [f"≥{_NO_BREAK}{_number(figure.least)}"] if figure.least is not None else []
    limits += [f"≤{_NO_BREAK}{_number(figure.most)}"] if figure.most is not None else []
    return f" ({', '.join(limits)})" if limits else ""


def _number(value: float | str) -> str:
    """Thousands are separated by commas, in texts too; whole numbers have no decimal point."""
    if isinstance(value, str):
        return re.sub(r"(?<=\d)_(?=\d{3})", ",", value)
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def _count(number: int, of_what: str) -> str:
    return f"{number:,} {of_what}" + ("" if number == 1 else "s")


if __name__ == "__main__":
    write(DOCUMENT, load(RESULTS))
