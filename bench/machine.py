"""Where the figures come from: the machine, its load, and the versions of all that takes part."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench.servers import find_nginx
from bench.venvs import peer_versions

_LIBRARIES = ("option-a", "msgspec", "isal", "obstore", "urllib3")
_PEERS = ("dlt", "requests")


def describe() -> dict[str, str]:
    """What to print above the figures, by its caption."""
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "CPU": f"{_field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "disk": f"{_file_system(Path(tempfile.gettempdir()))}, {_fsync_seconds() * 1000:.1f} ms an fsync",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "peers": ", ".join(f"{name} {pin}" for name, pin in peer_versions(*_PEERS).items()),
        "server": f"nginx {_nginx_version()}",
    }


def _field(path: str, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.+)$", Path(path).read_text(), re.MULTILINE)
    return found[1] if found else f"unknown {name}"


def _file_system(path: Path) -> str:
    """The type of the file system with the longest mount point above the path."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(mount[1]), mount[2]) for mount in mounts if path.resolve().is_relative_to(mount[1])]
    return max(above)[1]


def _fsync_seconds() -> float:
    """The median time that a file of a page's size takes to be on the disk: it explains the durable figures."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(20):
            file.write(bytes(100_000))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _nginx_version() -> str:
    done = subprocess.run([find_nginx(), "-v"], capture_output=True, text=True, check=True)
    return done.stderr.rpartition("/")[2].split()[0]
