"""What is in the repository beside the code: pins, reasons, commands that exist, and nothing of one machine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from option_a.cli.main import cli
from tests.architecture.tree import ROOT, kept, modules, named

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==[\w.!+-]+(?: ; [^\\]+)? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
_HOMES = re.compile(r"(?<![\w.])/(?:home|Users)/\w+")
_INDEX = re.compile(r"(?:index-url|find-links|trusted-host)[ =]+\S*[/.]\S")
PINNED = tuple(f"requirements{of}.txt" for of in ("-dev", "-lambda", "-prove", "-run", ""))
ZSTD = "backports.zstd"
IMPORTED_AS = {"aws_cdk": "aws-cdk-lib", "backports": ZSTD, "botocore": "boto3", "compression": ZSTD}
"""What is imported under another name than it is asked for by; botocore is boto3's own half, compression Python's."""


def project() -> dict[str, set[str]]:
    """The names that pyproject.toml asks for: to `run`, and of each extra (`aws`, `lambda`, `dev`)."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {"run": table["dependencies"], **table["optional-dependencies"]}
    return {extra: {bare(line) for line in lines} - {table["name"]} for extra, lines in asked.items()}


def named_in(requirements: str) -> set[str]:
    """The names that a list of what is wanted holds."""
    return {bare(line) for line in kept()[requirements].splitlines()}


def pins(name: str) -> set[str]:
    """The names that a requirement file pins."""
    return {bare(line) for line in kept()[name].splitlines() if _PIN.match(line)}


def bare(requirement: str) -> str:
    """The name in a requirement, as indexes spell it."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def requirement_files() -> list[str]:
    return sorted(name for name in kept() if re.fullmatch(r"(.*/)?requirements[\w-]*\.txt", name))


def test_every_requirement_is_pinned_and_hashed() -> None:
    assert set(PINNED) <= set(requirement_files())
    for name in requirement_files():
        lines = [line for line in kept()[name].splitlines() if line and not line.lstrip().startswith("#")]
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if not _HASH.match(line):
                assert _PIN.match(line), f"{name}: {line}"
                assert _HASH.match(following), f"{name}: {line} has no hash"


def test_no_requirement_names_a_host_or_a_path() -> None:
    for name in requirement_files():
        assert not re.search(r"://|^-|\s@\s|(?:^|\s)\.{0,2}/", kept()[name], re.MULTILINE), name


def test_what_the_project_asks_for_is_pinned() -> None:
    asked = project()
    assert asked["run"] <= pins("requirements-run.txt")
    assert asked["run"] | asked["aws"] <= pins("requirements.txt")
    assert set().union(*asked.values()) <= pins("requirements-dev.txt")
    assert named_in("requirements-prove.in") <= pins("requirements-prove.txt")


def test_the_main_job_needs_no_tool_of_the_tests_nor_of_a_deployment() -> None:
    asked = project()
    others = (asked["dev"] | asked["aws"] | asked["lambda"]) - asked["run"] - {"flit-core"}
    assert pins("requirements-run.txt") & others == set()
    assert pins("requirements.txt") & (asked["dev"] | asked["lambda"]) - {"flit-core"} == set()


def test_every_file_pins_the_same_versions() -> None:
    whole = versions("requirements-prove.txt") | versions("requirements-dev.txt")
    for name in PINNED:
        found = versions(name)
        assert found == {one: whole[one] for one in found}, name


def versions(name: str) -> dict[str, set[str]]:
    """What a requirement file pins: a package to its versions, several where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for line in filter(_PIN.match, kept()[name].splitlines()):
        found.setdefault(bare(line), set()).add(re.split(r"[ ;\\]", line.partition("==")[2])[0])
    return found


