"""Stands before an AWS that is not ours and notes each request as the call that IAM would judge."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.aws.iam import Call
from tests.support.aws.moto import ACCOUNT, REGION, Aws

_TLS = ("aws:SecureTransport", "true")
"""On AWS every endpoint that the functions use is https."""
_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length"})
_LISTED = re.compile(rb"<Key>([^<]*)</Key>")


def calls_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> list[Call]:
    """The calls that a request is. Raises NotImplementedError for one that it does not know."""
    operation = headers.get("x-amz-target", "")
    service, _, name = operation.partition(".")
    if service == "AmazonSQS":
        url = json.loads(body)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
        return [Call(f"sqs:{name.removesuffix('Batch')}", arn, (_TLS,))]
    if service == "secretsmanager":
        secret = json.loads(body)["SecretId"]
        return [
            Call(f"secretsmanager:{name}", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret}-AbCdEf", (_TLS,))
        ]
    if operation:
        raise NotImplementedError(operation)
    return _s3(method, target, headers, body)


def _s3(method: str, target: str, headers: Mapping[str, str], body: bytes) -> list[Call]:
    parts = urlsplit(target)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    arn = f"arn:aws:s3:::{bucket}"
    if method == "GET" and not key:
        context = (_TLS, ("s3:prefix", query.get("prefix", [""])[0]))
        return [Call("s3:ListBucket", arn, context)]
    if method == "POST" and "delete" in query:
        return [Call("s3:DeleteObject", f"{arn}/{found.decode()}", (_TLS,)) for found in _LISTED.findall(body)]
    if method in ("GET", "HEAD"):
        return [Call("s3:GetObject", f"{arn}/{key}", (_TLS,))]
    if method == "DELETE":
        return [Call("s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", f"{arn}/{key}", (_TLS,))]
    if method in ("PUT", "POST"):
        source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/")
        read = [Call("s3:GetObject", f"arn:aws:s3:::{source}", (_TLS,))] if source else []
        return [*read, Call("s3:PutObject", f"{arn}/{key}", (_TLS,))]
    raise NotImplementedError(f"{method} {target}")


class Recorder:
    """A proxy. `endpoint` is where clients go; `calls` is what they asked, in order."""

    def __init__(self, aws: Aws) -> None:
        self.calls: list[Call] = []
        self._behind = urlsplit(aws.endpoint)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True

    @property
    def aws(self) -> Aws:
        """The server as clients should see it."""
        return Aws(f"http://127.0.0.1:{self._server.server_port}")

    @contextmanager
    def running(self) -> Iterator[Recorder]:
        thread = threading.Thread(target=self._server.serve_forever, name="recorder", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self._body()
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.calls += calls_of(self.command, self.path, headers, body)
                behind = http.client.HTTPConnection(str(recorder._behind.hostname), recorder._behind.port)
                kept = {name: value for name, value in headers.items() if name not in _HOP}
                behind.request(self.command, self.path, body, {**kept, "host": recorder._behind.netloc})
                answer = behind.getresponse()
                data = answer.read()
                behind.close()
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                length = answer.headers.get("content-length", "0") if self.command == "HEAD" else str(len(data))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(data)

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", "0")))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                return

        return Handler
