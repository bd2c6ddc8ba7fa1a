"""What a request brings, as far as it is no longer than this server takes."""

from fastapi import Request

from api.errors import TooLarge
from gis.text import Text


async def body(request: Request, most_bytes: int, way_out: Text) -> bytes:
    """The whole of it. Raises TooLarge, with the way out for this kind of question, as soon as it is too long."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > most_bytes:
            raise TooLarge(
                f"the body is longer than {most_bytes:,} bytes; {way_out.en}",
                f"请求体超过 {most_bytes:,} 字节,{way_out.zh}",
            )
    return bytes(found)
