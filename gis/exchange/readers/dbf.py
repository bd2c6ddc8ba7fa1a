"""The attribute table of a Shapefile as bytes: its header, and in which encoding its text is written.

dBASE III table structure; the language driver id (LDID) is byte 29 of the header.
"""

import codecs
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gis.errors import BadInput
from gis.exchange.readers.source import Findings
from gis.exchange.readers.strings import decode_cut

_HEADER_BYTES = 32
_FIELD_BYTES = 32
_FIELD_END = 0x0D
_DELETED = 0x2A
_CHUNK_BYTES = 4 << 20
_SAMPLES_A_CHUNK = 500
_SAMPLES = 5_000

#: Language driver ids that name one code page; 0x57 ("ANSI, whatever this machine has") says nothing.
LDID_ENCODINGS = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x13: "cp932", 0x4D: "gb18030", 0x4E: "cp949", 0x4F: "cp950",
    0x78: "cp950", 0x79: "cp949", 0x7A: "gb18030", 0x7B: "cp932", 0x7C: "cp874", 0xC8: "cp1250", 0xC9: "cp1251",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DbfField:
    """A column: its name as bytes (10 at most), its type letter, its width and where it starts in a record."""

    name: bytes
    kind: str
    width: int
    start: int


@dataclass(frozen=True, slots=True)
class DbfTable:
    """The header of a .dbf file."""

    path: Path
    records: int
    header_bytes: int
    record_bytes: int
    ldid: int
    fields: tuple[DbfField, ...]


@dataclass(frozen=True, slots=True)
class DbfText:
    """What text a .dbf holds: distinct values with bytes above 0x7F (a sample over the whole file), deleted records."""

    values: Sequence[tuple[bytes, int]]
    deleted: int


def read_dbf(path: Path) -> DbfTable:
    """The header. Raises BadInput when the file is no .dbf or ends before its last record."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            raise _damaged(path, "its header is cut off", "文件头不完整")
        records, header_bytes, record_bytes = struct.unpack_from("<IHH", head, 4)
        described = file.read(max(header_bytes - _HEADER_BYTES, 0))
    fields, start = [], 1
    for at in range(0, len(described) - _FIELD_BYTES + 1, _FIELD_BYTES):
        raw = described[at : at + _FIELD_BYTES]
        if raw[0] == _FIELD_END:
            break
        width = raw[16] + (raw[17] << 8 if raw[11:12] == b"C" else 0)
        fields.append(DbfField(raw[:11].split(b"\0")[0], raw[11:12].decode("latin-1"), width, start))
        start += width
    if not fields or start > record_bytes:
        raise _damaged(path, "its header makes no sense", "文件头内容不合理")
    if path.stat().st_size < header_bytes + records * record_bytes:
        raise _damaged(
            path, f"it ends before the last of its {records} records", f"文件在 {records} 条记录读完之前就结束了"
        )
    return DbfTable(path, records, header_bytes, record_bytes, head[29], tuple(fields))


def scan_text(table: DbfTable) -> DbfText:
    """Look through every record for text beyond ASCII, and for records marked as deleted."""
    text_fields = [f for f in table.fields if f.kind == "C"]
    values: dict[tuple[bytes, int], None] = {(f.name, 10): None for f in table.fields if not f.name.isascii()}
    deleted = 0
    rows_a_chunk = max(_CHUNK_BYTES // table.record_bytes, 1)
    with table.path.open("rb") as file:
        file.seek(table.header_bytes)
        for first in range(0, table.records, rows_a_chunk):
            count = min(rows_a_chunk, table.records - first)
            chunk = np.frombuffer(file.read(count * table.record_bytes), dtype=np.uint8)
            chunk = chunk.reshape(-1, table.record_bytes)
            deleted += int((chunk[:, 0] == _DELETED).sum())
            for field in text_fields:
                cells = chunk[:, field.start : field.start + field.width]
                for cell in cells[(cells > 0x7F).any(axis=1)][:_SAMPLES_A_CHUNK]:
                    if len(values) < _SAMPLES:
                        values[(cell.tobytes().split(b"\0")[0].rstrip(b" "), field.width)] = None
    return DbfText(tuple(values), deleted)


def settle_encoding(table: DbfTable, text: DbfText, cpg: str | None, asked: str | None, findings: Findings) -> str:
    """The encoding of the table's text, as a Python codec, with the reason noted.

    Order: what the user says; the .cpg file, then the LDID byte, where the text fits them; strict UTF-8; GB18030.
    Text that is valid UTF-8 beyond ASCII is UTF-8 whatever is declared: Chinese in another encoding never is.
    Raises BadInput when nothing fits.
    """
    if asked is not None:
        return _as_asked(table.path, asked, text, findings)
    declared = _declared(table, cpg)
    if not text.values:
        chosen = declared[0] if declared else "utf-8"
        findings.decide("encoding", chosen, "属性表中只有 ASCII 字符", "the table holds only ASCII")
        return chosen
    utf8 = misfits(text.values, "utf-8") == 0
    gb = misfits(text.values, "gb18030") == 0 and common_hanzi_share(text.values) >= 0.6
    if declared and _holds(declared[0], text, utf8, gb):
        findings.decide("encoding", declared[0], f"由 {declared[1]} 声明,且与内容相符:{_sample(text, declared[0])}",
                        f"declared by {declared[1]}, and the text fits: {_sample(text, declared[0])}")  # fmt: skip
        return declared[0]
    lie_zh = f"{declared[1]} 声明的 {declared[0]} 与内容不符;" if declared else "文件没有声明编码;"
    lie_en = f"{declared[1]} says {declared[0]}, which the text contradicts; " if declared else "nothing is declared; "
    for encoding, fits, sure in (("utf-8", utf8, True), ("gb18030", gb, declared is None or utf8 != gb)):
        if fits:
            findings.decide("encoding", encoding, f"{lie_zh}全部文字符合 {encoding}:{_sample(text, encoding)}",
                            f"{lie_en}all text fits {encoding}: {_sample(text, encoding)}", sure=sure)  # fmt: skip
            return encoding
    return _least_bad(table.path, text, declared, findings)


def misfits(values: Sequence[tuple[bytes, int]], encoding: str) -> int:
    """How many values do not decode; a value cut inside its last character fits."""
    return sum(decode_cut(value, encoding) is None for value, _ in values)


def common_hanzi_share(values: Sequence[tuple[bytes, int]]) -> float:
    """Which share of the characters, read as GB18030, are level-1 hanzi of GB 2312 (rows 16–55): those that people use.

    Real Chinese text is nearly all of them; text of another encoding read as GB18030 is mostly rare ones.
    """
    text = "".join((decode_cut(value, "gb18030") or ("", False))[0] for value, _ in values)
    beyond = [c.encode("gb18030", "replace") for c in text if ord(c) > 0x7F]
    common = [c for c in beyond if len(c) == 2 and (0xB0 <= c[0] <= 0xD7 or 0xA1 <= c[0] <= 0xA3) and c[1] >= 0xA1]
    return len(common) / len(beyond) if beyond else 0.0


def codec_name(said: str) -> str | None:
    """The Python codec for what a .cpg or a user says: "936", "ANSI 936", "GBK" and "GB2312" are all GB18030's."""
    name = said.strip().lower().removeprefix("ansi").removeprefix("oem").strip()
    if name.isdigit():
        name = {"65001": "utf-8", "88591": "iso-8859-1", "54936": "gb18030"}.get(name, f"cp{name}")
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return "gb18030" if found in ("gbk", "gb2312", "cp936") else found


