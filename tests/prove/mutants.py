"""What `make mutants` has seen so far: each room's mutants by their fate, and the ones that are still alive."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MUTANTS = Path(__file__).parents[2] / "mutants"
FATES: dict[int | None, str] = {None: "not tried", 0: "alive", 5: "alive", 33: "alive", 37: "refused by types"}
COLUMNS = ("killed", "refused by types", "out of time", "wording", "alive", "not tried")
TIMEOUTS = {24, 36, 152, 255, -24, -9}

PROSE = re.compile(r"[\w`'’\",;:.)]{2,} [\w`'\"(]{2,}")
"""Two words with a blank between them: a text for people."""


def fate(code: int | None) -> str:
    """What an exit code of mutmut says of a mutant."""
    return "out of time" if code in TIMEOUTS else FATES.get(code, "killed")


def is_wording(kept: ast.AST, mutated: ast.AST) -> bool:
    """Whether one text for people is all that differs, by its case or by an XX at its ends."""
    before, after = texts(kept), texts(mutated)
    changed = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    if len(before) != len(after) or len(changed) != 1:
        return False
    old, new = changed[0]
    return bool(PROSE.search(old)) and (new.replace("XX", "") == old or new.lower() == old.lower())


def texts(tree: ast.AST) -> list[str]:
    """Every text of a function, in order."""
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The mutated copies of a file's functions, and the copies left as they were, by name."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name}


def fates(meta: Path) -> Iterator[tuple[str, str]]:
    """Each mutant of a file, and what became of it."""
    found = functions(meta.with_suffix(""))
    for mutant, code in json.loads(meta.read_text())["exit_code_by_key"].items():
        name = mutant.rpartition(".")[2]
        kept = found[name.rpartition("__mutmut_")[0] + "__mutmut_orig"]
        what = fate(code)
        yield mutant, "wording" if what == "alive" and is_wording(kept, found[name]) else what


def main() -> None:
    """Print the table, and the names that `mutmut show` takes."""
    total, alive = Counter[str](), list[str]()
    print(f"| room | {' | '.join(COLUMNS)} |\n|---|{'--:|' * len(COLUMNS)}")
    for meta in sorted(MUTANTS.glob("option_a/ingest/**/*.meta")):
        seen = dict(fates(meta))
        count = Counter(seen.values())
        total += count
        alive += [mutant for mutant, what in seen.items() if what == "alive"]
        if seen:
            print(row(meta.relative_to(MUTANTS / "option_a" / "ingest").as_posix().removesuffix(".py.meta"), count))
    print(row("**all**", total))
    print("", *alive, sep="\n")


def row(name: str, count: Counter[str]) -> str:
    """One line of the table."""
    return f"| {name} | {' | '.join(f'{count[column]:,}' for column in COLUMNS)} |"


if __name__ == "__main__":
    main()
