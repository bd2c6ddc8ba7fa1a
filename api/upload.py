"""A request's body as a file: streamed to disk up to a limit, under a name that cannot lead anywhere."""

import asyncio
import errno
import re
import secrets
import shutil
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from api.errors import TooLarge
from gis.errors import BadQuery, Unavailable
from gis.exchange.delivery.json_rows import write_csv
from gis.exchange.readers import SUFFIXES

JSON = "application/json"
#: Media types whose files have one suffix; whatever a file is named and declared to be, its content decides.
_MEDIA = {
    "text/csv": ".csv",
    "text/plain": ".txt",
    "text/tab-separated-values": ".tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.apache.parquet": ".parquet",
    "application/geo+json": ".geojson",
}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_LONGEST_NAME_BYTES = 150
_WRITE_BYTES = 1 << 20
_LEFT_OVER_S = 86_400


@dataclass(frozen=True, slots=True)
class Upload:
    """A body on disk, in a folder of its own; `is_json` where it is to become a CSV first."""

    path: Path
    is_json: bool

    def table(self) -> Path:
        """The file to hand over. Raises BadInput where JSON does not hold rows."""
        if not self.is_json:
            return self.path
        into = self.path.parent / "out" / f"{self.path.stem}.csv"
        into.parent.mkdir()
        write_csv(self.path, into)
        return into

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


async def received(request: Request, named: str | None, home: Path, limit_mb: int) -> Upload:
    """The body of a request, on disk. Raises TooLarge, BadQuery where it is empty or packed, Unavailable."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity") != "identity":
        raise BadQuery("send the file as it is, without a content encoding", "请直接发送文件,不要使用内容压缩",
                       subject="content-encoding")  # fmt: skip
    limit = limit_mb << 20
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit_mb)
    folder = home / "deliveries" / "incoming" / secrets.token_hex(8)
    name = f"{Path(file_name(named or 'rows', '')).stem}.json" if media == JSON else file_name(named, media)
    upload = Upload(folder / name, media == JSON)
    try:
        await asyncio.to_thread(folder.mkdir, parents=True)
        size = await _write(request, upload.path, limit, limit_mb)
    except BaseException as error:
        await asyncio.to_thread(upload.remove)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("there is no room for the file on this server", "服务器磁盘空间不足") from None
        raise
    if size == 0:
        upload.remove()
        raise BadQuery("the body is empty: it is the file, or rows as JSON", "请求内容为空:应为文件或 JSON 行数据",
                       subject="body")  # fmt: skip
    return upload


def file_name(named: str | None, media: str) -> str:
    """The last part of a name, without what file systems or people could stumble over, with a suffix.

    >>> file_name("../../etc/人口 2026.csv", ""), file_name("C:\\\\data\\\\a.xlsx", ""), file_name(None, "text/csv")
    ('人口 2026.csv', 'a.xlsx', 'delivery.csv')
    """
    text = unicodedata.normalize("NFC", named or "").replace("\\", "/").rpartition("/")[2]
    text = _UNSAFE.sub("", text).strip(" .")
    stem, suffix = Path(text).stem, Path(text).suffix
    if suffix.lower() not in SUFFIXES:
        stem, suffix = text, _MEDIA.get(media, "")
    while len((stem + suffix).encode()) > _LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return (stem.strip(" .") or "delivery") + suffix


def sweep(home: Path) -> None:
    """Remove bodies that a server which was killed has left, a day later."""
    for folder in (home / "deliveries" / "incoming").glob("*"):
        if folder.stat().st_mtime < time.time() - _LEFT_OVER_S:
            shutil.rmtree(folder, ignore_errors=True)


async def _write(request: Request, path: Path, limit: int, limit_mb: int) -> int:
    """A megabyte at a time, away from the event loop."""
    size, waiting = 0, bytearray()
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit_mb)
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.write, bytes(waiting))
    return size


def _too_large(limit_mb: int) -> TooLarge:
    return TooLarge(
        f"a file may have {limit_mb} MB here; cut it into parts or send Parquet (ONEMAP_MAX_UPLOAD_MB raises it)",
        f"文件不能超过 {limit_mb} MB;请分批报送或改用 Parquet(可用 ONEMAP_MAX_UPLOAD_MB 调整)",
        subject="body",
    )
