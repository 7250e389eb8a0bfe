"""What others know to be wrong in a template: cfn-lint, and cdk-nag's AwsSolutions."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from option_a.constructs.bundle import build
from option_a.constructs.catalog import Catalog
from option_a.constructs.functions import Code, Functions
from option_a.constructs.lake import Lake
from option_a.constructs.nag_suppressions import Entry, entries
from option_a.constructs.schedule import Schedule
from option_a.constructs.switches import Switches
from option_a.stack import IngestionStack
from tests.conftest import Proof
from tests.stack.assembly import DEFAULT, ROOT, STACK, default, synthesize
from tests.stack.test_catalog import typed


def lint(*templates: Path) -> str:
    tool = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([tool, "--template", *templates], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.bar(13)
def test_cfn_lint_has_nothing_to_say(proof: Proof) -> None:
    nested = synthesize(DEFAULT, nested="true", alarmEmail="night@example.com", reservedConcurrency=8)
    templates = [*default().templates, *typed().templates, *nested.templates]
    assert lint(*templates) == ""
    proof.figure("templates in which cfn-lint finds nothing", len(templates), least=3)


def test_cfn_lint_would_say_so(tmp_path: Path) -> None:
    template = json.loads(json.dumps(default().root))
    template["Resources"]["WorkerFn"]["Properties"]["Timeout"] = 901
    template["Resources"]["PlannerFn"]["Properties"]["Role"] = {"Fn::GetAtt": ["Nobody", "Arn"]}
    (tmp_path / "broken.template.json").write_text(json.dumps(template))
    told = lint(tmp_path / "broken.template.json")
    assert "901" in told
    assert "Nobody" in told


@pytest.mark.bar(13)
@pytest.mark.parametrize("nested", ["false", "true"])
def test_cdk_nag_finds_nothing_unacknowledged(nested: str, proof: Proof) -> None:
    made = synthesize(DEFAULT, nag=True, nested=nested)
    found = json.loads((made.folder / "validation-report.json").read_text())["pluginReports"]
    proof.figure("cdk-nag findings without an acknowledgement", len(found), most=0)


def test_cdk_nag_would_find_it() -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        synthesize(DEFAULT, nag=True, then=open_bucket)


def open_bucket(stack: IngestionStack) -> None:
    s3.Bucket(stack, "Open")


@cache
def bare() -> tuple[list[Entry], set[str]]:
    """The entries of evidence, and what cdk-nag finds where none is given."""
    folder = Path(tempfile.mkdtemp(prefix="assembly-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(folder / "asset", root=ROOT, sources_text=DEFAULT, packages=False)
    app = App(outdir=str(folder / "out"), context=json.loads((ROOT / "cdk.json").read_text())["context"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, STACK)
    lake = Lake(stack, "Lake", switches=Switches())
    code = Code(str(folder / "asset"), digest="", environment={})
    functions = Functions(stack, "Functions", lake=lake, sources=[], switches=Switches(), code=code)
    Schedule(stack, "Schedule", functions=functions)
    catalog = Catalog(stack, "Catalog", lake=lake)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((folder / "out" / "validation-report.json").read_text())
    found = {one["ruleName"] for plugin in report["pluginReports"] for one in plugin["violations"]}
    return entries(lake, functions, catalog), found


def test_there_are_at_most_eight_entries_each_with_its_evidence() -> None:
    given, _ = bare()
    assert len(given) <= 8
    assert [entry.rule for entry in given if len(entry.evidence) < 60] == []
    assert len({entry.evidence for entry in given}) == len(given)


def test_each_entry_answers_a_finding_and_each_finding_has_its_entry() -> None:
    given, found = bare()
    ids = {f"{entry.rule}[{one}]" if one else entry.rule for entry in given for one in entry.findings}
    assert ids == found
