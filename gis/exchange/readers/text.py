"""Which encoding a text is in: mark, strict UTF-8, GB18030, then a statistical guess; otherwise the user is asked."""

import codecs
from collections import Counter
from dataclasses import dataclass

from charset_normalizer import from_bytes

from gis.errors import BadInput
from gis.text import Text

#: Stands in decoded text where bytes were no text. A noncharacter (Unicode 23.7), so no file holds it honestly.
BROKEN = "\ufdd0"
BROKEN_HANDLER = "onemap-broken"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Broken places allowed for each thousand non-ASCII characters before an encoding is not believed.
_BROKEN_PER_THOUSAND = 50
#: Share of two-byte characters that must be common hanzi (GB/T 2312 level 1, rows 16–55) or its symbols.
_COMMON_SHARE = 0.6
_CONTROL_SHARE = 0.01
_LONGEST_CHARACTER_BYTES = 4
_GUESS_BYTES = 65_536


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return BROKEN, error.end
    raise error


codecs.register_error(BROKEN_HANDLER, _mark_broken)


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by its Python name, how many bytes of byte-order mark come first, and why it is this one."""

    name: str
    mark_bytes: int
    evidence: Text
    sure: bool = True


def decide_encoding(head: bytes, subject: str, *, asked: str | None = None, whole: bool = False) -> Encoding:
    """The encoding of a text that begins with `head`; `whole` says that nothing follows.

    Order: the user's word (`asked`), the byte-order mark, strict UTF-8, GB18030 when its characters are common ones,
    UTF-8 or GB18030 with a few broken places, charset-normalizer. Raises BadInput when the user's word cannot be
    true, when the head is no text at all, and when nothing fits.
    """
    if asked is not None:
        return _as_asked(head, subject, asked, whole)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(
                name, len(mark), Text(f"文件以 {name} 字节序标记开头", f"the file begins with the {name} mark")
            )
    wide = _without_mark_utf16(head)
    if wide is not None:
        return wide
    _refuse_binary(head, subject)
    # each is asked only where those before it found none: the later ones take long
    found = _utf8(head, whole) or _gb18030(head, whole) or _nearly(head) or _guess(head)
    if found is not None:
        return found
    raise BadInput(
        f"the encoding of {subject} could not be found out; say it with --encoding (for example gb18030 or big5)",
        f"无法判断 {subject} 的文字编码;请用 --encoding 指明(例如 gb18030 或 big5)",
        subject=subject,
    )


def decodes(data: bytes, encoding: str, *, whole: bool = True) -> int | None:
    """The position of the first byte that is no text in this encoding; None when all are.

    Unless `data` is `whole`, a character cut off at its end is no fault.
    """
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _as_asked(head: bytes, subject: str, asked: str, whole: bool) -> Encoding:
    try:
        name = codecs.lookup(asked).name
        "".encode(name)
    except (LookupError, TypeError, ValueError) as error:
        raise BadInput(
            f"{asked!r} is not the name of a text encoding; use for example utf-8 or gb18030",
            f"{asked!r} 不是文字编码名称;例如 utf-8、gb18030",
            subject=asked,
        ) from error
    if name in {"gbk", "gb2312"}:
        name = "gb18030"
    mark = next((m for m, n in _MARKS if head.startswith(m) and name.startswith(n.rpartition("-")[0] or n)), b"")
    if name in {"utf-16", "utf-32", "utf-8-sig"}:
        name = next((n for m, n in _MARKS if m == mark), {"utf-8-sig": "utf-8"}.get(name, f"{name}-le"))
    at = decodes(head[len(mark) :], name, whole=whole)
    if at is not None and not _mostly(head[len(mark) :], name):
        raise BadInput(
            f"{subject} is not {asked}: byte {at + len(mark)} does not fit; leave --encoding out to have it found out",
            f"{subject} 不是 {asked} 编码:第 {at + len(mark)} 字节不符;去掉 --encoding 可自动判断",
            subject=subject,
        )
    return Encoding(name, len(mark), Text("由使用者指定", "as the user said"))


def _without_mark_utf16(head: bytes) -> Encoding | None:
    """UTF-16 without its mark: in a table, line ends, digits and delimiters leave every second byte zero."""
    sample = head[: 4096 & ~1]
    pairs = len(sample) // 2
    if pairs < 2 or sample.count(0) < pairs // 8:
        return None
    for name, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        even = head[: len(head) & ~1]
        if zeros.count(0) >= pairs // 8 and others.count(0) == 0 and decodes(even, name, whole=False) is None:
            text = sample.decode(name, errors="ignore")
            if any(end in text for end in "\n,\t;"):
                return Encoding(
                    name, 0, Text("零字节的规律符合 UTF-16", "zero bytes lie as UTF-16 lays them"), sure=False
                )
    return None


def _refuse_binary(head: bytes, subject: str) -> None:
    controls = sum(head.count(c) for c in range(0x20) if c not in b"\t\n\r\f\x1a\x1b")
    if controls > max(8, _CONTROL_SHARE * len(head)):
        raise BadInput(
            f"{subject} is not a text file ({controls} control characters at its beginning); check what it really is",
            f"{subject} 不是文本文件(开头含 {controls} 个控制字符);请确认文件的真实格式",
            subject=subject,
        )


def _utf8(head: bytes, whole: bool) -> Encoding | None:
    if decodes(head, "utf-8", whole=whole) is not None:
        return None
    if head.isascii():
        return Encoding("utf-8", 0, Text("开头全是 ASCII 字符", "the beginning is all ASCII"))
    return Encoding("utf-8", 0, Text("开头的全部字节符合 UTF-8", "all bytes of the beginning are strict UTF-8"))


def _gb18030(head: bytes, whole: bool) -> Encoding | None:
    if decodes(head, "gb18030", whole=whole) is not None or not _common_hanzi(head, "gb18030"):
        return None
    return Encoding(
        "gb18030",
        0,
        Text("不是 UTF-8,而按 GB18030 解码后多为常用汉字", "not UTF-8, and as GB18030 it is mostly common hanzi"),
    )


def _nearly(head: bytes) -> Encoding | None:
    """UTF-8 or GB18030 with a few broken places; the rows that hold them are refused when they are read."""
    for name in ("utf-8", "gb18030"):
        if _mostly(head, name) and _common_hanzi(head, name):
            evidence = Text(f"除个别损坏字节外符合 {name}", f"{name} but for a few broken bytes")
            return Encoding(name, 0, evidence, sure=False)
    return None


def _guess(head: bytes) -> Encoding | None:
    best = from_bytes(head[:_GUESS_BYTES]).best()
    if best is None or decodes(head, best.encoding, whole=False) is not None:
        return None
    evidence = Text("按字符统计推测,请核对", "guessed from the statistics of its characters; please check")
    return Encoding(best.encoding, 0, evidence, sure=False)


def _mostly(head: bytes, name: str) -> bool:
    """Whether nearly all of it is text in this encoding, counting only what is not ASCII.

    A character cut off at the end is not counted as broken.
    """
    text = head[: max(len(head) - _LONGEST_CHARACTER_BYTES, 0)].decode(name, errors=BROKEN_HANDLER)
    broken = text.count(BROKEN)
    good = sum(1 for c in text if not c.isascii()) - broken
    return broken == 0 or (good > 0 and broken * 1000 <= good * _BROKEN_PER_THOUSAND + 1000)


def _common_hanzi(head: bytes, name: str) -> bool:
    """Whether most non-ASCII characters are ones that Chinese tables use: GB/T 2312 rows 1–9 and 16–55."""
    counts = Counter(head[:_GUESS_BYTES].decode(name, errors="ignore"))
    others = {c: n for c, n in counts.items() if not c.isascii()}
    common = sum(n for c, n in others.items() if _is_common(c))
    return bool(others) and common >= _COMMON_SHARE * sum(others.values())


def _is_common(character: str) -> bool:
    try:
        lead = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return 0xA1 <= lead <= 0xA9 or 0xB0 <= lead <= 0xD7
