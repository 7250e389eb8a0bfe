"""CONTRIBUTING.md, and what it promises: paths that exist, an inner loop that is short, lists that miss no step."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from typing import Any, get_args

import msgspec
import pytest

from option_a import __version__
from option_a.ingest.config.read import STYLES
from option_a.ingest.pagination import Pagination
from tests.architecture.tree import ROOT, kept
from tests.support.apis import pagination_styles

_PATH = re.compile(r"`((?:option_a|tests|docs|examples|lambda|bench)/[\w./-]+|[\w-]+\.(?:md|toml))`")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(kept()["pyproject.toml"])


def test_every_path_that_it_names_exists() -> None:
    paths = _PATH.findall(kept()["CONTRIBUTING.md"])
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_floor_is_told_of_and_no_other() -> None:
    told = re.findall(r"^\| `tests/(\w+)` \|", kept()["CONTRIBUTING.md"], re.MULTILINE)
    floors = {name.split("/")[1] for name in kept() if re.fullmatch(r"tests/\w+/(?:.+/)?test_\w+\.py", name)}
    assert sorted(told) == sorted(floors)


def test_one_file_is_tried_in_one_process() -> None:
    """Workers take longer to start than most files take: whoever wants them asks for them."""
    assert set(shlex.split(pyproject()["tool"]["pytest"]["ini_options"]["addopts"])) & {"-n", "--dist"} == set()


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("unit", ["-m", "not slow", "--hypothesis-profile", "dev", "tests/unit"]),
        ("test", ["-n", "auto", "--dist", "loadfile"]),
    ],
)
def test_a_target_runs_what_it_says(target: str, arguments: list[str]) -> None:
    dry = ["make", "--dry-run", target]
    lines = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    (line,) = (line for line in lines if " -m pytest" in line)
    assert line.split(" -m pytest ")[1] == shlex.join(arguments).replace("'", '"')


def test_every_style_of_pagination_is_known_wherever_it_must_be() -> None:
    styles = {msgspec.inspect.type_info(style).tag: style for style in get_args(Pagination)}  # type: ignore[attr-defined]
    assert STYLES["pagination"] == styles
    document = kept()["docs/sources.md"]
    assert set(re.findall(r'^\| `"(\w+)"` \|', document.partition("## How pages follow")[2], re.MULTILINE)) == set(
        styles
    )
    assert set(re.findall(r'^### `style = "(\w+)"`', document, re.MULTILINE)) == set(styles)
    served = {api.source.pagination for api in pagination_styles.STYLES.values()}
    assert {type(style) for style in served} == set(styles.values()), "an API of each in tests/support"


def test_a_style_of_credentials_is_tried_with_a_secret_that_must_not_be_seen() -> None:
    canary = kept()["tests/acceptance/test_canary.py"]
    assert [style for style in STYLES["auth"] if f'style = "{style}"' not in canary] == []


def test_the_version_is_one() -> None:
    assert pyproject()["project"]["version"] == __version__
