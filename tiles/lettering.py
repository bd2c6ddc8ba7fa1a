"""Fonts for words in images: one of this machine that has Chinese, found by fontconfig; for Latin, Pillow's own."""

import subprocess
import unicodedata
from functools import lru_cache

from PIL import ImageFont

from gis.errors import Unavailable

#: What images name as their fonts where whoever looks draws the words, first to last.
FAMILIES = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "sans-serif")

_PATTERN = "sans-serif:lang=zh-cn:style=Regular"
_FORMAT = "%{file}\\n%{index}\\n%{lang}"

Font = ImageFont.FreeTypeFont


def width_px(words: str, size_px: float) -> float:
    """Room for words in whatever sans-serif font they will be drawn: a little more than most need."""
    return size_px * sum(_width_em(one) for one in words)


def font_for(words: str, size_px: float) -> Font:
    """A font that has the letters of some words. Raises Unavailable where this machine has none for Chinese."""
    found = _chinese()
    if found is not None:
        return _opened(*found, size_px)
    if any(_is_wide(one) for one in words):
        raise Unavailable(
            "no font of this machine can write Chinese into a PNG; install fonts-noto-cjk and fontconfig, or ask for"
            " f=svg, which is drawn with the fonts of whoever looks at it",
            "本机没有可将中文写入 PNG 的字体;请安装 fonts-noto-cjk 与 fontconfig,或改用 f=svg(由查看者的字体绘制)",
            subject="f",
        )
    return _latin(size_px)


@lru_cache(maxsize=1)
def _chinese() -> tuple[str, int] | None:
    """File and number in it of a font with Chinese; fontconfig offers another where there is none, so it is checked."""
    words = ["fc-match", "-f", _FORMAT, _PATTERN]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    if len(said) != 3 or "zh-cn" not in said[2].split("|"):
        return None
    return said[0], int(said[1])


@lru_cache(maxsize=64)
def _opened(path: str, number: int, size_px: float) -> Font:
    return ImageFont.truetype(path, size_px, index=number)


@lru_cache(maxsize=64)
def _latin(size_px: float) -> Font:
    found = ImageFont.load_default(size_px)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow's wheels bring FreeType
    return found


def _width_em(letter: str) -> float:
    if _is_wide(letter) or unicodedata.east_asian_width(letter) == "A":
        return 1.0
    return 0.7 if letter.isupper() else 0.58


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
