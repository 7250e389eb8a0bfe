"""Builds the functions' deployed asset for the local Python and processor, and the Lambda runtime's own packages."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import distribution, requires
from pathlib import Path

from option_a.constructs.bundle import build

ROOT = Path(__file__).parents[3]
DEFAULTS = "".join(f"[sources.api-{letter}]\nallow_private = true\n" for letter in "abcd")
"""The four mock sources; tests point them at their own servers."""
_PROCESSOR = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_OF_THE_RUNTIME = ("awslambdaric", "boto3")
"""The runtime's own packages: its client and the AWS SDK."""
_IN_THE_ASSET = frozenset({"urllib3", "jmespath", "typing-extensions"})


def build_asset(target: Path, sources: str = DEFAULTS) -> Path:
    """Build the asset; its packages are installed once and kept."""
    target.mkdir(parents=True)
    build(
        target,
        root=ROOT,
        sources_text=sources,
        architecture=_PROCESSOR[platform.machine()],
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
    )
    return target


def link_runtime(target: Path) -> Path:
    """A folder with the runtime's packages and nothing else from the tests' environment."""
    target.mkdir(parents=True)
    wanted, seen = list(_OF_THE_RUNTIME), set(_IN_THE_ASSET)
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        for file in distribution(name).files or ():
            top = file.parts[0]
            place = Path(str(distribution(name).locate_file(top)))
            if top not in ("..", "__pycache__") and not (target / top).exists():
                (target / top).symlink_to(place)
        wanted += [text.split(";")[0].strip() for text in requires(name) or () if ";" not in text]
        wanted = [_bare(text) for text in wanted]
    return target


def _bare(requirement: str) -> str:
    return (
        requirement.split("[")[0]
        .split("=")[0]
        .split("<")[0]
        .split(">")[0]
        .split("!")[0]
        .split("~")[0]
        .strip(" (")
        .lower()
    )
