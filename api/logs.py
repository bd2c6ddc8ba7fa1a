"""Log lines of the server and its worker: JSON, one object a line, or plain for whoever sits at a terminal.

What an exception says may quote what somebody asked for, so that of its words those in quotes, and long numbers, are
left out; the places in the code are told in full.
"""

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

from gis.settings import Settings

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\(.*\)|\d{5,}", re.DOTALL)

_Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: Settings) -> None:
    """Write what the platform logs to standard error. Called once a process, by programs; twice does no harm."""
    is_plain = settings.log_form == "plain" or (settings.log_form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(PlainLines() if is_plain else JsonLines())
    logger = logging.getLogger("onemap")
    for old in [one for one in logger.handlers if isinstance(one.formatter, PlainLines | JsonLines)]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(settings.log.upper())


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `log`, `message`, then what the record brings."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["failure"] = failure(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class PlainLines(logging.Formatter):
    """`12:34:56 info GET / 200 ms=1.2`, without a word for what is none."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, and those of its failure."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        fields: dict[str, Any] = getattr(record, "fields", {})
        words = [f"{name}={value}" for name, value in fields.items() if name not in ("method", "route", "status")]
        line = " ".join([when, record.levelname.lower(), record.getMessage(), *words])
        return "\n".join([line, *failure(record.exc_info)]) if record.exc_info else line


def failure(info: _Failure) -> list[str]:
    """An exception and what it came from, outermost place first: `RuntimeError: no tile …`, `file:line function`."""
    lines: list[str] = []
    error = info[1]
    while error is not None:
        lines.append(f"{type(error).__name__}: {_QUOTED.sub('…', str(error))}")
        lines += [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines
