"""What others know to be wrong in the templates of Lake Formation's modes; workgroups; many groups; `python app.py`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from option_a.constructs.lakeformation.checks import MOST_GROUPS, check_access, check_administrator
from option_a.constructs.switches import Switches, read_switches
from option_a.ingest.config.read import read_sources
from option_a.ingest.errors import ConfigError
from option_a.lakeformation.read import read_access
from tests.stack.assembly import STACK, flat
from tests.stack.governed import ADMINISTRATORS, BREAK_GLASS, governed
from tests.stack.test_app import app, refusal
from tests.stack.test_verdicts import lint

MANY = "".join(f'[sources.s-{n}]\nurl = "https://x.example"\ncolumns = {{ id = "bigint" }}\n' for n in range(60))


def crowd() -> str:
    """Twenty groups of eight sources, every other one limited by rows."""
    tables = []
    for number in range(20):
        sources = [f"s-{other}" for other in range(number, number + 8)]
        limit = 'rows = "id > 3"' if number % 2 else ""
        tables.append(f"[groups.team-{chr(97 + number)}]\nsources = {sources!r}\n{limit}\n")
    return "".join(tables)


@pytest.mark.parametrize("mode", ["hybrid", "enforce"])
def test_cfn_lint_has_nothing_to_say(mode: str) -> None:
    assert lint(*governed(mode).templates) == ""


@pytest.mark.parametrize("mode", ["hybrid", "enforce"])
def test_cdk_nag_finds_nothing_unacknowledged(mode: str) -> None:
    made = governed(mode, nag=True)
    assert json.loads((made.folder / "validation-report.json").read_text())["pluginReports"] == []


@pytest.mark.parametrize("group", ["all", "plain", "hidden", "some", "rows"])
def test_the_workgroup_of_a_group_is_enforced(group: str) -> None:
    made = governed("hybrid").one("Athena::WorkGroup", Name=f"{STACK}-{group}")
    told = made["WorkGroupConfiguration"]
    assert told["EnforceWorkGroupConfiguration"] is told["PublishCloudWatchMetricsEnabled"] is True
    assert told["BytesScannedCutoffPerQuery"] == 100 * 10**9
    results = governed("hybrid").root["Outputs"]["AthenaResultsBucket"]["Value"]["Ref"]
    assert flat(told["ResultConfiguration"]) == {
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        "OutputLocation": f"s3://${{{results}}}/analysts/{group}/",
    }


def test_many_groups_over_many_sources_are_spread_over_nested_stacks() -> None:
    made = governed("enforce", MANY, crowd())
    sizes = {path.name: len(json.loads(path.read_text())["Resources"]) for path in made.templates}
    assert max(sizes.values()) <= 500, sizes
    granted = made.all("LakeFormation::PrincipalPermissions")
    assert len(granted) == 7 + 20 + sum(8 if n % 2 else 16 for n in range(20))
    assert lint(*made.templates) == ""


def test_the_nested_grants_wait_for_the_nested_tables() -> None:
    made = governed("enforce", MANY, crowd())
    stacks = {id for id, one in made.root["Resources"].items() if one["Type"] == "AWS::CloudFormation::Stack"}
    tables = {id for id in stacks if id.startswith("Sources")}
    granted = {id for id in stacks if id.startswith("LakeFormation")}
    assert len(granted) == 20
    location = made.resource("LakeFormation::Resource")
    for id in granted:
        assert tables <= made.waits_for(id)
    assert granted <= made.waits_for(location)


def test_enforcing_needs_somebody_who_can_undo_it() -> None:
    with pytest.raises(ConfigError, match=r"-c lakeFormationAdmin=ARN names a user or a role"):
        check_administrator(Switches(lakeFormation="enforce"))
    check_administrator(Switches(lakeFormation="enforce", lakeFormationAdmin=BREAK_GLASS))
    check_administrator(Switches(lakeFormation="hybrid"))


def test_an_administrator_for_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="Lake Formation is off"):
        check_administrator(Switches(lakeFormationAdmin=BREAK_GLASS))


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("lakeFormation", "on", "off, hybrid, enforce"),
        ("lakeFormationAdmin", "ana", "the ARN of a user or a role"),
        ("lakeFormationAdmin", "arn:aws:iam::123456789012:group/x", "the ARN of a user or a role"),
        ("access", "", "the path of a file"),
    ],
)
def test_a_switch_that_cannot_be_is_refused(key: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError, match=allowed):
        read_switches({key: value})


def test_more_than_a_role_can_be_told_is_refused() -> None:
    sources = read_sources("".join(f'[sources.a-long-name-{n}]\nurl = "https://x.example"\n' for n in range(100)), {})
    named = read_access(f"[groups.team]\nsources = {list(sources)!r}", sources)
    with pytest.raises(ConfigError, match=r"\[groups.team\] sees 100 tables, more than one role"):
        check_access(named, sources, Switches())
    check_access(read_access('[groups.team]\nsources = "*"', sources), sources, Switches())
    many = "".join(f'[groups.a{"b" * n}]\nsources = "*"\n' for n in range(39))
    check_access(read_access(many, sources), sources, Switches())
    crowd = many + '[groups.y]\nsources = "*"\n[groups.z]\nsources = "*"\n'
    with pytest.raises(ConfigError, match=f"41 groups are more than the {MOST_GROUPS}"):
        check_access(read_access(crowd, sources), sources, Switches())


def templates(folder: Path) -> set[str]:
    return {path.name.removesuffix(".template.json") for path in (folder / "out").glob("*.template.json")}


def test_the_app_makes_one_stack_with_it_off_and_two_with_it_on(tmp_path: Path) -> None:
    assert app(tmp_path, "-c", "bundle=false", "-c", "lakeFormation=off").returncode == 0
    assert templates(tmp_path) == {STACK}
    assert "akeformation" not in (tmp_path / "out" / f"{STACK}.template.json").read_text().lower()
    done: subprocess.CompletedProcess[str] = app(tmp_path, "-c", "bundle=false", "-c", "lakeFormation=hybrid")
    assert (done.returncode, done.stderr) == (0, "")
    assert templates(tmp_path) == {STACK, ADMINISTRATORS}


def test_the_app_tells_a_mistake_in_access_toml_with_its_place(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[groups.team]\nsources = ["api-x"]\n')
    told = refusal(app(tmp_path, "-c", "lakeFormation=hybrid", "-c", f"access={wrong}"))
    assert told.startswith(f"error: {wrong}: [groups.team]: source `api-x` is unknown; did you mean `api-")
    told = refusal(app(tmp_path, "-c", "lakeFormation=hybrid", "-c", "access=nowhere.toml"))
    assert told == "error: nowhere.toml: No such file or directory (-c access=PATH names another file)"
    told = refusal(app(tmp_path, "-c", "lakeFormation=enforce"))
    assert told.startswith("error: -c lakeFormation=enforce removes IAM's rights")
