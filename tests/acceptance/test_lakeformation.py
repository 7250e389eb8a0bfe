"""`option-a lf`: what a group sees, and the doctor against Lake Formation, Glue and IAM over the wire."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Place
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.lakeformation_opt_ins import OPT_INS, FakeCatalog
from tests.support.aws.moto import ACCOUNT, KEYS, REGION, MotoServer

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
EXECUTOR = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
SOURCES = '[sources.api-a]\ncolumns = { id = "string", amount = "double" }\n[sources.api-b]\n'
ACCESS = """
[groups.all]
sources = "*"
[groups.some]
sources = ["api-a"]
without = ["amount"]
"""


class Account:
    """An account with a stack under Lake Formation, as it was deployed; grants are left to be made."""

    def __init__(self, server: MotoServer, name: str, mode: str) -> None:
        self.server, self.name, self.mode = server, name, mode
        self.lake, self.iam = server.client("lakeformation"), server.client("iam")
        self.settings(EXECUTOR, "Break")
        self.catalog = FakeCatalog(server, f"{name.lower()}_db")
        self.catalog.make("api_a", "api_a_lines", "api_b_lines")
        roles = {role: self.role(f"{name}-{role}") for role in ("Keeper", "Crawler", "All", "Some")}
        server.client("glue").create_crawler(
            Name=f"{name}-crawler", Role=f"{name}-Crawler", DatabaseName=self.catalog.name, Targets={"S3Targets": []}
        )
        FakeStack(server, f"{name}-Administrators").describe(
            {"KeeperRoleArn": roles["Keeper"], "Executor": self.role(EXECUTOR)}
        )
        FakeStack(server, name).describe({
            "LakeFormation": mode, "LakeBucket": f"{name.lower()}-lake", "GlueDatabase": self.catalog.name,
            "Crawler": f"{name}-crawler", "RoleAll": roles["All"], "RoleSome": roles["Some"],
        })  # fmt: skip

    def role(self, name: str) -> str:
        """A role that is there, made where it is not."""
        names = {role["RoleName"] for role in self.iam.list_roles()["Roles"]}
        if name not in names:
            self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        arn: str = self.iam.get_role(RoleName=name)["Role"]["Arn"]
        return arn

    def settings(self, *administrators: str) -> None:
        admins = [{"DataLakePrincipalIdentifier": self.role(name)} for name in administrators]
        kept = self.lake.get_data_lake_settings()["DataLakeSettings"]
        self.lake.put_data_lake_settings(DataLakeSettings={**kept, "DataLakeAdmins": admins})

    def register(self) -> None:
        place = f"arn:aws:s3:::{self.name.lower()}-lake/raw"
        self.lake.register_resource(ResourceArn=place, RoleArn=self.role(f"{self.name}-Data"))

    def mend(self, command: str) -> None:
        """Do what a command of AWS's command line does, where it is one."""
        words = shlex.split(command)
        if words[:2] != ["aws", "lakeformation"]:
            return
        options = _options(words[3:])
        getattr(self.lake, words[2].replace("-", "_"))(**options)

    def doctor(self, place: Place, *arguments: str) -> Any:
        return place("lf", "doctor", "--stack", self.name, *arguments)


def _options(words: list[str]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word] = last = []
        else:
            last.append(word)
    names = {"--principal": "Principal", "--resource": "Resource", "--data-lake-settings": "DataLakeSettings"}
    return {
        names.get(name, "Permissions"): json.loads(values[0]) if name in names else values
        for name, values in found.items()
    }


@pytest.fixture
def place(tmp_path: Path, server: MotoServer) -> Place:
    made = Place(tmp_path, **server.env)
    made.declare(SOURCES)
    (tmp_path / "access.toml").write_text(ACCESS)
    return made


def test_before_anything_is_deployed_it_says_what_to_do(place: Place, server: MotoServer) -> None:
    done = place("lf", "doctor", "--stack", "Nowhere")
    assert done.code == 1
    assert f"the role arn:aws:iam::{ACCOUNT}:role/{EXECUTOR} does not exist" in done.out
    assert f"cdk bootstrap aws://{ACCOUNT}/{REGION}" in done.out
    assert "the stack Nowhere is not deployed with Lake Formation" in done.out
    assert "1 thing to fix" in done.out


