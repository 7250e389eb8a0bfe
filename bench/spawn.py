"""Run one command and print what it cost, as JSON: `python -I -S spawn.py LOG COMMAND...`

Linux counts the memory of the process that forks towards the peak of its child. So what forks the measured
commands is this script, of 10 MB and with nothing but the standard library, rather than the bench itself.
"""

import json
import os
import subprocess
import sys
import threading
import time

TIMEOUT = 1800.0


def spawn(log: str, command: list[str]) -> dict[str, float]:
    """Run the command to its end, its output going to `log`.

    Gives its exit code, seconds of wall time, user and system seconds of it and of every process that it
    waited for, and the bytes that the largest single one of them held at most.
    """
    with open(log, "wb") as output:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        guard = threading.Timer(TIMEOUT, child.kill)
        guard.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        guard.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return {"code": child.returncode, "wall": wall, "cpu": cpu, "peak": usage.ru_maxrss * 1024}


if __name__ == "__main__":
    print(json.dumps(spawn(sys.argv[1], sys.argv[2:])))
