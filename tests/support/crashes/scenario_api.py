"""The API of the crash scenarios: declares its page count, takes seconds to answer; may break, be down, need tokens."""

from __future__ import annotations

from pathlib import Path

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.http.auth import Authenticated
from option_a.ingest.ports import Request, Response
from tests.support.pipeline import Backend, Pipeline, numbered_pages, source

DECLARED: dict[str, object] = {"style": "page", "total_pages": "total_pages"}
SECONDS = 6.0
"""What a response takes, so that some pages land between two checkpoints."""
Pages = list[list[dict[str, object]]]


class ScenarioApi:
    """An API that declares its page count and takes seconds to answer; scenarios change its pages."""

    def __init__(self, pages: Pages, *, seconds: float = SECONDS) -> None:
        self.pages, self.seconds = pages, seconds
        self.broken: set[int] = set()
        self.down_until = 0.0
        self.pipeline: Pipeline

    def __call__(self, request: Request) -> bytes | Response:
        self.pipeline.clock.time += self.seconds
        if self.pipeline.clock.time < self.down_until:
            raise TransientError("the API answered 503")
        if int(request.params["page"]) in self.broken:
            return b"<html>no</html>"
        return self.page(request)

    def page(self, request: Request) -> bytes:
        """An unbroken page."""
        return numbered_pages(self.pages, total_pages=len(self.pages))(request)

    def begin(self, root: Path | Backend, *sources: Source) -> Pipeline:
        self.pipeline = Pipeline(root, self, *(sources or [source(pagination=DECLARED, parallel=2)]))
        self.pipeline.send()
        return self.pipeline


class TokenProtectedApi(ScenarioApi):
    """An API that accepts only its newest token; each process gets its own."""

    token_url = "https://login.test/token"

    def __init__(self, pages: Pages) -> None:
        super().__init__(pages)
        self.given, self.process = 0, object()

    def __call__(self, request: Request) -> bytes | Response:
        if self.process is not self.pipeline.worker:
            self.process, services = self.pipeline.worker, self.pipeline.services
            self.ask = Authenticated(self.serve, self.pipeline.sources, services.secrets, services.clock)
        return self.ask(request)

    def serve(self, request: Request) -> Response:
        if request.url == self.token_url:
            self.given += 1
            return Response(200, {}, msgspec.json.encode({"access_token": f"token-{self.given}"}))
        if request.headers.get("Authorization") != f"Bearer token-{self.given}":
            raise HttpError("the API answered 401", status=401)
        answer = super().__call__(request)
        assert isinstance(answer, bytes)
        return Response(200, {}, answer)
