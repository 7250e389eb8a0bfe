"""Lambda's Runtime API, so that acceptance tests run the real asset under the real runtime client."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

_VERSION = "/2018-06-01/runtime"
_START = "import awslambdaric.__main__ as m; import sys; m.main(sys.argv)"


class FunctionError(Exception):
    """An error that the function reported."""


class Invocation(NamedTuple):
    """An event that waits for the function."""

    request: str
    event: bytes
    deadline: float


class LambdaFunction:
    """A deployed function: asset folder, handler and environment. Cold until the first invocation."""

    def __init__(self, asset: Path, handler: str, env: Mapping[str, str], *, runtime: Path) -> None:
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, str, bytes]] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self._asset, self._handler = asset, handler
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{asset}:{runtime}",  # with -S nothing from the tests' environment can be imported
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "LAMBDA_TASK_ROOT": str(asset),
            "AWS_LAMBDA_FUNCTION_NAME": handler.partition(".")[0],
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            **env,
        }
        self._number = 0
        self.process: subprocess.Popen[str]
        self.log = asset.parent / f"{handler}.{self._server.server_port}.log"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="runtime api", daemon=True).start()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-c", _START, self._handler], cwd=self._asset, env=self._env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()

    def kill(self) -> None:
        """End it as Lambda ends an environment that is out of time or memory."""
        self.process.kill()
        self.process.wait()

    def invoke(self, event: Any, *, seconds: float = 900.0, wait: float = 60.0) -> Any:
        """The function's answer; `seconds` is its remaining time. Raises FunctionError."""
        request = self.begin(event, seconds=seconds)
        answered, path, body = self._answers.get(timeout=wait)
        assert answered == request, (answered, request)
        if path != "response":
            raise FunctionError(body.decode())
        return json.loads(body)

    def begin(self, event: Any, *, seconds: float = 900.0) -> str:
        """Send it an event without waiting for the answer."""
        self._number += 1
        request = f"00000000-0000-4000-8000-{self._number:012d}"
        self._waiting.put(Invocation(request, json.dumps(event).encode(), time.time() + seconds))
        return request

    def lines(self) -> list[dict[str, Any]]:
        """The structured log lines it wrote."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        waiting, answers = self._waiting, self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                invocation = waiting.get()
                if invocation is None:
                    self.close_connection = True
                    return
                self.send_response(200)
                for name, value in {
                    "Content-Type": "application/json",  # without it the client waits forever
                    "Lambda-Runtime-Aws-Request-Id": invocation.request,
                    "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                    "Content-Length": str(len(invocation.event)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(invocation.event)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                parts = self.path.removeprefix(f"{_VERSION}/").split("/")
                answers.put((parts[1], parts[-1], body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                return

        return Handler
