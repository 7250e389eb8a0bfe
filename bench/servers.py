"""The API on loopback: nginx for speed, and a small server that waits before it answers for latency.

Both serve `GET /<source>?date=D&page=N` from FOLDER/<source>/N.json, outside the measured processes.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NGINX_CONF = """\
daemon off; master_process off; worker_rlimit_nofile 8192;
pid {state}/nginx.pid; error_log {state}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; types {{ }} default_type application/json;
  sendfile on; tcp_nopush on; tcp_nodelay on; open_file_cache max=5000 inactive=600s;
  keepalive_requests 1000000; keepalive_timeout 600;
  client_body_temp_path {state}/body; proxy_temp_path {state}/proxy; fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi; scgi_temp_path {state}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {folder};
    location ~ "^/([a-z]+)$" {{ try_files /$1/$arg_page.json =404; }}
  }}
}}
"""
_START_SECONDS = 10.0


class ServerError(Exception):
    """A server that could not be started; the message says what to do."""


def find_nginx() -> Path:
    """The nginx to serve with. Raises ServerError with the way to get one."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if found is None:
        raise ServerError("nginx is neither on PATH nor in /usr/sbin; get it with: apt-get install nginx")
    return Path(found)


@contextmanager
def fast(folder: Path, state: Path) -> Iterator[str]:
    """Serve with nginx, one process, until the block ends; give the base url."""
    port = _free_port()
    state.mkdir(parents=True)
    conf = state / "nginx.conf"
    conf.write_text(_NGINX_CONF.format(state=state, folder=folder, port=port))
    command = [str(find_nginx()), "-c", str(conf), "-p", str(state), "-e", str(state / "nginx.log")]
    with _serving(command, port, state):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def slow(folder: Path, state: Path, delay: float) -> Iterator[str]:
    """Serve each page `delay` seconds after it was asked for, until the block ends; give the base url."""
    port = _free_port()
    state.mkdir(parents=True)
    command = [sys.executable, "-m", "bench.slow_server", str(folder), "--port", str(port), "--delay", str(delay)]
    with _serving(command, port, state):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _serving(command: list[str], port: int, state: Path) -> Iterator[None]:
    log = state / "output.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            _wait_for(server, port, log)
            yield
        finally:
            server.terminate()


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise ServerError(f"the server did not start: {log.read_text(errors='replace').strip() or 'it said nothing'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
