"""Commands in documents and what they print there: read from its `console` fences, compared with what is printed."""

from __future__ import annotations

import re

import msgspec

_FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_EXIT = re.compile(r"\[exit (\d+)\]")
ANY = "…"
"""Stands for what varies: within a line anything, as a line of its own any number of lines."""


class Step(msgspec.Struct):
    """A command with its output, or what happens in the world before the next one."""

    command: str = ""
    event: str = ""
    prints: list[str] = []
    code: int = 0


def transcripts(*documents: str) -> dict[str, list[Step]]:
    """The steps of each fence, by the anchor of the heading above it."""
    found: dict[str, list[Step]] = {}
    for document, fence in ((one, fence) for one in documents for fence in _FENCE.finditer(one)):
        name = anchor(_HEADING.findall(_FENCE.sub("", document[: fence.start()]))[-1])
        assert name not in found, f"two fences under one heading: {name}"
        found[name] = _steps(fence[1].splitlines())
    return found


def anchor(heading: str) -> str:
    """What a link to the heading ends in."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def anchors(document: str) -> set[str]:
    return {anchor(heading) for heading in _HEADING.findall(_FENCE.sub("", document))}


def differs(step: Step, printed: str, code: int) -> str | None:
    """Why what was printed is not what the step shows; None if it is. Widths and blank lines do not count."""
    if code != step.code:
        return f"$ {step.command}\nexit {code}, not {step.code}:\n{printed}"
    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    if re.fullmatch("".join(map(_pattern, step.prints)), "".join(f"{line}\n" for line in lines)):
        return None
    return f"$ {step.command}\nshown:\n" + "\n".join(step.prints) + f"\nprinted:\n{printed}"


def wild(text: str) -> str:
    """The regular expression of one line in which `…` is anything."""
    return ".*".join(map(re.escape, text.split(ANY)))


def _pattern(line: str) -> str:
    return r"(?:.*\n)*" if line == ANY else wild(" ".join(line.split())) + r"\n"


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
            steps[-1].prints.append(line)
    return steps
