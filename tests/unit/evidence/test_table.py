"""The figures of docs/reliability.md: a line for each row, its other figures below, and a command that renders them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.prove.seen import RESULTS, Figure, Seen
from tests.prove.table import DOCUMENT, details, table

KILLS = [
    Figure("kills", 1_234, least=1_000),
    Figure("of them loading", 306, least=40),
    *(Figure(label, 0, most=0) for label in ("records lost", "records doubled")),
    Figure("looks and queries that saw something torn", 0, most=0),
]


def seen(*figures: Figure, outcome: str = "passed") -> Seen:
    found = Seen(7, "2024-05-01", "here")
    found.add(outcome, "test_it[a|b]", 1_234.4, figures)
    return found


def line(bar: int, found: Seen) -> list[str]:
    """The cells of the one line of a table."""
    return [cell.strip() for cell in blank(table({bar: found})).splitlines()[-1].strip("|").split("|")]


def below(bar: int, found: Seen) -> str:
    """What is folded up below the table."""
    return blank(details({bar: found}))


def blank(text: str) -> str:
    """A page must not break a line in a limit; here it reads as it looks."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_line_tells_what_decides_the_row_with_its_limits_and_a_nought_without() -> None:
    number, tried, verdict, took, seed = line(1, seen(*KILLS))
    assert (number, tried[:16], took, seed) == ("1", "random `kill -9`", "1,234 s", "`7`")
    assert verdict == "**1,234** kills (≥ 1,000): **0** records lost, **0** doubled, **0** seen torn"


def test_a_figure_that_was_not_seen_is_no_nought() -> None:
    assert "**?** records lost, **0** doubled" in line(1, seen(KILLS[0], *KILLS[3:]))[2]


def test_a_figure_beyond_its_limit_is_told_with_it() -> None:
    assert "**2** records lost (≤ 0)" in line(1, seen(KILLS[0], Figure("records lost", 2, most=0), *KILLS[3:]))[2]


def test_a_row_that_a_test_missed_is_not_told_by_its_figures_and_names_the_test() -> None:
    missed = seen(*KILLS, outcome="skipped")
    assert line(1, missed)[2] == "**1 test did not pass**, named below"
    assert "- **skipped: test_it[a|b]**\n- 0 tests passed in 1,234 s on 2024-05-01" in below(1, missed)
    missed.add("failed", "another", 1.0, [])
    assert line(1, missed)[2] == "**2 tests did not pass**, named below"


def test_every_figure_is_listed_with_its_limits_and_a_part_below_its_whole() -> None:
    assert below(1, seen(*KILLS, Figure("pages", 12_345), Figure("ratio", 1.25, 1.0, 2.0))).splitlines() == [
        "<details><summary>1: random <code>kill -9</code> of <code>option-a run</code>, 4 at once on one queue and one "
        "lake</summary>",
        "",
        "- kills: 1,234 (≥ 1,000)",
        "  - of them loading: 306 (≥ 40)",
        "- records lost: 0 (≤ 0)",
        "- records doubled: 0 (≤ 0)",
        "- looks and queries that saw something torn: 0 (≤ 0)",
        "- pages: 12,345",
        "- ratio: 1.25 (≥ 1, ≤ 2)",
        "- 1 test passed in 1,234 s on 2024-05-01",
        "",
        "</details>",
    ]


def test_a_label_that_says_little_is_put_in_words_in_its_own_row_alone() -> None:
    lost = Figure("lost", 32_577)
    assert "- leases that a worker lost to another, which went on with the load: 32,577\n" in below(11, seen(lost))
    assert "- lost: 32,577\n" in below(1, seen(lost))


def test_calls_of_ports_are_one_line() -> None:
    text = below(2, seen(Figure("ack", 1_052), Figure("of them not tried", 0, most=0), Figure("put", 144)))
    assert "- crash points by the call that they are before or after: ack 1,052, put 144\n" in text
    assert "\n- ack" not in text
    assert "of them not tried: 0 (≤ 0)" in text


def test_what_is_alike_is_a_table_of_its_own() -> None:
    by_target = Figure("inputs by target", "tasks 96_000 (33_195 taken), shapes, NDJSON 960 (7 taken)")
    text = below(12, seen(Figure("inputs", 96_960), by_target))
    assert "| tasks | 96,000 | 33,195 |\n| shapes, NDJSON | 960 | 7 |\n\n</details>" in text
    assert "inputs by target" not in text
    cost = Figure("partitions, plan, at most", "146,000 in 5.0 s of CPU and 288 MB")
    assert "| partitions looked at, `plan` | 146,000 | 5.0 s | 288 MB |" in below(14, seen(cost))


def test_the_command_renders_the_document_anew_without_a_trial(tmp_path: Path) -> None:
    for path in ("tests/__init__.py", *(f"tests/prove/{name}.py" for name in ("__init__", "rows", "seen", "table"))):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS.parents[2] / path, tmp_path / path)
    shutil.copy(RESULTS, tmp_path / "tests" / "prove")
    told = DOCUMENT.read_text("utf-8")
    stale = tmp_path / "docs" / DOCUMENT.name
    stale.parent.mkdir()
    stale.write_text(told.replace("<details>", "<old>"), "utf-8")
    subprocess.run([sys.executable, "-m", "tests.prove.table"], cwd=tmp_path, check=True)
    assert stale.read_text("utf-8") == told
    assert "python -m tests.prove.table" in told.partition("## The figures")[0]
