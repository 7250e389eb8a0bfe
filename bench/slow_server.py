"""A server that answers every request after a fixed delay: `python -m bench.slow_server FOLDER --port P --delay S`.

It speaks as much HTTP/1.1 as the bench needs: GET, keep-alive, and bodies sent by the kernel straight from
the file, so that its own CPU does not decide the result.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class SlowServer:
    """Serves FOLDER/<source>/<page>.json, each answer `delay` seconds after its request."""

    def __init__(self, folder: Path, delay: float) -> None:
        self._folder = folder
        self._delay = delay

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until the client leaves."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._delay)
                await self._answer(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(head.split(b" ", 2)[1].decode())
        page = parse_qs(target.query).get("page", ["1"])[0]
        path = self._folder / target.path.strip("/") / f"{page}.json"
        if not path.is_file():
            writer.write(_NOT_FOUND)
            return
        with path.open("rb") as body:
            writer.write(_FOUND % path.stat().st_size)
            await asyncio.get_running_loop().sendfile(writer.transport, body)


async def serve(folder: Path, port: int, delay: float) -> None:
    """Serve on loopback until cancelled."""
    server = await asyncio.start_server(SlowServer(folder, delay).connection, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow_server", description="Serve pages with latency.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds before each answer (0.1)")
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.port, options.delay))


if __name__ == "__main__":
    main()
