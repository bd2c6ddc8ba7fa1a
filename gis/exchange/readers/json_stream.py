"""The features of a GeoJSON text one after the other, without the whole text in memory (RFC 7946, RFC 8142)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from gis.errors import BadInput
from gis.exchange.readers.text import BROKEN

#: A longer text without an end of its feature is not a feature.
LONGEST_FEATURE_CHARACTERS = 256 << 20
#: An error this near to the end of what has been read may be cured by reading on ("-Infinity" is the longest word).
_NEAR_END = 16
#: An escaped surrogate; two that belong together are one character and no fault.
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")
_SPACE = " \t\r\n"
_RECORD_SEPARATOR = "\x1e"


class JsonStream:
    """Walks over JSON text that arrives in pieces. `subject` names the file in errors."""

    def __init__(self, pieces: Iterator[str], subject: str) -> None:
        self._pieces = pieces
        self.subject = subject
        self._text = ""
        self._at = 0
        self._ended = False
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._read_on():
                return ""

    def expect(self, character: str) -> None:
        """Step over a character that must come next. Raises BadInput when another does."""
        if self.peek() != character:
            raise self._broken(f"{character!r} is missing", f"缺少 {character!r}")
        self._at += 1

    def value(self) -> Any:
        """The next whole value. Raises BadInput when it is no JSON, cut off, nested too deep or too large."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - _NEAR_END or error.msg.startswith("Unterminated string")
                if not cut:
                    raise self._broken(error.msg, error.msg) from error
                if not self._read_on(len(self._text) - self._at):
                    raise self._broken("the text is cut off", "内容被截断") from error
            except RecursionError as error:
                raise self._broken("it is nested too deep", "嵌套层数过多") from error
            except ValueError as error:  # a whole number of more digits than Python converts
                raise self._broken("a number in it is too long", "其中的数字过长") from error
            else:
                if end == len(self._text) and self._read_on():
                    continue  # a number may go on
                begun, self._at = self._at, end
                return mended(value) if _HALF_ESCAPED.search(self._text, begun, end) else value

    def items(self) -> Iterator[Any]:
        """The values of an array."""
        self.expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self._at += 1
                return
            self.expect(",")

    def _read_on(self, at_least: int = 1) -> bool:
        """Take in more text, at least as much as waits already, so that a long value costs linear time."""
        if self._ended:
            return False
        waiting = [self._text[self._at :]]
        if len(waiting[0]) > LONGEST_FEATURE_CHARACTERS:
            raise self._broken("one feature is larger than 256 MB", "单个要素超过 256 MB")
        got = 0
        while got < at_least:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            got += len(piece)
            waiting.append(piece)
        self._text, self._at = "".join(waiting), 0
        return got > 0

    def _broken(self, en: str, zh: str) -> BadInput:
        near = self._text[self._at : self._at + 60]
        return BadInput(
            f"{self.subject} is not whole GeoJSON: {en} near {near!r}; export or copy it again",
            f"{self.subject} 不是完整的 GeoJSON:{zh},位置在 {near!r} 附近;请重新导出或重新拷贝",
            subject=self.subject,
        )


def features(stream: JsonStream, head: dict[str, Any]) -> Iterator[Any]:
    """The features of a collection, or the one feature or geometry that the text is.

    Other top-level members ("crs", "name", …) go into `head` as they are met.
    """
    stream.expect("{")
    while stream.peek() not in "}":
        name = stream.value()
        stream.expect(":")
        if name == "features" and stream.peek() == "[":
            head["features"] = True
            yield from stream.items()
        else:
            head[str(name)] = stream.value()
        if stream.peek() != "}":
            stream.expect(",")
    stream.expect("}")
    if "features" in head or head.get("type") == "FeatureCollection":
        return
    if head.get("type") == "Feature":
        yield head
    elif "coordinates" in head or "geometries" in head:
        yield {"type": "Feature", "properties": {}, "geometry": head}
    else:
        raise BadInput(
            f"{stream.subject} is JSON but not GeoJSON: it has no features; it has {', '.join(head) or 'nothing'}",
            f"{stream.subject} 是 JSON 但不是 GeoJSON:没有 features,只有 {'、'.join(head) or '空对象'}",
            subject=stream.subject,
        )


def parse(text: str) -> Any:
    """The value of a whole JSON text. Raises JSONDecodeError, RecursionError."""
    return mended(json.loads(text)) if _HALF_ESCAPED.search(text) else json.loads(text)


def mended(value: Any) -> Any:
    """A value whose texts have BROKEN where half a character was escaped, as programs do that cut texts in two."""
    if isinstance(value, str):
        return _HALF.sub(BROKEN, value)
    if isinstance(value, dict):
        return {mended(name): mended(held) for name, held in value.items()}
    return [mended(held) for held in value] if isinstance(value, list) else value


def lines(pieces: Iterator[str]) -> Iterator[tuple[int, str]]:
    """The lines of a GeoJSON text sequence that hold something, with their numbers from 1."""
    number, rest = 0, ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            number += 1
            if cleaned := line.strip(_SPACE + _RECORD_SEPARATOR):
                yield number, cleaned
    if cleaned := rest.strip(_SPACE + _RECORD_SEPARATOR):
        yield number + 1, cleaned
