"""Several processes share a folder; what a killed one held is free; what is durable is on the disk."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from option_a.ingest.lake.folder import FolderLake
from tests.contract.process import ROOT, process, together

KEY = "manifest/source=s/ingestion_date=2023-11-01/manifest.json"
PAGE = "raw/source=s/ingestion_date=2023-11-01/page=000001.json.gz"
PRELUDE = """
import signal, sys
from pathlib import Path
from option_a.ingest.lake.folder import FolderLake

key = sys.argv[2]
"""
COUNT = """
lake = FolderLake(Path(sys.argv[1]))
counted = 0
while counted < 200:
    found = lake.read(key)
    value, tag = (int(found[0]), found[1]) if found else (0, None)
    counted += lake.compare_and_swap(key, str(value + 1).encode(), tag) is not None
print(counted)
"""
HOLD = """
with FolderLake(Path(sys.argv[1])).unchanged(key, None) as absent:
    print(absent, flush=True)
    signal.pause()
"""
PUT = """
lake = FolderLake(Path(sys.argv[1]), durable=sys.argv[3] == "durable")
lake.put(key, b"page")
"""


def test_increments_by_racing_processes_are_never_lost(tmp_path: Path) -> None:
    assert together(PRELUDE + COUNT, 2, tmp_path, KEY) == ["200\n"] * 2
    assert FolderLake(tmp_path).get(KEY) == b"400"


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    with process(PRELUDE + HOLD, tmp_path, KEY) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
    assert FolderLake(tmp_path).compare_and_swap(KEY, b"x", None) is not None


def synced(folder: Path, how: str) -> list[str]:
    """What a put brings to the disk, in order: paths below the lake, and `rename` where the object gets its name."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    log = folder.parent / "strace.txt"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", str(log)]
    script = [sys.executable, "-c", PRELUDE + PUT, str(folder), PAGE, how]
    done = subprocess.run([*command, *script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here: allow ptrace (in a container, --cap-add=SYS_PTRACE)")
    assert done.returncode == 0, done.stderr
    succeeded = "\n".join(line for line in log.read_text().splitlines() if line.endswith("= 0"))
    found = re.findall(rf"(?:fsync|fdatasync)\(\d+<{re.escape(str(folder))}([^>]*)>\)|(rename)", succeeded)
    return [path.lstrip("/") or "." if not rename else "rename" for path, rename in found]


def test_a_durable_put_syncs_the_file_then_names_it_then_syncs_every_folder_above(tmp_path: Path) -> None:
    steps = synced(tmp_path / "lake", "durable")
    named = steps.index("rename")
    assert [step.rpartition("/")[0] for step in steps[:named]] == ["staging/.tmp"]
    assert "rename" not in steps[named + 1 :]
    above = PAGE.split("/")[:-1]
    assert {"/".join(above[:depth]) or "." for depth in range(len(above) + 1)} <= set(steps[named + 1 :])


def test_a_put_that_is_not_durable_syncs_nothing(tmp_path: Path) -> None:
    assert synced(tmp_path / "lake", "not") == ["rename"]
