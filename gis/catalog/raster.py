"""A raster: values on a fine grid in GeoTIFF files, one for each moment; declared once, files named here alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from gis.catalog.collection import Sensitivity
from gis.catalog.field import Field, FieldType
from gis.errors import UnknownName
from gis.text import Text

_ID = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*\Z")
_COLOR = re.compile(r"#[0-9a-f]{6}\Z")

#: What a stack's file names may say of their time, as strptime has it.
_PARTS = {
    "%Y": r"\d{4}",
    "%m": r"\d\d",
    "%d": r"\d\d",
    "%H": r"\d\d",
    "%M": r"\d\d",
    "%S": r"\d\d",
    "%z": r"(?:Z|[+-]\d{4})",
}


@dataclass(frozen=True, slots=True)
class Ramp:
    """Colours of values: stops of a value and its `#rrggbb`, ascending; linear between them, held beyond the ends."""

    stops: tuple[tuple[float, str], ...]

    def __post_init__(self) -> None:
        """Refuse stops that are no ramp."""
        values = [value for value, _ in self.stops]
        if len(values) < 2 or values != sorted(set(values)) or not all(_COLOR.match(c) for _, c in self.stops):
            raise ValueError("a ramp has two stops or more, ascending, each with a colour #rrggbb")


@dataclass(frozen=True, slots=True)
class RasterFile:
    """One file below the folder of rasters, and from when on it holds (None: always)."""

    path: str
    valid_from: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Raster:
    """One raster, or a stack of them over time.

    `bands` are the bands of each file, in order: numbers with their unit. `files` lists the files; `stack` instead is
    the pattern of a folder's file names with their time (`air/pm25-%Y%m%d%H%M%z.tif`), so that a feed need only put
    one more file there. Paths are relative to the folder of rasters and never leave it. A file holds until the next
    one begins. `nodata` is a value that stands for none, beside what the files say themselves. `ramps` colours bands,
    `rgb` names three bands of 0 to 255 that are colours themselves; what has neither is sent as numbers only.
    `resampling` between pixels: `nearest` for classes.
    """

    id: str
    title: Text
    description: Text
    bands: tuple[Field, ...]
    files: tuple[RasterFile, ...] = ()
    stack: str | None = None
    nodata: float | None = None
    ramps: Mapping[str, Ramp] = field(default_factory=dict, hash=False)
    rgb: tuple[str, str, str] | None = None
    resampling: Literal["nearest", "bilinear"] = "bilinear"
    min_zoom: int = 0
    max_zoom: int = 22
    sensitivity: Sensitivity = Sensitivity.OPEN
    group: Text = Text("栅格", "Rasters")
    source: Text = Text("各部门提供", "Delivered by departments")
    licence: str = "proprietary"

    def __post_init__(self) -> None:
        """Refuse a declaration of which nothing could be read, or whose files lie elsewhere."""
        if not _ID.match(self.id):
            raise ValueError(f"raster id {self.id!r} is not layer.noun")
        if not self.bands or any(b.type not in (FieldType.NUMBER, FieldType.INTEGER) for b in self.bands):
            raise ValueError(f"{self.id}: bands are fields that hold numbers")
        if bool(self.files) == bool(self.stack):
            raise ValueError(f"{self.id}: a raster has files, or is a stack")
        for name in (*(f.path for f in self.files), *([self.stack] if self.stack else [])):
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"{self.id}: {name!r} is not below the folder of rasters")
        for name in (*self.ramps, *(self.rgb or ())):
            self.band(name)
        self._check_times()

    def _check_times(self) -> None:
        if self.stack:
            folder, pattern = str(PurePosixPath(self.stack).parent), self.name_pattern
            if "%" in folder or "%Y" not in pattern or "%z" not in pattern:
                raise ValueError(f"{self.id}: the names of a stack's files say %Y and %z; its folder says no time")
            return
        times = [f.valid_from for f in self.files]
        if len(times) > 1 and None in times:
            raise ValueError(f"{self.id}: of several files each says from when on it holds")
        if any(t is not None and t.tzinfo is None for t in times) or len(set(times)) < len(times):
            raise ValueError(f"{self.id}: files hold from moments on that differ and name their time zone")

    @property
    def timed(self) -> bool:
        """Whether there are several moments to ask for."""
        return self.stack is not None or self.files[0].valid_from is not None

    @property
    def layer(self) -> str:
        """The layer's name."""
        return self.id.partition(".")[0]

    @property
    def name_pattern(self) -> str:
        """Of a stack, the pattern of its files' names, for strptime."""
        return PurePosixPath(self.stack or "").name

    @cached_property
    def name_expression(self) -> re.Pattern[str]:
        """Of a stack, what its files' names look like."""
        parts = re.split("(%[a-zA-Z])", self.name_pattern)
        return re.compile("".join(_PARTS[p] if p in _PARTS else re.escape(p) for p in parts))

    def band(self, name: str) -> Field:
        """The band of that name. Raises UnknownName."""
        for band in self.bands:
            if band.name == name:
                return band
        listed = [b.name for b in self.bands]
        raise UnknownName(
            f"{self.id} has no band {name[:40]!r}; it has {', '.join(listed)}",
            f"{self.id} 没有波段 {name[:40]!r};现有:{'、'.join(listed)}",
            subject=name[:40],
        )
