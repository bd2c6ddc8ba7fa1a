"""What libraries raise when a file breaks off or is something else, as one clear error."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from gis.errors import BadInput

#: GDAL's own errors are RuntimeErrors.
READING = (pa.ArrowException, RuntimeError, UnicodeDecodeError, OSError)


@contextmanager
def gdal_errors(path: Path) -> Iterator[None]:
    """Turn what GDAL and Arrow raise into BadInput with GDAL's own sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except READING as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> BadInput:
    """The error of a file that a library gave up on."""
    said = " ".join(str(error).split())[:300]
    return BadInput(
        f"{path.name} cannot be read: {said}; export or copy it again",
        f"{path.name} 无法读取:{said};请重新导出或重新拷贝",
        subject=str(path),
    )
