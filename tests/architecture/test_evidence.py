"""docs/reliability.md tells what the trials saw, nothing else, and every row of it has a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import modules, parsed
from tests.prove.rows import ROWS
from tests.prove.seen import RESULTS, Figure, Seen, load
from tests.prove.table import DOCUMENT, FIGURE, details, figures, table, write


def marked() -> Iterator[int]:
    """The number of every `bar(n)` that marks a test."""
    for path in modules("tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.bar":
                yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_row_has_a_test_and_figures() -> None:
    assert set(marked()) == set(ROWS)
    assert set(load(RESULTS)) == set(ROWS)


def test_what_is_told_is_what_was_seen(tmp_path: Path) -> None:
    again = tmp_path / DOCUMENT.name
    again.write_text(DOCUMENT.read_text("utf-8"), "utf-8")
    write(again, load(RESULTS))
    assert again.read_text("utf-8") == DOCUMENT.read_text("utf-8"), "run .venv/bin/python -m tests.prove.table"


@pytest.mark.parametrize("bar", ROWS)
def test_a_row_is_decided_by_figures_that_were_seen_one_of_them_with_a_limit(bar: int) -> None:
    seen = {figure.label: figure for figure in load(RESULTS)[bar].figures}
    decisive = [seen[match[1]] for match in FIGURE.finditer(ROWS[bar].verdict)]
    assert any(figure.least is not None or figure.most is not None for figure in decisive)
    assert [figure.label for figure in decisive if figure.value == 0 and figure.most != 0] == []


@pytest.mark.parametrize("bar", ROWS)
def test_words_are_put_for_what_was_seen(bar: int) -> None:
    labels = {figure.label.removesuffix(", at most") for figure in load(RESULTS)[bar].figures}
    assert [label for label in ROWS[bar].words if label not in labels] == []


def test_the_table_can_be_read() -> None:
    """A verdict is a line, a list has no wall in it, and numbers are spelt one way."""
    verdicts = [line.split("|")[3].replace("**", "").strip() for line in table(load(RESULTS)).splitlines()[2:]]
    assert [verdict for verdict in verdicts if len(verdict) > 110] == []
    assert [line for line in details(load(RESULTS)).splitlines() if len(line) > 250 or "**" in line] == []
    assert re.findall(r"\d_\d{3}|(?<!`)\b\d{4,}\b(?!-)|\b1 tests", figures(load(RESULTS))) == []


def test_nothing_that_was_seen_is_beyond_its_limits_or_was_left_out() -> None:
    for bar, seen in load(RESULTS).items():
        assert seen.missed == [], bar
        for figure in seen.figures:
            assert figure.least is None or float(figure.value) >= figure.least, (bar, figure)
            assert figure.most is None or float(figure.value) <= figure.most, (bar, figure)


def test_figures_of_several_tests_are_one() -> None:
    seen = Seen(7, "2024-05-01", "here")
    seen.add("passed", "a", 1.0, [Figure("kills", 3, least=2), Figure("lost", 0, most=0), Figure("ratio", 1.1)])
    seen.add("passed", "b", 2.0, [Figure("kills", 4, least=2), Figure("lost", 0, most=0), Figure("ratio", 1.3)])
    seen.add("skipped", "c", 0.0, [Figure("found", "x, y"), Figure("found", "y, z")])
    assert seen.joined() == [
        Figure("kills", 7, least=4),
        Figure("lost", 0, most=0),
        Figure("ratio", 1.3),
        Figure("found", "x, y, z"),
    ]
