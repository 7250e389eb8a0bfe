"""A proxy in front of moto that records each request as the call IAM would evaluate, for tests of least privilege."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.aws.iam import AwsCall
from tests.support.aws.moto import ACCOUNT, REGION, MotoServer

_TLS = ("aws:SecureTransport", "true")
"""On AWS the functions only use https endpoints."""
_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length"})
_LISTED = re.compile(rb"<Key>([^<]*)</Key>")


def calls_in_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> list[AwsCall]:
    """The calls that a request makes. Raises NotImplementedError for an unknown one."""
    operation = headers.get("x-amz-target", "")
    service, _, name = operation.partition(".")
    if service == "AmazonSQS":
        url = json.loads(body)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
        return [AwsCall(f"sqs:{name.removesuffix('Batch')}", arn, (_TLS,))]
    if service == "secretsmanager":
        secret = json.loads(body)["SecretId"]
        return [
            AwsCall(
                f"secretsmanager:{name}", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret}-AbCdEf", (_TLS,)
            )
        ]
    if operation:
        raise NotImplementedError(operation)
    return _s3(method, target, headers, body)


def _s3(method: str, target: str, headers: Mapping[str, str], body: bytes) -> list[AwsCall]:
    parts = urlsplit(target)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    arn = f"arn:aws:s3:::{bucket}"
    if method == "GET" and not key:
        context = (_TLS, ("s3:prefix", query.get("prefix", [""])[0]))
        return [AwsCall("s3:ListBucket", arn, context)]
    if method == "POST" and "delete" in query:
        return [AwsCall("s3:DeleteObject", f"{arn}/{found.decode()}", (_TLS,)) for found in _LISTED.findall(body)]
    if method in ("GET", "HEAD"):
        return [AwsCall("s3:GetObject", f"{arn}/{key}", (_TLS,))]
    if method == "DELETE":
        return [
            AwsCall("s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", f"{arn}/{key}", (_TLS,))
        ]
    if method in ("PUT", "POST"):
        source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/")
        read = [AwsCall("s3:GetObject", f"arn:aws:s3:::{source}", (_TLS,))] if source else []
        return [*read, AwsCall("s3:PutObject", f"{arn}/{key}", (_TLS,))]
    raise NotImplementedError(f"{method} {target}")


class AwsCallRecorder:
    """The proxy. Clients use `aws`; `calls` lists what they did, in order."""

    def __init__(self, aws: MotoServer) -> None:
        self.calls: list[AwsCall] = []
        self._behind = urlsplit(aws.endpoint)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True

    @property
    def aws(self) -> MotoServer:
        """The server for clients to use."""
        return MotoServer(f"http://127.0.0.1:{self._server.server_port}")

    @contextmanager
    def running(self) -> Iterator[AwsCallRecorder]:
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
                recorder.calls += calls_in_request(self.command, self.path, headers, body)
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
