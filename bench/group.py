"""Run a command so that nothing of it outlives us, however we end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence


def run_group(command: Sequence[str], env: Mapping[str, str] | None = None) -> bytes:
    """Run the command and whatever it starts as one group; give its standard output.

    An interrupt kills the whole group: `subprocess.run` would kill the command alone and leave its children.
    Raises subprocess.CalledProcessError.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, process_group=0) as leader:
        try:
            output, _ = leader.communicate()
        except BaseException:
            os.killpg(leader.pid, signal.SIGKILL)
            raise
    if leader.returncode != 0:
        raise subprocess.CalledProcessError(leader.returncode, command)
    return output
