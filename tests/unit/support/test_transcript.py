"""A document's transcripts are compared as a person would: what varies may, anything else may not."""

from __future__ import annotations

import pytest

from tests.support.documents.transcript import Step, mismatch, transcripts

DOCUMENT = """
# Title

## A thing's end

```console
$ option-a run
a  b…d

…
the end
[exit 1]
# it is mended
$ option-a status
```
"""
RUN = Step("option-a run", "", ["a  b…d", "…", "the end"], 1)


def test_a_fence_is_read_under_the_heading_above_it() -> None:
    assert transcripts(DOCUMENT) == {"a-things-end": [RUN, Step(event="it is mended"), Step("option-a status")]}


@pytest.mark.parametrize(
    "printed", ["a b?d\nthe end\n", "a    bd\n\nx\ny\n  the  end\n", "a bcd\nthe end\nthe end", "a bc d\nthe end"]
)
def test_what_may_vary_does(printed: str) -> None:
    assert mismatch(RUN, printed, 1) is None


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("a bcd\nthe end\n", 0),
        ("a bcd\nthe end\n", 2),
        ("a bcd\nthe end\nand more\n", 1),
        ("before\na bcd\nthe end\n", 1),
        ("a bc\nthe end\n", 1),
        ("ab\nd\nthe end\n", 1),
        ("a bcd\nthe END\n", 1),
        ("", 1),
    ],
)
def test_anything_else_is_a_difference(printed: str, code: int) -> None:
    assert mismatch(RUN, printed, code)


def test_a_command_of_which_nothing_is_shown_prints_nothing() -> None:
    assert mismatch(Step("rm it"), "", 0) is None
    assert mismatch(Step("rm it"), "rm: cannot remove it\n", 0)


def test_two_fences_under_one_heading_are_refused() -> None:
    with pytest.raises(AssertionError, match="two fences under one heading: a-things-end"):
        transcripts(DOCUMENT + "\n```console\n$ option-a dead\n```\n")
