"""Shapefiles as bureaus hand them over: parts missing, encodings undeclared or wrong, text cut inside a character.

ESRI Shapefile Technical Description (1998). The parts are linked into a temporary folder under plain names, so that
GDAL sees neither the .cpg nor mixed case, and a missing index can be rebuilt without writing beside the data.
"""

import shutil
import struct
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

import numpy as np
import pyarrow as pa

from gis.errors import BadInput
from gis.exchange.readers.archive import Unpacked, unpack
from gis.exchange.readers.dbf import DbfTable, read_dbf, scan_text, settle_encoding
from gis.exchange.readers.declared_crs import crs_name
from gis.exchange.readers.geometry import geometric_batch, is_wkb_field
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.strings import decode_cut, decode_text, reject_bad_text
from gis.exchange.readers.vector import decide_declared_crs, gdal_batches

PARTS = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg"})
_HEADER_BYTES = 100
_FILE_CODE = 9994
#: GDAL turns these bytes into characters one by one, so that they can be turned back and decoded here.
_BYTES_AS_TEXT = "ISO-8859-1"


class ShapefileSource:
    """A Shapefile from its parts; `rows` are record numbers, from 1, with deleted records counted and left out."""

    def __init__(self, path: Path, parts: Mapping[str, Path], options: ReadOptions) -> None:
        self.path = path
        self.findings = Findings()
        self._options = options
        check_complete(path, parts[".shp"])
        self._folder = Path(mkdtemp(prefix="onemap-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._shp = self._stage(parts)
        self.total_rows: int | None = _records(self._folder / "data.shx")
        self.crs = self._declared_crs(parts.get(".prj"))
        self._dbf = read_dbf(parts[".dbf"]) if ".dbf" in parts else None
        self._encoding, self._names = self._settle_text(parts.get(".cpg"))

    def batches(self) -> Iterator[Batch]:
        """The records in the file's order. Raises BadInput where the file breaks off."""
        self.findings.begin()
        cut = 0
        for record in gdal_batches(
            self._shp, None, self._options.batch_rows, self.findings, ENCODING=_BYTES_AS_TEXT, return_fids=True
        ):
            rows = record.column(0).to_numpy().astype(np.int64) + 1
            geometry = next(i for i, f in enumerate(record.schema) if is_wkb_field(f))
            table, bad, cut_here = self._decoded(rows, pa.Table.from_batches([record]).drop_columns([
                record.schema.field(0).name, record.schema.field(geometry).name]))  # fmt: skip
            cut += cut_here
            keep = pa.array(~bad)
            yield geometric_batch(rows[~bad], table.filter(keep), record.column(geometry).filter(keep), self.findings)
        if cut:
            self.findings.decide("text-cut", str(cut), f"{cut} 个值在最后一个字的中间被截断;保留截断前的文字",
                                 f"{cut} values are cut inside their last character; the text before is kept",
                                 sure=False)  # fmt: skip

    def _stage(self, parts: Mapping[str, Path]) -> Path:
        for suffix in (".shp", ".shx", ".dbf"):
            if suffix in parts:
                (self._folder / f"data{suffix}").symlink_to(parts[suffix].resolve())
        if ".shx" not in parts or _index_is_wrong(parts[".shx"]):
            (self._folder / "data.shx").unlink(missing_ok=True)
            rebuild_index(parts[".shp"], self._folder / "data.shx")
            self.findings.decide("index", "rebuilt", "缺少 .shx 或其已损坏,已由 .shp 重建",
                                 "the .shx is missing or damaged; it was rebuilt from the .shp")  # fmt: skip
        return self._folder / "data.shp"

    def _declared_crs(self, prj: Path | None) -> str | None:
        text = prj.read_text(encoding="utf-8", errors="replace").strip() if prj else ""
        crs = crs_name(text)
        if text and crs is None:
            self.findings.decide("crs", "", f".prj 无法识别:{text[:80]}", f"the .prj is not understood: {text[:80]}",
                                 sure=False)  # fmt: skip
        elif prj is None:
            self.findings.decide("crs", "", "缺少 .prj,坐标系未声明", "there is no .prj: the CRS is not declared",
                                 sure=False)  # fmt: skip
        else:
            decide_declared_crs(self.findings, crs, "Shapefile (.prj)")
        return crs

    def _settle_text(self, cpg: Path | None) -> tuple[str, list[str]]:
        if self._dbf is None:
            self.findings.decide("columns", "", "缺少 .dbf,只有几何、没有属性",
                                 "there is no .dbf: shapes without attributes", sure=False)  # fmt: skip
            return "utf-8", []
        if self._dbf.records != self.total_rows:
            raise _broken(self.path, f"its .dbf has {self._dbf.records} records, its .shp {self.total_rows}",
                          f".dbf 有 {self._dbf.records} 条记录,而 .shp 有 {self.total_rows} 条")  # fmt: skip
        text = scan_text(self._dbf)
        declared = cpg.read_text(encoding="ascii", errors="replace") if cpg else None
        encoding = settle_encoding(self._dbf, text, declared, self._options.encoding, self.findings)
        names = _field_names(self._dbf, encoding, self.findings)
        self.findings.decide_columns(names)
        if text.deleted:
            self.findings.decide("deleted", str(text.deleted), f".dbf 中 {text.deleted} 条已标记删除的记录不读取",
                                 f"{text.deleted} records that the .dbf marks as deleted are not read")  # fmt: skip
        return encoding, names

    def _decoded(
        self, rows: np.typing.NDArray[np.int64], table: pa.Table
    ) -> tuple[pa.Table, np.typing.NDArray[np.bool_], int]:
        bad = np.zeros(len(rows), dtype=bool)
        columns, cut = [], 0
        fields = self._dbf.fields if self._dbf else ()
        for field, name, column in zip(fields, self._names, table.columns, strict=True):
            if pa.types.is_string(column.type):
                raw = pa.array([None if v is None else v.encode("latin-1") for v in column.to_pylist()], pa.binary())
                read = decode_text(raw, self._encoding, field.width)
                at_fault = read.bad & ~bad
                reject_bad_text(rows[at_fault], name, raw.filter(pa.array(at_fault)), self.findings)
                bad |= read.bad
                cut += int(read.cut.sum())
                columns.append(read.column)
            else:
                columns.append(column)
        return pa.table(columns, names=self._names) if columns else table.select([]), bad, cut


def open_shapefile(path: Path, options: ReadOptions) -> ShapefileSource:
    """A .shp with what lies beside it, or a .zip with one inside.

    Raises BadInput when the .shp is damaged or cut off, its .dbf belongs to another file, or a zip holds several and
    none is named by `options.layer`.
    """
    if path.suffix.lower() != ".zip":
        beside = {p.suffix.lower(): p for p in sorted(path.parent.iterdir()) if p.stem == path.stem}
        parts = {suffix: p for suffix, p in beside.items() if suffix in PARTS}
        return ShapefileSource(path, parts | {".shp": path}, options)
    folder, members = unpack(path, PARTS)
    try:
        source = ShapefileSource(path, _choose_parts(path, members, options.layer), options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(source, shutil.rmtree, folder, ignore_errors=True)
    return source


def check_complete(path: Path, shp: Path) -> None:
    """Raise BadInput unless a .shp is as long as its header says (bytes 24–27, in 16-bit words)."""
    with shp.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if len(head) < _HEADER_BYTES or struct.unpack_from(">i", head)[0] != _FILE_CODE:
        raise _broken(path, "it does not begin as a Shapefile does", "文件开头不是 Shapefile")
    declared, size = struct.unpack_from(">i", head, 24)[0] * 2, shp.stat().st_size
    if size < declared:
        raise _broken(path, f"it ends after {size} of {declared} bytes", f"应有 {declared} 字节,实际只有 {size} 字节")


def rebuild_index(shp: Path, shx: Path) -> None:
    """Write the .shx of a .shp by walking its records (number and length before each, big-endian, in words)."""
    size = shp.stat().st_size
    entries = bytearray()
    with shp.open("rb") as file:
        head = bytearray(file.read(_HEADER_BYTES))
        at = _HEADER_BYTES
        while at + 8 <= size:
            file.seek(at)
            words = struct.unpack(">ii", file.read(8))[1]
            if words < 2 or at + 8 + 2 * words > size:
                break
            entries += struct.pack(">ii", at // 2, words)
            at += 8 + 2 * words
    struct.pack_into(">i", head, 24, (_HEADER_BYTES + len(entries)) // 2)
    shx.write_bytes(bytes(head) + bytes(entries))


def _index_is_wrong(shx: Path) -> bool:
    with shx.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    return len(head) < _HEADER_BYTES or struct.unpack_from(">i", head, 24)[0] * 2 != shx.stat().st_size


def _records(shx: Path) -> int:
    return (shx.stat().st_size - _HEADER_BYTES) // 8


def _field_names(table: DbfTable, encoding: str, findings: Findings) -> list[str]:
    names: list[str] = []
    for number, field in enumerate(table.fields, 1):
        read = decode_cut(field.name, encoding)
        name = read[0] if read and read[0] else f"field_{number}"
        if read is None or read[1]:
            findings.decide("column", name, f"字段名 {field.name!r} 在字的中间被截断(最多 10 字节)",
                            f"the field name {field.name!r} is cut inside a character (10 bytes at most)",
                            sure=False)  # fmt: skip
        names.append(name if name not in names else f"{name}_{number}")
    return names


def _choose_parts(path: Path, members: list[Unpacked], layer: str | None) -> dict[str, Path]:
    found: dict[str, dict[str, Path]] = {}
    for member in members:
        inside = PurePosixPath(member.name.replace("\\", "/"))
        found.setdefault(str(inside.with_suffix("")).lower(), {})[inside.suffix.lower()] = member.path
    shapefiles = {name: parts for name, parts in found.items() if ".shp" in parts}
    if layer is not None:
        shapefiles = {n: p for n, p in shapefiles.items() if PurePosixPath(n).name == layer.lower()}
    if len(shapefiles) == 1:
        return next(iter(shapefiles.values()))
    names = ", ".join(PurePosixPath(n).name for n, p in found.items() if ".shp" in p)
    raise BadInput(
        f"{path.name} holds these Shapefiles: {names or 'none'}; name one with --layer",
        f"{path.name} 中的 Shapefile:{names or '无'};请用 --layer 指定其一",
        subject=str(path),
    )


def _broken(path: Path, en: str, zh: str) -> BadInput:
    return BadInput(
        f"{path.name} is damaged: {en}; copy it again with all its parts",
        f"{path.name} 已损坏:{zh};请连同所有组成文件重新拷贝",
        subject=str(path),
    )
