"""GeoPackages and the records of Shapefiles, streamed by GDAL as Arrow batches."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
from pyogrio.raw import open_arrow

from gis.errors import BadInput
from gis.exchange.readers.declared_crs import crs_name
from gis.exchange.readers.faults import READING, gdal_errors, unreadable
from gis.exchange.readers.geometry import geometric_batch, is_wkb_field
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.strings import without_bad_text
from gis.text import Text


class VectorSource:
    """One layer of a file that GDAL reads; `rows` count from 1 in the layer's order."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.findings = Findings()
        self._options = options
        self._layer = choose_layer(path, options, self.findings)
        with gdal_errors(path):
            info = pyogrio.read_info(path, layer=self._layer)
        self.total_rows: int | None = int(info["features"]) if info["features"] >= 0 else None
        self.crs: str | None = crs_name(info["crs"])
        decide_declared_crs(self.findings, self.crs, info["driver"])
        names = [str(name) for name in info["fields"]]
        self.findings.decide_columns(names)

    def batches(self) -> Iterator[Batch]:
        """The rows, in the file's order. Raises BadInput where the file breaks off."""
        self.findings.begin()
        done = 0
        for record in gdal_batches(self.path, self._layer, self._options.batch_rows, self.findings):
            rows = np.arange(done + 1, done + 1 + record.num_rows, dtype=np.int64)
            done += record.num_rows
            batch = attach_geometry(rows, record, self.findings)
            yield without_bad_text(batch, self.findings)


def open_vector(path: Path, options: ReadOptions) -> VectorSource:
    """A GeoPackage. Raises BadInput when it is damaged, or has several layers and none was named."""
    return VectorSource(path, options)


def choose_layer(path: Path, options: ReadOptions, findings: Findings) -> str:
    """The layer to read: the named one, or the only one that has a geometry (or the only one)."""
    with gdal_errors(path):
        found = pyogrio.list_layers(path)
    layers = [str(name) for name, _ in found]
    spatial = [str(name) for name, kind in found if kind is not None]
    candidates = spatial or layers
    if options.layer is not None and options.layer in layers:
        findings.decide("layer", options.layer, "由用户指定", "named by the user")
        return options.layer
    names = ", ".join(layers)
    if options.layer is not None:
        raise BadInput(
            f"{path.name} has no layer {options.layer!r}; it has {names or 'none'}",
            f"{path.name} 没有图层 {options.layer!r};现有:{names or '无'}",
            subject=options.layer,
        )
    if len(candidates) > 1 and options.prefer in candidates:
        findings.decide("layer", options.prefer, f"与数据集同名;文件中的图层:{names}",
                        f"named as the collection; the layers in the file: {names}")  # fmt: skip
        return options.prefer
    if len(candidates) == 1:
        findings.decide("layer", candidates[0], f"文件中的图层:{names}", f"the layers in the file: {names}")
        return candidates[0]
    if not candidates:
        raise BadInput(f"{path.name} has no layer", f"{path.name} 中没有图层", subject=str(path))
    raise BadInput(
        f"{path.name} has {len(candidates)} layers: {', '.join(candidates)}; name one with --layer",
        f"{path.name} 有 {len(candidates)} 个图层:{'、'.join(candidates)};请用 --layer 指定",
        subject=str(path),
    )


def gdal_batches(
    path: Path, layer: str | None, batch_rows: int, findings: Findings, **opening: Any
) -> Iterator[pa.RecordBatch]:
    """The layer as Arrow record batches; what GDAL warns of becomes a finding, what it fails at BadInput."""
    with ExitStack() as stack:
        with _noted(path, findings):
            _, reader = stack.enter_context(
                open_arrow(path, layer=layer, use_pyarrow=True, batch_size=batch_rows, **opening)
            )
        while True:
            with _noted(path, findings):
                record = next(iter(reader), None)
                if record is not None:
                    _check_offsets(record)
            if record is None:
                return
            yield record


def attach_geometry(rows: Any, record: pa.RecordBatch, findings: Findings) -> Batch:
    """A record batch as a Batch: the WKB column becomes coordinates, the other columns the table."""
    at = next((i for i, f in enumerate(record.schema) if is_wkb_field(f)), None)
    table = pa.Table.from_batches([record])
    if at is None:
        return Batch(rows=rows, table=table)
    return geometric_batch(rows, table.remove_column(at), record.column(at), findings)


def _check_offsets(record: pa.RecordBatch) -> None:
    """Raise ArrowInvalid where binary values lie outside their buffer, before anything reads there."""
    for column in record.columns:
        if pa.types.is_binary(column.type):
            column.validate(full=True)


def decide_declared_crs(findings: Findings, crs: str | None, format_name: str) -> None:
    """Note what a file says of its CRS."""
    if crs is None:
        findings.decide("crs", "", "文件没有声明坐标系", "the file declares no CRS", sure=False)
    else:
        findings.decide("crs", crs, f"{format_name} 文件自己的声明", f"declared in the {format_name} file")


@contextmanager
def _noted(path: Path, findings: Findings) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except READING as error:
            raise unreadable(path, error) from error
    for message in {str(w.message).strip() for w in caught}:
        if not any(d.about == "driver" and d.value == message for d in findings.decisions):
            said = Text("GDAL 读取时的提示", "GDAL said so while reading")
            findings.decide("driver", message, said.zh, said.en, sure=False)
