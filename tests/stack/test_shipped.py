"""What is shipped: licences as docs/dependencies.md has them, none copyleft, and a document that names every part."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from option_a.constructs.bundle import build
from option_a.ingest.errors import BuildError
from tests.architecture.test_files import bare, named_in, pins, project
from tests.architecture.tree import kept
from tests.stack.assembly import ROOT
from tests.support.documents.sbom import problems, write

PERMISSIVE = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"}
FOR_CODE_THAT_IS_LINKED = {*PERMISSIVE, "BSL-1.0", "CC0-1.0", "LLVM-exception", "Unicode-3.0", "Unlicense", "Zlib"}
SILENT = {"atheris": {"Apache-2.0"}}
"""What says nothing in its metadata: as its file of the licence has it."""
_ROW = re.compile(r"^\| ([\w.-]+) \|([^|]*)\|([^|]*)\|$", re.MULTILINE)
_WORDS = (
    ("MIT-0", r"\bMIT-0\b|MIT No Attribution"),
    ("MIT", r"\bMIT\b(?!-0| No)"),
    ("Apache-2.0", r"Apache"),
    ("BSD-2-Clause", r"BSD[ -]2-Clause"),
    ("BSD-3-Clause", r"BSD[ -]3-Clause"),
    ("PSF-2.0", r"PSF|Python Software Foundation"),
    ("MPL-2.0", r"MPL|Mozilla"),
    ("copyleft", r"GPL|GNU|EUPL|SSPL|CDDL|CC-BY-SA"),
)
"""Each licence, as packages word it."""


def table() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What docs/dependencies.md says: of what is shipped, and of the rest; a package to its licences."""
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").partition("## Licences")[2]
    shipped: dict[str, set[str]] = {}
    rest: dict[str, set[str]] = {}
    for licence, *columns in _ROW.findall(text):
        for column, found in zip(columns, (shipped, rest), strict=True):
            for name in re.findall(r"`([^`]+)`", column):
                found.setdefault(bare(name), set()).add(licence)
    return shipped, rest


def said(package: Distribution) -> set[str]:
    """The licences that a package names in its metadata."""
    about = package.metadata
    words = [about["License-Expression"] or (about["License"] or "")[:200]]
    words += [word for word in about.get_all("Classifier") or () if word.startswith("License ::")]
    return {licence for licence, pattern in _WORDS if re.search(pattern, "\n".join(words))}


def by_name(found: Iterable[Distribution]) -> Iterator[tuple[str, Distribution]]:
    return ((bare(package.metadata["Name"]), package) for package in found)


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions' asset; asks the network if its packages are not in the cache."""
    target = tmp_path_factory.mktemp("asset")
    build(target, root=ROOT, sources_text="")
    return target


def test_every_package_that_is_shipped_has_its_licence_in_the_table_and_no_other() -> None:
    shipped, rest = table()
    assert shipped.keys() == pins("requirements-run.txt") | pins("requirements-lambda.txt")
    asked = set().union(*project().values()) | named_in("requirements-prove.in")
    assert rest.keys() == asked - shipped.keys()


def test_what_is_shipped_has_permissive_licences_alone() -> None:
    shipped, _ = table()
    assert {name: licences for name, licences in shipped.items() if not licences <= PERMISSIVE} == {}


def test_the_table_says_what_the_packages_say_of_themselves(asset: Path) -> None:
    shipped, rest = table()
    installed = dict(by_name(distributions())) | dict(by_name(distributions(path=[str(asset)])))
    assert shipped.keys() <= installed.keys()
    stated = {**rest, **shipped}
    found = {name: said(installed[name]) or SILENT.get(name, set()) for name in stated.keys() & installed.keys()}
    assert found == {name: stated[name] for name in found}


def test_the_functions_carry_nothing_that_the_table_does_not_name(asset: Path) -> None:
    assert dict(by_name(distributions(path=[str(asset)]))).keys() == pins("requirements-lambda.txt")
    tops = {path.name for path in asset.iterdir() if not path.name.endswith(".dist-info")}
    assert {top.removesuffix(".py").replace("_", "-") for top in tops} == pins("requirements-lambda.txt") | {
        *("option-a", "sources.toml", "planner", "worker", "freshness", "keeper")
    }


@pytest.mark.parametrize(
    ("hashed", "told"), [(f"--hash=sha256:{'0' * 64}", "DO NOT MATCH THE HASHES"), ("", "Hashes are required")]
)
def test_a_wheel_with_another_hash_than_the_pinned_one_is_not_taken(tmp_path: Path, hashed: str, told: str) -> None:
    """Asks the network, or finds what pip has kept."""
    (pin,) = (line for line in kept()["requirements-lambda.txt"].splitlines() if line.startswith("jmespath=="))
    (tmp_path / "requirements-lambda.txt").write_text(f"{pin}\n    {hashed}\n")
    with pytest.raises(BuildError, match=told):
        build(tmp_path / "asset", root=tmp_path, sources_text="", cache=tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == []


def test_no_crate_that_obstore_links_is_copyleft_without_another_to_choose(asset: Path) -> None:
    (document,) = asset.glob("obstore-*.dist-info/sboms/*.json")
    parts = json.loads(document.read_bytes())["components"]
    assert len(parts) > 100
    assert [part["name"] for part in parts if not chosen(part.get("licenses", []))] == []


def chosen(licences: list[dict[str, str]]) -> bool:
    """Whether one can keep to permissive licences; a part that names none can't."""
    texts = [one["expression"] for one in licences]
    joined = " AND ".join(f"({text})" for text in texts)
    words = set(re.findall(r"[\w.-]+", joined)) - {"AND", "OR", "WITH"}
    values = {word: str(word in FOR_CODE_THAT_IS_LINKED) for word in words}
    formula = re.sub(r"[\w.-]+", lambda word: values.get(word[0], word[0].lower()), joined.replace(" WITH ", " AND "))
    return bool(texts) and bool(eval(formula))


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("MIT OR GPL-3.0", True),
        ("MIT AND GPL-3.0", False),
        ("(MIT OR GPL-3.0) AND LGPL-3.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Unknown-1.0", False),
    ],
)
def test_a_licence_that_is_copyleft_is_seen(text: str, can: bool) -> None:
    assert chosen([{"expression": text}]) is can
    assert not chosen([])


def test_the_document_names_every_part_that_is_pinned_and_no_other(tmp_path: Path) -> None:
    pytest.importorskip("cyclonedx", reason="make sbom, or make prove, installs what writes it")
    document = write("lambda", tmp_path)
    assert problems("lambda", document) == set()
    found = json.loads(document.read_bytes())
    assert (found["bomFormat"], found["metadata"]["component"]["name"]) == ("CycloneDX", "option-a")
    assert (tmp_path / "lambda-obstore.cyclonedx.json").exists()

    part = found["components"].pop()
    found["components"] += [{**part, "name": "uninvited", "licenses": []}]
    document.write_text(json.dumps(found))
    told = f"{bare(part['name'])} {part['version']}"
    assert problems("lambda", document) == {told, f"uninvited {part['version']}", "uninvited has no licence"}