def _declared(table: DbfTable, cpg: str | None) -> tuple[str, str] | None:
    named = codec_name(cpg) if cpg else None
    if named is not None:
        return named, ".cpg"
    by_ldid = LDID_ENCODINGS.get(table.ldid)
    return (by_ldid, f"LDID 0x{table.ldid:02X}") if by_ldid else None


def _holds(encoding: str, text: DbfText, utf8: bool, gb: bool) -> bool:
    if misfits(text.values, encoding):
        return False
    if encoding == "utf-8":
        return True
    single_byte = not encoding.startswith(("gb", "cp93", "cp94", "cp95", "big5", "euc", "shift", "johab"))
    return not utf8 and not (single_byte and gb)


def _as_asked(path: Path, asked: str, text: DbfText, findings: Findings) -> str:
    encoding = codec_name(asked)
    if encoding is None:
        raise BadInput(f"no encoding is called {asked!r}; try GB18030 or UTF-8",
                       f"没有名为 {asked!r} 的编码;可用 GB18030 或 UTF-8", subject=asked)  # fmt: skip
    bad = misfits(text.values, encoding)
    findings.decide("encoding", encoding, f"由用户指定;{path.name} 的 {len(text.values)} 个样本中 {bad} 个不符",
                    f"named by the user; {bad} of {len(text.values)} sampled values of {path.name} do not fit",
                    sure=bad == 0)  # fmt: skip
    return encoding


def _least_bad(path: Path, text: DbfText, declared: tuple[str, str] | None, findings: Findings) -> str:
    tried = dict.fromkeys([*([declared[0]] if declared else []), "utf-8", "gb18030"])
    counts = {encoding: misfits(text.values, encoding) for encoding in tried}
    best = min(counts, key=lambda encoding: counts[encoding])
    if (best == "gb18030" and common_hanzi_share(text.values) < 0.6) or counts[best] * 5 > len(text.values):
        shown = ", ".join(repr(value[:12]) for value, _ in text.values[:3])
        raise BadInput(
            f"the encoding of {path.name} cannot be told: its text fits neither UTF-8 nor GB18030 ({shown}); "
            "name it with --encoding",
            f"无法判断 {path.name} 的编码:文字既不符合 UTF-8 也不符合 GB18030({shown});请用 --encoding 指定",
            subject=str(path),
        )
    findings.decide("encoding", best, f"{len(text.values)} 个样本中 {counts[best]} 个不符,其余编码更差",
                    f"{counts[best]} of {len(text.values)} sampled values do not fit, other encodings fit worse",
                    sure=False)  # fmt: skip
    return best


def _sample(text: DbfText, encoding: str) -> str:
    read = (decode_cut(value, encoding) for value, _ in text.values[:5])
    return "、".join(r[0] for r in read if r is not None)[:80]


def _damaged(path: Path, en: str, zh: str) -> BadInput:
    return BadInput(
        f"{path.name} is damaged: {en}; copy it again", f"{path.name} 已损坏:{zh};请重新拷贝", subject=str(path)
    )
