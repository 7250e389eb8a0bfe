"""docs/reliability.md tells what the trials saw, nothing else, and every row of it has a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import modules, parsed
from tests.conftest import DOCUMENT, RESULTS
from tests.prove.table import BARS, Figure, Seen, inserted, load, table


def marked() -> Iterator[int]:
    """The number of every `bar(n)` that marks a test."""
    for path in modules("tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.bar":
                yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_row_has_a_test_and_figures() -> None:
    assert set(marked()) == set(BARS)
    assert set(load(RESULTS)) == set(BARS)


def test_what_is_told_is_what_was_seen() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert inserted(document, table(load(RESULTS))) == document, "run make prove: the table is not of results.json"


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
    assert "kills **7** (≥ 4); lost **0** (≤ 0); ratio **1.3**; found **x, y, z**; 2 tests passed" in seen.row(1)
    assert "**skipped: c** | 3 s, 2024-05-01 | `7` |" in seen.row(1)