def test_the_functions_carry_what_the_pipeline_needs_and_no_more() -> None:
    """No marker either: pip reads it for the machine that builds, and not for the Lambda."""
    named_there = named_in("requirements-lambda.in")
    assert named_there == project()["lambda"] | {"isal", "msgspec", "obstore", "tzdata", "urllib3"}
    assert named_there <= pins("requirements-lambda.txt")
    assert pins("requirements-lambda.txt") - named_there == {"jmespath", "typing-extensions"}
    assert " ; " not in kept()["requirements-lambda.txt"]


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z][^|]*?) +\| ([^|]*)", text, re.MULTILINE)
    titles = {"package", "file", "licence"}
    reasons = {bare(name): why.strip() for names, why in rows if names not in titles for name in names.split(", ")}
    prose = {bare(name) for name in re.findall(r"`([\w-]+)` \w", text)}
    asked = set().union(*project().values()) | named_in("requirements-prove.in")
    assert asked - reasons.keys() - prose == set()
    assert reasons.keys() - asked == set(), "rows of what is not asked for"
    assert [name for name, reason in reasons.items() if len(reason) < 3] == []


def test_what_is_imported_is_asked_for() -> None:
    """Nothing is imported that only the tests install, nor what comes by chance with another package."""
    asked = project()
    found = imported("option_a")
    assert found <= asked["run"] | asked["aws"] | asked["lambda"]
    assert asked["run"] | asked["aws"] | asked["lambda"] <= found
    assert imported("lambda") <= asked["lambda"]


def imported(folder: str) -> set[str]:
    """The packages that the modules below a folder import, by the names that they are asked for by."""
    text = "\n".join(path.read_text("utf-8") for path in modules(folder))
    found = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE))
    return {bare(IMPORTED_AS.get(name, name)) for name in found - sys.stdlib_module_names - {"option_a"}}


def test_nothing_of_one_machine_is_kept() -> None:
    own = [str(ROOT), str(Path(sys.prefix)), f"{Path.home()}/", *registries()]
    for name, text in kept().items():
        assert not [path for path in own if len(path) > 2 and path in text], name
        assert not (match := _HOMES.search(text)), f"{name}: {match[0] if match else ''}"
        assert not (match := _INDEX.search(text)), f"{name}: {match[0] if match else ''}"


def registries() -> list[str]:
    """Where this machine's pip finds packages."""
    listing = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    lines = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [line.partition("=")[2].strip("'\"") for line in lines if re.search(r"index-url|find-links|trusted", line)]
    return [place for value in found for place in value.split()]


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_commands_of_the_readme_are_targets(target: str) -> None:
    assert re.search(rf"^make {target}\b", kept()["README.md"], re.MULTILINE)
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_cdks_command_line_is_the_same_everywhere() -> None:
    named_there = {name: set(re.findall(r"aws-cdk@([\d.]+)", text)) for name, text in kept().items()}
    assert set().union(*named_there.values()) == named_there["Makefile"]
    assert len(named_there["Makefile"]) == 1


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", kept()["Makefile"], re.MULTILINE))
    for name in (name for name in kept() if name.startswith(("CONTRIBUTING.md", "README.md", "docs/", ".ci/"))):
        assert set(re.findall(r"(?:^|`|exec )make ([a-z-]+)", kept()[name], re.MULTILINE)) <= targets, name


def test_every_command_that_a_document_names_exists() -> None:
    commands = set(cli.list_commands(click.Context(cli)))
    for name in (name for name in kept() if name.endswith(".md")):
        for line in re.findall(r"(?:^|`|\(|\$ )(?:\S*/)?option-a ([a-z][\w-]*)", kept()[name], re.MULTILINE):
            assert line in commands, f"{name}: option-a {line}"


def test_every_link_between_documents_leads_somewhere() -> None:
    for name in (name for name in kept() if name.endswith(".md")):
        for link in re.findall(r"\]\(([^)#\s]+)", kept()[name]):
            assert "://" in link or (ROOT / name).parent.joinpath(link).exists(), f"{name}: {link}"


def test_the_modules_are_found() -> None:
    """Else every test that walks the tree would hold of nothing."""
    assert {"option_a/ingest/errors.py", "option_a/cli/main.py"} <= {named(path) for path in modules("option_a")}
    assert {"README.md", "Makefile", "pyproject.toml"} <= kept().keys()