@pytest.mark.parametrize("mode", ["hybrid", "enforce"])
def test_its_commands_mend_what_it_finds(place: Place, server: MotoServer, mode: str) -> None:
    account = Account(server, f"Mended{mode}", mode)
    first = account.doctor(place, "--json")
    assert first.code == 1
    missing = [one for one in first.json() if one["state"] in ("missing", "wrong")]
    assert {one["about"] for one in missing} >= {"location", "grants", "opt-ins" if mode == "hybrid" else "enforce"}
    assert all(one["mend"] for one in missing)
    for one in missing:
        account.mend(one["mend"])
    # what CloudFormation does is no command of the doctor's
    account.register()
    if mode == "enforce":
        described = {"Name": account.catalog.name, "CreateTableDefaultPermissions": []}
        account.catalog.glue.update_database(Name=account.catalog.name, DatabaseInput=described)
    last = account.doctor(place)
    assert last.out.endswith("\nOK: nothing to fix\n"), last.out
    assert last.code == 0


def test_a_dead_administrator_is_found_and_its_command_takes_it_out(place: Place, server: MotoServer) -> None:
    account = Account(server, "Dead", "hybrid")
    account.settings(EXECUTOR, "Break", "Gone")
    account.iam.delete_role(RoleName="Gone")
    (found,) = (one for one in account.doctor(place, "--json").json() if one["about"] == "administrators")
    assert (found["state"], "role/Gone is gone from IAM" in found["what"]) == ("wrong", True)
    account.mend(found["mend"])
    admins = account.lake.get_data_lake_settings()["DataLakeSettings"]["DataLakeAdmins"]
    assert [one["DataLakePrincipalIdentifier"].rpartition("/")[2] for one in admins] == [EXECUTOR, "Break"]


def test_it_changes_nothing(place: Place, server: MotoServer) -> None:
    account = Account(server, "Untouched", "hybrid")
    before = (account.lake.list_permissions()["PrincipalResourcePermissions"], account.catalog.described(), [*OPT_INS])
    account.doctor(place)
    after = (account.lake.list_permissions()["PrincipalResourcePermissions"], account.catalog.described(), [*OPT_INS])
    assert sorted(map(str, before)) == sorted(map(str, after))


def test_what_aws_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    said = "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: sts:GetCallerIdentity"

    def refuse(exchange: Exchange) -> None:
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{said}</Message></Error>"
        exchange.send(reply(f"<ErrorResponse>{error}</ErrorResponse>".encode(), 403, {"Content-Type": "text/xml"}))

    with Server(refuse) as server:
        done = Place(tmp_path, **KEYS, AWS_ENDPOINT_URL=server.url)("lf", "doctor")
    assert done.code == 1
    assert done.err.splitlines()[0] == f"error: cannot ask who asks: {said} (AccessDenied, GetCallerIdentity)"


def test_without_boto3_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['boto3'] = None; from option_a.cli.main import main; main()"
    line = [sys.executable, "-c", code, "lf", "doctor"]
    done = subprocess.run(line, cwd=tmp_path, env=Place(tmp_path).env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: option-a lf doctor needs boto3\n  pip install -r requirements.txt\n"


def test_explain_shows_each_table_and_why(option_a: Place) -> None:
    option_a.declare(SOURCES)
    (option_a.folder / "access.toml").write_text(ACCESS)
    done = option_a("lf", "explain", "some")
    assert done.code == 0
    rows = [re.split(r" {2,}", line) for line in done.out.splitlines()]
    assert ["api-a", "api_a", "yes", "without amount", "its `sources` name it, limited by `without`"] in rows
    assert ["api-b", "api_b_lines", "no", "the group's `sources` do not name it"] in rows
    told = option_a("lf", "explain", "some", "--json").json()
    assert [(one["table"], one["seen"], one["columns"]) for one in told["tables"]] == [
        ("api_a_lines", False, []),
        ("api_a", True, ["id", "ingestion_date"]),
        ("api_b_lines", False, []),
    ]


def test_explain_needs_no_file_and_no_account(option_a: Place) -> None:
    done = option_a("lf", "explain", "analysts-all")
    assert done.code == 0
    assert "Also every other table of the database, including the crawler's." in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody",), "no group `nobody`; declared: analysts-all, analysts-limited"),
        (("analysts-all", "--access", "nowhere.toml"), "nowhere.toml: no such file"),
    ],
)
def test_a_mistake_is_told_in_words(option_a: Place, arguments: tuple[str, ...], said: str) -> None:
    done = option_a("lf", "explain", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_mistake_in_access_toml_names_it(option_a: Place) -> None:
    (option_a.folder / "access.toml").write_text('[groups.x]\nsources = ["api-a"]\nwithout = ["id"]\n')
    done = option_a("lf", "explain", "x")
    assert done.code == 2
    assert done.err.startswith("error: access.toml: [groups.x] limits columns or rows, and source `api-a` declares no")
    assert "option-a preview api-a --columns prints the line for sources.toml" in done.err
