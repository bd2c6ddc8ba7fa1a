"""The applications that the benchmark serves: the city with its points, and one that returns the same bytes always."""

import os
from pathlib import Path
from typing import Any


def __getattr__(name: str) -> Any:
    """Made when a server asks for it by name."""
    if name == "onemap":
        from api.app import create_app
        from tests.bench.serving_data import CATALOGUE

        return create_app(os.environ["ONEMAP_BENCH_URL"], CATALOGUE)
    if name in ("walled", "unwalled"):
        return _with_rights(walled=name == "walled")
    if name == "bare":
        return _bare(Path(os.environ["ONEMAP_BENCH_BODY"]).read_bytes())
    raise AttributeError(name)


def _with_rights(*, walled: bool) -> Any:
    """The city with a policy for its points; or as it would be without rights: for everybody, and without a wall."""
    from api import databases
    from api.app import create_app
    from gis.store.wall_roles import Reader
    from tests.bench import rights, serving_data

    if walled:
        return create_app(os.environ["ONEMAP_BENCH_URL"], rights.CATALOGUE)
    databases.reader = lambda url, given: Reader(url, "none", b"")
    return create_app(os.environ["ONEMAP_BENCH_URL"], serving_data.CATALOGUE)


def _bare(body: bytes) -> Any:
    headers = [
        (b"content-type", b"application/vnd.mapbox-vector-tile"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    answer = {"type": "http.response.body", "body": body}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send(start)
            await send(answer)
        elif scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return

    return app
