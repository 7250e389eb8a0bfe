"""Synthesizes the stack in this process, without a network, and reads what was written."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from option_a.constructs.bundle import build
from option_a.constructs.checks import check
from option_a.constructs.functions import Code
from option_a.constructs.switches import read_switches
from option_a.ingest.config.read import read_sources
from option_a.stack import IngestionStack

ROOT = Path(__file__).parents[2]
DEFAULT = (ROOT / "sources.toml").read_text("utf-8")
STACK = "OptionAIngestionDemoPy"
DIGEST = "d" * 64
Resource = dict[str, Any]


class Assembly:
    """The templates of one synthesis."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root: dict[str, Any] = json.loads((folder / f"{STACK}.template.json").read_text())
        nested = sorted(folder.glob("*.nested.template.json"))
        self.nested: list[dict[str, Any]] = [json.loads(path.read_text()) for path in nested]

    @property
    def templates(self) -> list[Path]:
        return sorted(self.folder.glob("*.template.json"))

    def all(self, kind: str) -> dict[str, Resource]:
        """The resources of a type, `AWS::` left out, wherever they are: logical id to properties."""
        return {name: found.get("Properties", {}) for name, found in self._of(kind)}

    def whole(self, kind: str) -> dict[str, Resource]:
        """The same, with what stands beside the properties."""
        return dict(self._of(kind))

    def one(self, kind: str, **like: Any) -> Resource:
        """The only resource of a type whose properties are these."""
        found = [one for one in self.all(kind).values() if all(one.get(key) == value for key, value in like.items())]
        assert len(found) == 1, f"{len(found)} of {kind} {like}"
        return found[0]

    def _of(self, kind: str) -> Iterator[tuple[str, Resource]]:
        for template in [self.root, *self.nested]:
            for name, found in template["Resources"].items():
                if found["Type"] == f"AWS::{kind}":
                    yield name, found


@cache
def default() -> Assembly:
    """The stack of the repository's own sources.toml."""
    return synthesize(DEFAULT)


def synthesize(
    text: str,
    *,
    nag: bool = False,
    env: Mapping[str, str] | None = None,
    then: Callable[[IngestionStack], object] = lambda stack: None,
    **switches: object,
) -> Assembly:
    """The stack of a sources.toml and `-c` switches, made as app.py makes it. `then` may change it first."""
    folder = Path(tempfile.mkdtemp(prefix="assembly-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    asset = folder / "asset"
    build(asset, root=ROOT, sources_text=text, packages=False)
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(outdir=str(folder / "out"), context={**context, **{key: str(value) for key, value in switches.items()}})
    if nag:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    read = read_switches(app.node.get_all_context())
    sources = list(read_sources(text, {}).values())
    check(sources)
    code = Code(str(asset), DIGEST, dict(env or {}))
    stack = IngestionStack(app, STACK, sources=sources, switches=read, code=code)
    then(stack)
    app.synth()
    return Assembly(folder / "out")


def flat(value: Any) -> Any:
    """A template's value as text where it is made of parts: `${LakeBucket}/raw/*`."""
    if isinstance(value, list):
        return [flat(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Join"}:
        return value["Fn::Join"][0].join(map(str, flat(value["Fn::Join"][1])))
    if set(value) == {"Ref"}:
        return f"${{{value['Ref']}}}"
    if set(value) == {"Fn::GetAtt"}:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    if set(value) == {"Fn::Sub"}:
        return value["Fn::Sub"]
    return {key: flat(one) for key, one in value.items()}
