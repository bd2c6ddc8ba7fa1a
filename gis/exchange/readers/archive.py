"""Zip files taken apart with care: what they would expand to is bounded, and nothing is written outside one folder."""

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from zlib import error as ZlibError

from gis.errors import BadInput

MEMBERS = 10_000
TOTAL_BYTES = 8 << 30
SUSPECT_BYTES = 64 << 20
SUSPECT_RATIO = 200
_CHUNK_BYTES = 1 << 20
#: What zipfile raises on a damaged file; RuntimeError and ValueError come from single wrong bytes in its directory.
_DAMAGED = (zipfile.BadZipFile, ZlibError, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One file of a zip: the name that it has inside, and where it lies now."""

    name: str
    path: Path


def unpack(path: Path, suffixes: frozenset[str]) -> tuple[Path, list[Unpacked]]:
    """The members with one of these suffixes (lower case, with dot), written into a new temporary folder.

    Files are named by number, so that no name inside the zip can reach outside. Raises BadInput when the zip is
    damaged, encrypted, has absolute or climbing paths, or expands to more than `TOTAL_BYTES` (or, past
    `SUSPECT_BYTES`, to more than `SUSPECT_RATIO` times its size). The caller removes the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="onemap-"))
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(path, archive)
            wanted = [m for m in members if PurePosixPath(m.filename).suffix.lower() in suffixes]
            return folder, _write(path, archive, wanted, folder)
    except _DAMAGED as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BadInput(
            f"{path.name} is a damaged zip file ({error}); pack or copy it again",
            f"{path.name} 是损坏的 zip 文件({error});请重新打包或重新拷贝",
            subject=str(path),
        ) from error
    except BadInput:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def member_names(path: Path) -> list[str]:
    """The names inside a zip, as they were meant. Raises BadInput when it is damaged or not safe."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [_name(m) for m in _checked_members(path, archive)]
    except _DAMAGED as error:
        raise BadInput(
            f"{path.name} is a damaged zip file ({error}); pack or copy it again",
            f"{path.name} 是损坏的 zip 文件({error});请重新打包或重新拷贝",
            subject=str(path),
        ) from error


def _checked_members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename:
            raise BadInput(
                f"{path.name} holds a path that leads outside it: {member.filename!r}; it is not opened",
                f"{path.name} 中有指向压缩包之外的路径 {member.filename!r},拒绝打开",
                subject=str(path),
            )
        if member.flag_bits & _ENCRYPTED:
            raise BadInput(
                f"{path.name} is encrypted; unpack it with its password first",
                f"{path.name} 已加密;请先用密码解压",
                subject=str(path),
            )
    if len(members) > MEMBERS:
        raise _too_large(path, f"{len(members)} files", f"{len(members)} 个文件")
    packed = max(path.stat().st_size, 1)
    total = sum(m.file_size for m in members)
    if total > TOTAL_BYTES or (total > SUSPECT_BYTES and total > SUSPECT_RATIO * packed):
        raise _too_large(
            path, f"{total >> 20} MB from {packed >> 10} KB", f"由 {packed >> 10} KB 展开为 {total >> 20} MB"
        )
    return members


def _write(path: Path, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> list[Unpacked]:
    written = []
    for number, member in enumerate(members):
        target = folder / f"{number}{PurePosixPath(member.filename).suffix.lower()}"
        with archive.open(member) as source, target.open("wb") as out:
            if _copy(source, out, member.file_size) != member.file_size:
                raise _too_large(path, "more than it declares", "比声明的更多")
        written.append(Unpacked(_name(member), target))
    return written


def _copy(source: IO[bytes], out: IO[bytes], limit: int) -> int:
    copied = 0
    while copied <= limit and (chunk := source.read(_CHUNK_BYTES)):
        out.write(chunk)
        copied += len(chunk)
    return copied


def _name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: Chinese Windows writes GBK bytes, which the zip format calls code page 437."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _too_large(path: Path, en: str, zh: str) -> BadInput:
    return BadInput(
        f"{path.name} would unpack to {en}: it looks like a zip bomb and is not opened; unpack it yourself if you "
        "trust it",
        f"{path.name} 解压后{zh},疑似压缩炸弹,拒绝打开;如确认可信,请自行解压后再导入",
        subject=str(path),
    )
