"""The functions' asset, built with pip alone: pinned wheels for the Lambda's processor and Python, and our own rooms.

The same input gives the same files. The packages are kept in a cache, under a digest of what decides them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from option_a.ingest.errors import BuildError

PYTHON = "3.13"
"""The Lambda's."""
LARGEST = 60 * 10**6
"""Bytes of an asset, unzipped."""
ROOMS = ("option_a/ingest", "option_a/aws")
FILES = ("option_a/__init__.py", "option_a/names.py")
REQUIREMENTS = "requirements-lambda.txt"
_PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}
# each by its name: pip takes no wheel of 2_24 for 2_28, and falls back to an older release without a word
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_24", "manylinux_2_28", "manylinux_2_34")
_NEEDLESS = ("bin", "**/tests", "**/__pycache__", "**/*.pyi", "**/py.typed")
# they hold the path of this machine's Python, or say who installed
_OF_THIS_MACHINE = ("RECORD", "INSTALLER", "REQUESTED")
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)

Say = Callable[[str], None]


def build(
    target: Path,
    *,
    root: Path,
    sources_text: str,
    certificates: Mapping[str, Path] = {},
    architecture: str = "arm64",
    python: str = PYTHON,
    packages: bool = True,
    cache: Path | None = None,
    say: Say = lambda line: None,
) -> None:
    """Write the asset into the empty or missing folder `target`. Raises BuildError.

    `certificates` are files that `ca_bundle` names: where they go, and where they are.
    """
    if packages:
        installed = _packages(root, architecture, python, cache or root / ".packages", say)
        shutil.copytree(installed, target, dirs_exist_ok=True)
    for path in _own(root):
        place = target / (path.name if path.parent.name == "lambda" else path.relative_to(root))
        place.parent.mkdir(parents=True, exist_ok=True)
        # line ends as git keeps them: a checkout on Windows gives the same asset
        place.write_bytes(path.read_text("utf-8").encode())
    (target / "sources.toml").write_bytes(sources_text.encode())
    for name, path in certificates.items():
        _copy(path, target / name)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    if size > LARGEST:
        raise BuildError(f"the functions' asset has {size / 10**6:.0f} MB, more than {LARGEST // 10**6}")


def _copy(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.write_bytes(path.read_bytes())
    except OSError as error:
        raise BuildError(f"ca_bundle {path} cannot be read: {error.strerror}", hint="correct sources.toml") from None


def _own(root: Path) -> Iterator[Path]:
    yield from sorted((root / "lambda").glob("*.py"))
    yield from (root / name for name in FILES)
    for room in ROOMS:
        yield from sorted((root / room).rglob("*.py"))


def _packages(root: Path, architecture: str, python: str, cache: Path, say: Say) -> Path:
    """The folder of the installed packages: out of the cache, or made."""
    wanted = (root / REQUIREMENTS).read_text("utf-8")
    decides = "\n".join([wanted, architecture, python, *_PLATFORMS, *_NEEDLESS, *_OF_THIS_MACHINE])
    kept = cache / f"{architecture}-{python}-{hashlib.sha256(decides.encode()).hexdigest()[:16]}"
    if kept.is_dir():
        return kept
    say(f"building the functions' packages for {architecture} and Python {python} …")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        fresh = Path(scratch) / "packages"
        _install(root / REQUIREMENTS, fresh, architecture, python)
        check_pins(wanted, fresh)
        _strip(fresh)
        _keep(fresh, kept)
    return kept


def _install(requirements: Path, target: Path, architecture: str, python: str) -> None:
    platforms = [f"--platform={name}_{_PROCESSORS[architecture]}" for name in _PLATFORMS]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    exactly = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
    place = [f"--python-version={python}", "--target", str(target), "-r", str(requirements)]
    done = subprocess.run([*command, *exactly, *platforms, *place], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.splitlines()
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise BuildError(
            f"pip could not install the functions' packages for {architecture}: {' '.join(errors)}",
            hint="is the network up, and is pip recent enough? `python -m pip install --upgrade pip`",
        )


def check_pins(requirements: str, installed: Path) -> None:
    """Whether exactly what is pinned was installed. Raises BuildError."""
    pinned = {(_plain(name), version) for name, version in _PIN.findall(requirements)}
    folders = [path.name.removesuffix(".dist-info") for path in installed.glob("*.dist-info")]
    found = {(_plain(name), version) for name, _, version in (folder.rpartition("-") for folder in folders)}
    if pinned != found:
        different = ", ".join(f"{name} {version}" for name, version in sorted(pinned ^ found))
        raise BuildError(f"what pip installed for the functions is not what {REQUIREMENTS} pins: {different}")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _strip(folder: Path) -> None:
    doomed = [path for pattern in _NEEDLESS for path in folder.glob(pattern)]
    doomed += [path for name in _OF_THIS_MACHINE for path in folder.glob(f"*.dist-info/{name}")]
    for path in doomed:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _keep(fresh: Path, kept: Path) -> None:
    try:
        os.replace(fresh, kept)
    except OSError:
        if not kept.is_dir():  # else another process has built the same meanwhile
            raise
