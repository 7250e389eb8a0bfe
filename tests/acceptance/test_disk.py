"""A disk that is full or read-only: the run says so, acknowledges nothing, and goes on once that is mended.

The disk is a small tmpfs in a mount namespace of its own, which goes with the process that made it.
"""

from __future__ import annotations

import shlex
import subprocess
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.command import DAY, Done, Place, command
from tests.conftest import Proof

pytestmark = pytest.mark.bar(8)
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-eu", "-c")


@pytest.fixture(scope="module", autouse=True)
def namespace(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("disk")
    try:
        subprocess.run([*NAMESPACE, f"mount -t tmpfs -o size=64k tmpfs {place}"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no mount namespace: install util-linux, and allow user namespaces (in a container: --privileged)")


class Script:
    """Shell lines in one namespace, with a tmpfs of 4 MB at ./disk; they begin at once."""

    def __init__(self, option_a: Place, *lines: str) -> None:
        (option_a.folder / "disk").mkdir()
        self._folder, self._commands = option_a.folder, [n for n, line in enumerate(lines) if not _mounts(line)]
        script = ["mount -t tmpfs -o size=4m tmpfs disk", *starmap(_shell, enumerate(lines))]
        self._shell = subprocess.Popen([*NAMESPACE, "\n".join(script)], cwd=option_a.folder, env=option_a.env)

    def ends(self) -> list[Done]:
        """How each line that is a command ended."""
        assert self._shell.wait(120) == 0
        ends = []
        for number in self._commands:
            out, err, code = ((self._folder / f"{number}.{kind}").read_text() for kind in ("out", "err", "code"))
            assert "Traceback" not in err, err
            ends.append(Done(int(code), out, err))
        return ends


def _mounts(line: str) -> bool:
    return line.startswith("mount ")


def _shell(number: int, line: str) -> str:
    if _mounts(line):
        return line
    called = shlex.join(command(*shlex.split(line)))
    return f"code=0; {called} >{number}.out 2>{number}.err || code=$?; echo $code >{number}.code"


REMOUNT = "mount -o remount"
RUN = f"run --date {DAY} --lake disk/lake"
AFTER = (RUN, "status --json --lake disk/lake", "verify --json --lake disk/lake")


def lands_all(run: Done, status: Done, verified: Done) -> None:
    assert run.code == 0, run.err
    assert "left in the queue" in run.err, "nothing had been acknowledged"
    states = [row["state"] for row in status.json()["partitions"] if row["date"] == DAY]
    assert states == ["complete"] * 4
    assert status.json()["queues"] == []
    assert verified.json()["ok"] is True


class Cured(NamedTuple):
    """A run that was refused, and what came after the cure."""

    folder: Path
    refused: Done
    after: list[Done]


@pytest.fixture(scope="module")
def cured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cured]:
    """Both cures side by side, since each waits until the claims of the refused run are over."""
    first = "run --date 2024-04-30 --source api-a --lake disk/lake"
    cures = {"full": ("size=300k", "size=4m"), "locked": ("ro", "rw")}
    folders = {name: tmp_path_factory.mktemp(name) for name in cures}
    scripts = {
        name: Script(Place(folders[name]), first, f"{REMOUNT},{ill} disk", RUN, f"{REMOUNT},{well} disk", *AFTER)
        for name, (ill, well) in cures.items()
    }
    ends = {name: script.ends() for name, script in scripts.items()}
    return {name: Cured(folders[name], refused, after) for name, (_, refused, *after) in ends.items()}


@pytest.mark.parametrize(
    ("disk", "reason", "advice"),
    [
        ("full", "No space left on device", "the disk is full: free some space and run again"),
        ("locked", "Read-only file system", "the disk is read-only"),
    ],
)
def test_a_disk_that_refuses_stops_the_run_with_one_clear_error_and_the_next_run_lands_all(
    cured: dict[str, Cured], disk: str, reason: str, advice: str, proof: Proof
) -> None:
    folder, refused, after = cured[disk]
    assert refused.code == 1
    (error,) = [line for line in refused.err.splitlines() if line.startswith("error: ")]
    assert f"in the lake {folder}/disk/lake: {reason}" in error
    assert advice in refused.err
    lands_all(*after)
    proof.figure("real disks that refused", 1)


def test_a_read_only_lake_can_be_looked_at(option_a: Place) -> None:
    first, *looks = Script(
        option_a, RUN, f"{REMOUNT},ro disk", *AFTER[1:], "query 'SELECT count(*) FROM raw' --lake disk/lake",
        f"logs api-a {DAY} --lake disk/lake", RUN,
    ).ends()  # fmt: skip
    assert [done.code for done in (first, *looks)] == [0] * 6, [done.err for done in looks]
    assert "Nothing to do" in looks[-1].out


@pytest.mark.parametrize("options", ["size=4k", "ro"])
def test_a_home_that_cannot_be_written_is_named_and_the_lake_is_not_touched(
    option_a: Place, options: str, proof: Proof
) -> None:
    refused, after = Script(
        option_a, f"{REMOUNT},{options} disk", f"run --date {DAY} --home disk/home",
        f"run --date {DAY}",
    ).ends()  # fmt: skip
    assert refused.code == 1
    assert "error: the queue disk/home/queue-" in refused.err
    assert "--home" in refused.err
    assert "4 partitions to load" in after.err, "nothing was there, and nothing waited"
    assert after.code == 0
    proof.figure("real disks that refused", 1)
