"""`python app.py`, as a deployer runs it: one clear line for each mistake, and never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stack.assembly import DIGEST, ROOT, STACK, Resource, default
from tests.stack.node import NODE

OFFLINE = {"https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}
ORDERS = '[sources.orders]\nurl = "https://api.example.com"\n'


def app(
    tmp_path: Path,
    *arguments: str,
    root: Path = ROOT,
    env: Mapping[str, str] | None = None,
    python: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    given = {key: value for key, value in os.environ.items() if key not in ("USE_REAL_HTTP", "ENDPOINT_MAP")}
    return subprocess.run(
        [sys.executable, *python, "app.py", *arguments],
        cwd=root,
        env={**given, "JSII_NODE": NODE, "CDK_OUTDIR": str(tmp_path / "out"), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str], status: int = 2) -> str:
    """The line that a mistake is told by."""
    assert done.returncode == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert done.stdout == ""
    return line


def comparable(template: Resource) -> str:
    """A template less what is of its own sources.toml."""
    copy = json.loads(json.dumps(template))
    for id in ("PlannerFn", "WorkerFn", "FreshnessFn"):
        copy["Resources"][id]["Properties"]["Code"]["S3Key"] = ""
    copy["Resources"]["WorkerFn"]["Properties"]["Environment"]["Variables"]["OPTION_A_SOURCES_SHA256"] = DIGEST
    return json.dumps(copy, sort_keys=True)


def test_it_synthesizes_without_a_command_line_tool_or_a_network(tmp_path: Path) -> None:
    done = app(tmp_path, "-c", "bundle=false", env=OFFLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = json.loads((tmp_path / "out" / f"{STACK}.template.json").read_text())
    assert comparable(written) == comparable(default().root)


def test_the_context_of_the_cdks_own_tool_counts(tmp_path: Path) -> None:
    context = json.dumps({"bundle": "false", "memory": "3008", "aws:cdk:enable-path-metadata": True, "stack": "Dev"})
    assert app(tmp_path, env={"CDK_CONTEXT_JSON": context}).returncode == 0
    template = json.loads((tmp_path / "out" / "Dev.template.json").read_text())
    assert template["Resources"]["WorkerFn"]["Properties"]["MemorySize"] == 3008


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no sources"),
        ("[sources]", "no sources"),
        ("[sources.orders", "not TOML"),
        (f"{ORDERS}pages = 3", "[sources.orders]: key `pages` is unknown"),
        (f"{ORDERS}concurrency = 1", "[sources.orders]: `concurrency`"),
        (
            f'{ORDERS}auth = {{ style = "bearer", token = "env:TOKEN" }}',
            "[sources.orders] auth: env:TOKEN exists on your",
        ),
        (f"{ORDERS}timeout = 900", "[sources.orders]: `timeout` is 900 s"),
        (
            f'{ORDERS}columns = {{ a = "string", A = "string" }}',
            "[sources.orders] columns: `a` and `A` are the same column",
        ),
    ],
)
def test_a_mistake_in_the_sources_names_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    line = refusal(app(tmp_path, "-c", f"sources={path}", "-c", "bundle=false"))
    assert line.startswith("error: ")
    assert str(path) in line
    assert told in line


def test_without_a_file_there_are_the_four_sources_of_the_mock(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("lambda", "option_a"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, root / name)
    assert app(tmp_path, "-c", "bundle=false", root=root).stderr == ""
    written = json.loads((tmp_path / "out" / f"{STACK}.template.json").read_text())
    assert comparable(written) == comparable(default().root)
    (asset,) = (tmp_path / "out").glob("asset.*/sources.toml")
    assert asset.read_text() == "[sources.api-a]\n[sources.api-b]\n[sources.api-c]\n[sources.api-d]\n"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    line = refusal(app(tmp_path, "-c", "sources=nowhere.toml"))
    assert line == "error: nowhere.toml: No such file or directory (-c sources=PATH names another file)"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-c", "removal=delete"), "error: -c removal=delete is not valid (allowed: retain, destroy)"),
        (("-c", "memroy=1"), "error: -c memroy: no such switch (did you mean memory?"),
        (("-c", "memory"), "error: -c memory is no argument (write -c switch=value)"),
        (("deploy",), "error: deploy is no argument"),
        (("-c", "bundle=false", "-c", "reservedConcurrency=7"), "the sum of the sources' `concurrency`, 8"),
    ],
)
def test_a_switch_that_cannot_be_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in refusal(app(tmp_path, *arguments))


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"USE_REAL_HTTP": "maybe"}, "USE_REAL_HTTP is 'maybe'"),
        ({"USE_REAL_HTTP": "true"}, "source `api-a` has no url"),
        ({"ENDPOINT_MAP": "{"}, "ENDPOINT_MAP is not a JSON object"),
        ({"ENDPOINT_MAP": json.dumps({"api-a": f"https://x.example/{'x' * 3_000}"})}, "put the urls into sources.toml"),
    ],
)
def test_what_the_environment_says_is_checked(tmp_path: Path, env: dict[str, str], told: str) -> None:
    assert told in refusal(app(tmp_path, "-c", "bundle=false", env=env))


def test_without_node_it_says_what_is_missing(tmp_path: Path) -> None:
    line = refusal(app(tmp_path, env={"JSII_NODE": "no-such-node"}), status=1)
    assert line == "error: there is no Node.js on the PATH, and AWS CDK needs it (https://nodejs.org, version 22)"


def test_without_the_packages_it_says_how_to_install_them(tmp_path: Path) -> None:
    line = refusal(app(tmp_path, python=("-S",), env={"PYTHONPATH": ""}), status=1)
    assert line == "error: msgspec is not installed (pip install -r requirements.txt)"
