"""The stack under Lake Formation, synthesized, and what of it waits for what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from constructs import Construct

from option_a.constructs.switches import read_switches
from option_a.ingest.config.read import read_sources
from option_a.lakeformation.read import read_access
from option_a.lakeformation_stack import add_lake_formation
from option_a.stack import IngestionStack
from tests.stack.assembly import STACK, Assembly, synthesize
from tests.support.aws.cfn_template import CfnTemplate

ADMINISTRATORS = f"{STACK}-Administrators"
BREAK_GLASS = "arn:aws:iam::123456789012:role/BreakGlass"
URL = 'url = "https://api.example.com"'
SOURCES = f"""
[sources.api-a]
{URL}
columns = {{ id = "bigint", email = "string", status = "string" }}
[sources.api-b]
{URL}
"""
ACCESS = """
[groups.all]
sources = "*"
[groups.plain]
sources = ["api-b"]
who = { style = "principals", arns = ["arn:aws:iam::123456789012:user/ana", "arn:aws:iam::123456789012:role/team/Ben"] }
[groups.hidden]
sources = ["api-a"]
without = ["email"]
who = { style = "identity_center", permission_set = "DataAnalyst" }
[groups.some]
sources = ["api-a"]
columns = ["id"]
who = { style = "saml", provider = "arn:aws:iam::123456789012:saml-provider/Okta", attributes = { "SAML:sub" = "ana" } }
[groups.rows]
sources = ["api-a"]
without = ["email"]
rows = "status = 'paid'"
"""


class Governed(Assembly):
    """The templates of both stacks."""

    def __init__(self, made: Assembly) -> None:
        super().__init__(made.folder)
        text = (made.folder / f"{ADMINISTRATORS}.template.json").read_text()
        self.administrators: dict[str, Any] = json.loads(text)

    @property
    def resolved(self) -> Resolved:
        return Resolved(self.root, STACK)

    @property
    def dependencies(self) -> list[str]:
        """The stacks that the pipeline's waits for."""
        manifest = json.loads((self.folder / "manifest.json").read_text())
        found = manifest["artifacts"][STACK]["dependencies"]
        return [name for name in found if not name.endswith(".assets")]

    def resource(self, kind: str, **like: Any) -> str:
        """The logical id of the only resource of a type, `AWS::` left out, with such properties."""
        found = [id for id, one in self._of(kind) if all(one["Properties"].get(key) == like[key] for key in like)]
        assert len(found) == 1, f"{len(found)} of {kind} {like}"
        return found[0]

    def waits_for(self, id: str) -> set[str]:
        """Everything that CloudFormation makes before a resource of the root, and deletes after it."""
        seen: set[str] = set()
        left = [id]
        while left:
            for other in _named(self.root["Resources"][left.pop()]):
                if other in self.root["Resources"] and other not in seen:
                    seen.add(other)
                    left.append(other)
        return seen


class Resolved(CfnTemplate):
    """A template whose imports are told by their names."""

    def _function(self, name: str, argument: Any) -> Any:
        return f"import {argument}" if name == "Fn::ImportValue" else super()._function(name, argument)


@cache
def governed(
    mode: str, sources: str = SOURCES, access: str = ACCESS, *, nag: bool = False, admin: bool = True
) -> Governed:
    """Both stacks in a mode."""
    declared = read_sources(sources, {})
    switches = read_switches({"lakeFormation": mode, **({"lakeFormationAdmin": BREAK_GLASS} if admin else {})})
    groups = read_access(access, declared)

    def add(stack: IngestionStack) -> None:
        add_lake_formation(cast(Construct, stack.node.root), stack, groups=groups, sources=declared, switches=switches)

    return Governed(synthesize(sources, nag=nag, then=add))


def _named(resource: Mapping[str, Any]) -> Iterator[str]:
    """The logical ids that a resource waits for, said or unsaid."""
    said = resource.get("DependsOn", [])
    yield from [said] if isinstance(said, str) else said
    yield from _referred(resource.get("Properties", {}))


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _referred(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Ref":
                yield one
            elif key == "Fn::GetAtt":
                yield one[0]
            else:
                yield from _referred(one)
