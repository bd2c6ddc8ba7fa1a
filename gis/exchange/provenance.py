"""Which file rows came from: its name and its digest."""

import glob
import hashlib
import os
from pathlib import Path


def file_name(path: Path) -> str:
    """A file's name as a text; what is not UTF-8 in it (names from old zips are GBK) is replaced."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def sha256(path: Path) -> str:
    """SHA-256 of the file's bytes; of a Shapefile those of all its parts, by name."""
    parts = sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")) if path.suffix.lower() == ".shp" else [path]
    total = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
