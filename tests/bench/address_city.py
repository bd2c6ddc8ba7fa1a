"""The addresses of a sample city, from its files: as an index takes them in, and as truths to be found again."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from gis.exchange.matching import Register
from gis.geo.offset import bd09_to_wgs84
from gis.settings import CHECKOUT

LUAN = CHECKOUT / "data-samples" / "luan"
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
DIVISIONS = ("province", "city", "county", "township", "village")


@dataclass(frozen=True, slots=True)
class Truth:
    """One address of the city by its parts ("" where it has none) and the code of its place."""

    divisions: tuple[str, ...]
    street: str
    plate: str
    compound: str
    building: str
    unit: str
    room: str
    code: str
    lon: float
    lat: float

    @property
    def level(self) -> str:
        """The finest part that it has: room, building or plate."""
        return "room" if self.room else "building" if self.building.endswith(("栋", "楼")) else "plate"


@dataclass(frozen=True, slots=True)
class SampleCity:
    """A register to build an index from, and every address in it."""

    register: Register
    truths: list[Truth]


def read_city(folder: Path = LUAN) -> SampleCity:
    """Read the files of a sample city; addresses without usable coordinates are left out of the truths."""
    addresses = [_address(row) for row in _rows(folder / "addresses.csv", "gbk", 1)]
    addresses += [_address(row) for row in _rows(folder / "addresses_supplement.csv", "utf-8-sig", 0)]
    _to_wgs84([a for a in addresses if a["bd09"]])
    names = _names(folder)
    rooms = _rows(folder / "dwellings.csv", "gbk", 0)
    table = pa.Table.from_pylist([{k: v for k, v in a.items() if k != "bd09"} for a in addresses])
    dwellings = pa.table(
        {
            "place": [f"D{r['建筑编码']}" for r in rooms],
            "unit": [r["单元"] for r in rooms],
            "room": [r["室号"] for r in rooms],
            "code": [r["房屋编码"] for r in rooms],
        }
    )
    usable = {a["code"]: a for a in addresses if np.isfinite(a["lon"]) and np.isfinite(a["lat"])}
    truths = [_truth(a, names) for a in usable.values()]
    truths += [
        _truth(usable[f"D{r['建筑编码']}"], names, r)
        for r in rooms
        if r["室号"] and f"D{r['建筑编码']}" in usable
    ]  # fmt: skip
    return SampleCity(Register(table, _division_table(folder), dwellings), truths)


def _rows(path: Path, encoding: str, skip: int) -> list[dict[str, str]]:
    lines = list(csv.reader(io.StringIO(path.read_text(encoding=encoding))))[skip:]
    return [dict(zip(lines[0], row, strict=True)) for row in lines[1:]]


def _address(row: dict[str, str]) -> dict[str, Any]:
    lon, lat = (_degrees(row[name]) for name in ("经度", "纬度"))
    placed = 100 < lon < 130 and 20 < lat < 50
    return {
        "code": row["地址编码"],
        "division": row["地址编码"][1:13],
        "street": row["街路巷名"],
        "plate": row["门牌号"],
        "compound": row["小区名称"],
        "building": row["楼栋号"],
        "lon": lon if placed else np.nan,
        "lat": lat if placed else np.nan,
        "bd09": "°" not in row["经度"] and placed,
    }


def _degrees(text: str) -> float:
    parts = [float(v) for v in re.findall(r"[\d.]+", text)]
    return sum(v / 60**n for n, v in enumerate(parts)) if parts else np.nan


def _to_wgs84(rows: list[dict[str, Any]]) -> None:
    lon, lat = (np.array([r[k] for r in rows]) for k in ("lon", "lat"))
    lon, lat = bd09_to_wgs84(lon, lat)
    for row, x, y in zip(rows, lon.tolist(), lat.tolist(), strict=True):
        row["lon"], row["lat"] = x, y


def _division_table(folder: Path) -> pa.Table:
    frame = pyogrio.read_dataframe(folder / "divisions.gpkg", columns=["区划代码", "名称", "停用日期"]).to_crs(4326)
    inside = shapely.point_on_surface(frame.geometry.to_numpy())
    return pa.table(
        {
            "code": frame["区划代码"].tolist(),
            "name": frame["名称"].tolist(),
            "former": frame["停用日期"].notna().tolist(),
            "lon": shapely.get_x(inside),
            "lat": shapely.get_y(inside),
        }
    )


def _names(folder: Path) -> dict[str, str]:
    frame = pyogrio.read_dataframe(folder / "divisions.gpkg", read_geometry=False)
    frame = frame[frame["停用日期"].isna()]
    return dict(zip(frame["区划代码"], map(_spoken, frame["名称"]), strict=True))


def _spoken(official: str) -> str:
    """As the sample's addresses write a division: 迎宾居委会 is 迎宾社区."""
    for ending, short in (("社区居民委员会", "社区"), ("社区居委会", "社区"), ("村民委员会", "村"), ("村委会", "村")):
        if official.endswith(ending):
            return official.removesuffix(ending) + short
    for ending in ("居民委员会", "居委会"):
        if official.endswith(ending):
            return official.removesuffix(ending) + "社区"
    return official


def _truth(address: dict[str, Any], names: dict[str, str], dwelling: dict[str, str] | None = None) -> Truth:
    village = address["division"]
    return Truth(
        tuple(names[village[:n].ljust(12, "0")] for n in (2, 4, 6, 9, 12)),
        address["street"],
        address["plate"].translate(_WIDE),
        address["compound"],
        address["building"],
        dwelling["单元"] if dwelling else "",
        dwelling["室号"] if dwelling else "",
        dwelling["房屋编码"] if dwelling else address["code"],
        address["lon"],
        address["lat"],
    )
