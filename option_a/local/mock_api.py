"""The mock payload behind a real HTTP server."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from option_a.ingest.config import DEFAULT_NAMES
from option_a.ingest.errors import ConfigError, HttpError
from option_a.ingest.http import mock_body


def serve(host: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not yet serving. Raises ConfigError if the address is taken."""
    try:
        return _Server((host, port), _Handler)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another port: --port"
        ) from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        name = parts.path.strip("/")
        if name not in DEFAULT_NAMES:
            return self._send(404, b'{"error":"no such endpoint"}')
        try:
            self._send(200, mock_body(name, query.get("date", ""), query.get("page", "1")))
        except HttpError as error:
            self._send(error.status, b'{"error":"%s"}' % error.hint.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        return

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
