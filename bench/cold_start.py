"""`python -m bench.cold_start`: the CPU that each function of the stack needs before its first event.

The asset is the deployed one, for this machine's Python and processor, with no bytecode, as Lambda finds it.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from option_a.constructs.bundle import build

BAR = 0.6
ROUNDS = 5
_ROOT = Path(__file__).parents[1]
_SOURCES = "[sources.api-a]\n[sources.api-b]\n[sources.api-c]\n[sources.api-d]\n"
_ENV = {
    "OPTION_A_LAKE": "s3://lake", "OPTION_A_STACK": "Stack", "OPTION_A_QUEUES": "https://sqs.test/1/",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
    "POWERTOOLS_SERVICE_NAME": "Stack", "POWERTOOLS_METRICS_NAMESPACE": "Bench", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip


def seconds(asset: Path, name: str) -> float:
    """CPU seconds from the interpreter's start to a function that is ready for its first event."""
    env = {**_ENV, "PATH": os.environ["PATH"], "PYTHONPATH": str(asset)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import awslambdaric.bootstrap, {name}"], env=env, cwd=asset, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print the medians; 1 if one is over the bar."""
    processor = {"x86_64": "x86_64"}.get(platform.machine(), "arm64")
    with tempfile.TemporaryDirectory() as folder:
        asset = Path(folder) / "asset"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        build(asset, root=_ROOT, sources_text=_SOURCES, architecture=processor, python=version)
        size = sum(path.stat().st_size for path in asset.rglob("*") if path.is_file())
        found = {
            n: statistics.median(seconds(asset, n) for _ in range(ROUNDS)) for n in ("planner", "worker", "freshness")
        }
    print(f"asset {size / 10**6:.1f} MB unzipped, Python {version}, {processor}; bar {BAR} CPU s")
    for name, spent in found.items():
        print(f"{name:<10} {spent:.2f} CPU s")
    return int(max(found.values()) > BAR)


if __name__ == "__main__":
    sys.exit(main())
