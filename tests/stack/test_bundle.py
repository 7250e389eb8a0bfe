"""The asset: what is in it, that it is what is pinned, and that the same input gives the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from option_a.constructs.bundle import LARGEST, build, check_pins
from option_a.ingest.errors import BuildError
from tests.stack.assembly import DEFAULT, ROOT

PINS = "isal==1.9.1 \\\n    --hash=sha256:0\naws-lambda-powertools==3.37.0 \\\n    --hash=sha256:0\n"
ARM = 183
"""The number of the processor in a library's ELF header."""


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder)}


def test_it_holds_the_handlers_the_sources_and_the_rooms_that_run(tmp_path: Path) -> None:
    build(tmp_path, root=ROOT, sources_text=DEFAULT, packages=False)
    found = files(tmp_path)
    assert {"planner.py", "worker.py", "freshness.py", "sources.toml", "option_a/__init__.py"} <= found
    assert {"option_a/ingest/load/worker.py", "option_a/names.py"} <= found
    rooms = {name.split("/")[1] for name in found if name.count("/") >= 2}
    assert rooms == {"ingest", "aws"}
    assert [name for name in found if not name.endswith((".py", "sources.toml"))] == []
    assert (tmp_path / "sources.toml").read_bytes() == DEFAULT.encode()


def test_it_holds_the_certificates_that_sources_name_where_they_name_them(tmp_path: Path) -> None:
    pem = tmp_path / "internal.pem"
    pem.write_bytes(b"-----BEGIN CERTIFICATE-----\r\n")
    build(tmp_path / "it", root=ROOT, sources_text=DEFAULT, certificates={"certs/internal.pem": pem}, packages=False)
    assert (tmp_path / "it" / "certs" / "internal.pem").read_bytes() == pem.read_bytes()
    with pytest.raises(BuildError, match=r"ca_bundle .*none\.pem cannot be read"):
        build(tmp_path / "no", root=ROOT, sources_text="", certificates={"x": tmp_path / "none.pem"}, packages=False)


def test_its_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    build(tmp_path / "a", root=ROOT, sources_text=DEFAULT, packages=False)
    build(tmp_path / "b", root=ROOT, sources_text=DEFAULT, packages=False)
    build(tmp_path / "c", root=ROOT, sources_text=DEFAULT + "\n", packages=False)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")
    (tmp_path / "b" / "worker.py").rename(tmp_path / "b" / "other.py")
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


def test_a_checkout_with_the_line_ends_of_windows_gives_the_same(tmp_path: Path) -> None:
    for name in ("lambda", "option_a"):
        shutil.copytree(ROOT / name, tmp_path / "root" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (tmp_path / "root").rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    build(tmp_path / "there", root=tmp_path / "root", sources_text=DEFAULT, packages=False)
    build(tmp_path / "here", root=ROOT, sources_text=DEFAULT, packages=False)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_an_asset_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"has 6[01] MB, more than 60"):
        build(tmp_path, root=ROOT, sources_text="#" * LARGEST, packages=False)


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        (["isal-1.9.1", "aws_lambda_powertools-3.37.0"], None),
        (["isal-1.8.0", "aws_lambda_powertools-3.37.0"], "isal 1.8.0, isal 1.9.1"),
        (["isal-1.9.1"], "aws-lambda-powertools 3.37.0"),
        (["isal-1.9.1", "aws_lambda_powertools-3.37.0", "boto3-1.0"], "boto3 1.0"),
    ],
)
def test_what_was_installed_is_what_is_pinned(tmp_path: Path, installed: list[str], told: str | None) -> None:
    for name in installed:
        (tmp_path / f"{name}.dist-info").mkdir()
    if told is None:
        check_pins(PINS, tmp_path)
        return
    with pytest.raises(BuildError, match=rf"is not what requirements-lambda\.txt pins: {told}$"):
        check_pins(PINS, tmp_path)


def test_a_package_that_pip_left_out_without_a_word_is_told(tmp_path: Path) -> None:
    pin = f"isal==1.9.1 ; python_version < '3' \\\n    --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements-lambda.txt").write_text(pin)
    with pytest.raises(BuildError, match=r"is not what requirements-lambda\.txt pins: isal 1\.9\.1$"):
        build(tmp_path / "asset", root=tmp_path, sources_text=DEFAULT, cache=tmp_path / "cache")


def test_what_pip_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "requirements-lambda.txt").write_text("isal=1\n")
    with pytest.raises(BuildError, match=r"pip could not install the functions' packages for arm64: ERROR: Invalid"):
        build(tmp_path / "asset", root=tmp_path, sources_text=DEFAULT, cache=tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [], "half an installation is not kept"


def test_the_same_input_gives_the_same_asset_for_the_lambdas_processor(tmp_path: Path) -> None:
    """Asks the network once for each of two builds, if the first is not in the cache."""
    said: list[str] = []
    build(tmp_path / "a", root=ROOT, sources_text=DEFAULT)
    build(tmp_path / "b", root=ROOT, sources_text=DEFAULT, cache=tmp_path / "cache", say=said.append)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert said == ["building the functions' packages for arm64 and Python 3.13 …"]
    assert sum(path.stat().st_size for path in (tmp_path / "a").rglob("*") if path.is_file()) < LARGEST

    libraries = sorted((tmp_path / "a").rglob("*.so"))
    assert {path.relative_to(tmp_path / "a").parts[0] for path in libraries} >= {"isal", "msgspec", "obstore"}
    assert {path.read_bytes()[18] for path in libraries} == {ARM}
    assert [path.name for path in libraries if "cpython-313-" not in path.name and ".abi3." not in path.name] == []
    found = files(tmp_path / "a")
    assert [name for name in found if name.endswith((".pyc", ".pyi", "/RECORD")) or "/tests/" in name] == []
    assert not (tmp_path / "a" / "bin").exists()
    assert not any(name.startswith(("boto3", "botocore", "duckdb", "aws_cdk")) for name in found)
    build(tmp_path / "c", root=ROOT, sources_text=DEFAULT, cache=tmp_path / "cache", say=said.append)
    assert len(said) == 1, "the cache is used"
