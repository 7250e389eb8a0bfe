"""Writes CycloneDX SBOMs of the functions' asset and of `make run`'s packages, for `make sbom` and its test."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from option_a.constructs.bundle import build

ROOT = Path(__file__).parents[3]
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


class Component(msgspec.Struct):
    """The parts of a component that are compared with the pins."""

    name: str
    version: str
    licenses: list[msgspec.Raw] = []


class Sbom(msgspec.Struct):
    """The parts of a document that are read here."""

    components: list[Component]


def asset(target: Path) -> None:
    """Build the functions' asset as a deployment does."""
    build(target, root=ROOT, sources_text="")


def local(target: Path) -> None:
    """Install what `make run` installs."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    place = ["--require-hashes", "--no-deps", "--target", str(target), "-r", str(ROOT / "requirements-run.txt")]
    subprocess.run([*command, *place], check=True)


SHIPPED: dict[str, Callable[[Path], None]] = {"lambda": asset, "run": local}
"""What each `requirements-….txt` pins, and how to install it into a folder."""


def write(name: str, target: Path) -> Path:
    """Install it and write its SBOM into `target`, along with those its wheels contain (PEP 770)."""
    target.mkdir(exist_ok=True)
    document = target / f"{name}.cdx.json"
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", scratch], check=True)
        (site,) = Path(scratch).glob("lib/python*/site-packages")
        SHIPPED[name](site)
        tool = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--output-reproducible"]
        project = ["--validate", "--pyproject", str(ROOT / "pyproject.toml"), "-o", str(document), scratch]
        subprocess.run([*tool, *project], check=True, capture_output=True)
        for inner in site.glob("*.dist-info/sboms/*.json"):
            shutil.copyfile(inner, target / f"{name}-{inner.name}")
    return document


def problems(name: str, document: Path) -> set[str]:
    """Pins missing from the document, unpinned components in it, and components without a licence."""
    wanted = _pins(ROOT / f"requirements-{name}.txt")
    parts = msgspec.json.decode(document.read_bytes(), type=Sbom).components
    found = {f"{_plain(part.name)} {part.version}" for part in parts}
    return (wanted ^ found) | {f"{part.name} has no licence" for part in parts if not part.licenses}


def _pins(requirements: Path) -> set[str]:
    """Names and versions; from Python 3.14 on, zstd is in the standard library and not installed."""
    found = {f"{_plain(name)} {version}" for name, version in _PIN.findall(requirements.read_text("utf-8"))}
    return {pin for pin in found if sys.version_info < (3, 14) or not pin.startswith("backports-zstd ")}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Write both into ./sbom and report any problem."""
    for name in SHIPPED:
        document = write(name, ROOT / "sbom")
        if wrong := problems(name, document):
            sys.exit(f"{document.name} is not what is pinned: {', '.join(sorted(wrong))}")
        print(document.relative_to(ROOT))


if __name__ == "__main__":
    main()
