"""Reads the `console` transcripts of docs/runbook.md and docs/messages.md and compares them with actual output."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_DOCS = Path(__file__).parents[3] / "docs"
RUNBOOK = (_DOCS / "runbook.md").read_text("utf-8")
MESSAGES = (_DOCS / "messages.md").read_text("utf-8")
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_EXIT = re.compile(r"\[exit (\d+)\]")
ELLIPSIS = "…"
"""Stands for what varies: anything within a line; alone on a line, any number of lines."""


class Step(msgspec.Struct):
    """A command with its output, or an event that happens before the next command."""

    command: str = ""
    event: str = ""
    output: list[str] = []
    code: int = 0


def transcripts(*documents: str) -> dict[str, list[Step]]:
    """The steps of each transcript, by the anchor of the heading above it."""
    found: dict[str, list[Step]] = {}
    for document, fence in ((one, fence) for one in documents for fence in _FENCE.finditer(one)):
        name = anchor(_HEADING.findall(_FENCE.sub("", document[: fence.start()]))[-1])
        assert name not in found, f"two fences under one heading: {name}"
        found[name] = _steps(fence[1].splitlines())
    return found


def anchor(heading: str) -> str:
    """The anchor of a heading, as links name it."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def visible_lines(document: str) -> list[str]:
    """The lines of a document as its readers see them, without link targets."""
    return _LINK.sub(r"\1", document).splitlines()


def anchors(document: str) -> set[str]:
    """The anchors of all headings."""
    return {anchor(heading) for heading in _HEADING.findall(_FENCE.sub("", document))}


def mismatch(step: Step, printed: str, code: int) -> str | None:
    """How the output differs from the transcript; None if it does not. Widths and blank lines are ignored."""
    if code != step.code:
        return f"$ {step.command}\nexit {code}, not {step.code}:\n{printed}"
    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    if re.fullmatch("".join(map(_pattern, step.output)), "".join(f"{line}\n" for line in lines)):
        return None
    return f"$ {step.command}\nshown:\n" + "\n".join(step.output) + f"\nprinted:\n{printed}"


def line_pattern(text: str) -> str:
    """The regular expression for a line in which `…` matches anything."""
    return ".*".join(map(re.escape, text.split(ELLIPSIS)))


def _pattern(line: str) -> str:
    return r"(?:.*\n)*" if line == ELLIPSIS else line_pattern(" ".join(line.split())) + r"\n"


def _steps(lines: list[str]) -> list[Step]:
    steps: list[Step] = []
    for line in lines:
        if line.startswith("$ "):
            steps.append(Step(command=line[2:]))
        elif line.startswith("# "):
            steps.append(Step(event=line[2:]))
        elif (ended := _EXIT.fullmatch(line)) is not None:
            steps[-1].code = int(ended[1])
        elif line.strip():
            steps[-1].output.append(line)
    return steps
