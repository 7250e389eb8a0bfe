"""`option-a mock-api`."""

from __future__ import annotations

import json

import click

from option_a.cli.options import examples
from option_a.ingest.config import DEFAULT_NAMES


@click.command(
    "mock-api",
    epilog=examples(
        """
        option-a mock-api
        curl 'http://127.0.0.1:8080/api-a?date=2026-11-23&page=1'
        USE_REAL_HTTP=true ENDPOINT_MAP="$(option-a mock-api --endpoint-map)" option-a run
        """
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 picks a free one."
)
@click.option("--endpoint-map", is_flag=True, help="Print the matching ENDPOINT_MAP and exit.")
def command(host: str, port: int, endpoint_map: bool) -> None:
    """Serve the mock data over HTTP, to try a real network: GET /api-a?date=YYYY-MM-DD&page=N."""
    if endpoint_map:
        click.echo(json.dumps({name: f"http://{host}:{port}/{name}" for name in DEFAULT_NAMES}))
        return
    from option_a.local.mock_api import serve

    with serve(host, port) as server:
        click.echo(f"serving {', '.join(DEFAULT_NAMES)} at http://{host}:{server.server_port}/ (Ctrl-C to stop)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped")
