"""Serves nyc.db, lands a month of it and today's snapshots with option-a, asks a question, and stops the server."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit, urlunsplit

HERE = Path(__file__).parent
READY = re.compile(r"Uvicorn running on http://(\S+)")
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LATEST = """\
SELECT carrier, count(arr_delay) AS arrived, round(avg(arr_delay), 2) AS minutes_late
FROM flights WHERE ingestion_date BETWEEN '{first}' AND '{last}'
GROUP BY carrier ORDER BY minutes_late DESC"""


def main() -> int:
    """The exit code: 0, or that of the first command that failed."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with serving(options.port) as address:
            for command in commands(options.first, options.last):
                run([options.option_a, *command], address)
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def arguments() -> argparse.Namespace:
    """What the Makefile passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--option-a", required=True, help="path of the option-a command")
    parser.add_argument("--port", default="8001", help="0 is any free one")
    parser.add_argument("--from", dest="first", required=True)
    parser.add_argument("--to", dest="last", required=True)
    return parser.parse_args()


def commands(first: str, last: str) -> Iterator[list[str]]:
    """What option-a is asked to do, in order."""
    yield ["backfill", "--source", "flights", "--source", "weather", "--from", first, "--to", last]
    yield ["run", "--source", "planes", "--source", "airports"]
    yield ["verify"]
    yield ["query", LATEST.format(first=first, last=last), "--format", "table"]


def run(command: list[str], address: str) -> None:
    """Shows a command and runs it against the server at an address. Raises CalledProcessError."""
    shown = (f'"{word}"' if " " in word else word for word in command[1:])
    print("\n$ option-a", *shown, flush=True)
    subprocess.run(command, check=True, env={**os.environ, "ENDPOINT_MAP": endpoints(address)})


def endpoints(address: str) -> str:
    """The urls of the sources with this address in the place of 127.0.0.1:8001: a JSON object."""
    sources = tomllib.loads(Path(os.environ["OPTION_A_SOURCES"]).read_text(encoding="utf-8"))["sources"]
    moved = {name: urlsplit(source["url"])._replace(netloc=address) for name, source in sources.items()}
    return json.dumps({name: urlunsplit(url) for name, url in moved.items()})


@contextmanager
def serving(port: str) -> Iterator[str]:
    """Datasette, running for as long as the block does. Yields its host and port."""
    with NamedTemporaryFile() as log, subprocess.Popen([HERE / "serve", port], stdout=log, stderr=log) as server:
        try:
            yield address_of(server, Path(log.name))
        finally:
            stop(server)


def address_of(server: subprocess.Popen[bytes], log: Path) -> str:
    """Waits until the server says in its log where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if found := READY.search(log.read_text()):
            print(f"Datasette listens on {found[1]}", flush=True)
            return found[1]
        time.sleep(0.05)
    raise SystemExit(f"{log.read_text()}\nDatasette did not start. Is the port taken? `make PORT=0` takes a free one.")


def stop(server: subprocess.Popen[bytes]) -> None:
    """Asks the server to end, and ends it if it does not."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
