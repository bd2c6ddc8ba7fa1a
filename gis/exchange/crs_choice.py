"""In which CRS a file is: what the user says, what the file declares, what the coordinates themselves show.

A firm declaration (a .prj, a GeoPackage) is kept and a contradiction is said aloud; a declaration that the format
makes by itself (GeoJSON, KML: always WGS 84) gives way to evidence. Nothing is guessed: where nothing is declared and
the evidence does not decide, the user is asked.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import BadInput
from gis.exchange.readers.source import Batch, Decision, Source
from gis.geo import crs as systems
from gis.geo.datum import Reference, Verdict, detect, detect_shapes
from gis.geo.reading import Reading
from gis.text import Text

#: Where a file of a Chinese city lies, when nothing nearer is known; it tells zones with prefix apart, no more.
CHINA = Reference(box=(73.0, 3.0, 136.0, 54.0))

_ALIKE = frozenset({systems.WGS84, systems.CGCS2000})
_MOST = 0.8
_SAMPLED = 2_000
_RANKED = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """How the coordinates are read, and the decision that says so."""

    reading: Reading
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Claim:
    """A reading that somebody vouches for: the user, the file, or (not `firm`) only the format's standard."""

    reading: Reading
    by: Text
    firm: bool


def choose_crs(source: Source, sample: Batch, asked: str | None, reference: Reference | None) -> Choice:
    """The reading of a source's coordinates, from a sample of its rows.

    Raises BadInput when a CRS is unknown, when the numbers cannot be in the CRS that the user or the file names, and
    when nothing is named and the evidence does not decide.
    """
    points = _coordinates(sample)
    claim = _claim(source, asked)
    if claim is not None:
        fitting = _fitting(claim, points)
        if fitting is not None:
            return _checked(fitting, sample, points, reference)
        if claim.firm:
            raise _contradicted(source, claim, points)
    return _found(source, sample, reference)


def _claim(source: Source, asked: str | None) -> _Claim | None:
    if asked is not None:
        return _Claim(Reading(systems.normalise(asked)), Text("由用户指定", "named by the user"), True)
    if source.crs is None:
        return None
    told = next((d for d in source.findings.decisions if d.about == "crs"), None)
    firm = told is None or told.sure
    by = told.evidence if told is not None else Text("文件声明", "declared in the file")
    return _Claim(Reading(systems.normalise(source.crs)), by, firm)


def _fitting(claim: _Claim, points: NDArray[np.float64]) -> _Claim | None:
    """The claim, or the claim with the axes swapped where only that puts the numbers on the globe; None for neither."""
    if _possible(claim.reading, points):
        return claim
    turned = Reading(claim.reading.crs, not claim.reading.swapped)
    if not _possible(turned, points):
        return None
    by = Text(
        f"{claim.by.zh};但只有交换坐标轴后数值才合理",
        f"{claim.by.en}; but the numbers make sense only with the axes swapped",
    )
    return _Claim(turned, by, False)


def _possible(reading: Reading, points: NDArray[np.float64]) -> bool:
    """Whether most of the numbers can be in this CRS: on the globe, and not degrees where metres are declared."""
    if len(points) == 0:
        return True
    degrees = bool((np.abs(points) <= 180.0).all())
    if degrees and _in_metres(reading.crs):
        return False
    lon, lat = reading.place(points[:, 0], points[:, 1])
    return float(np.mean((np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))) >= 1 - _MOST


def _in_metres(crs: str) -> bool:
    """Whether a CRS counts in metres: then one unit on the map is nowhere near a degree."""
    if crs in _ALIKE or crs in (systems.GCJ02, systems.BD09):
        return False
    x, _ = systems.from_wgs84(np.array([117.0, 117.1]), np.array([30.0, 30.0]), crs)
    return bool(abs(x[1] - x[0]) > 100.0)


def _checked(claim: _Claim, sample: Batch, points: NDArray[np.float64], reference: Reference | None) -> Choice:
    """The claim held against the reference: confirmed, contradicted, or neither."""
    reading, by = claim.reading, claim.by
    if reference is None or len(points) == 0:
        nothing = Text("没有参照可核对", "there is nothing to check it against")
        return _choice(reading, by, nothing, sure=claim.firm)
    verdict = _verdict(sample, reference)
    best = verdict.best
    if not verdict.decided or best is None:
        return _choice(reading, by, verdict.text, sure=claim.firm and _inside(reading, points, reference))
    if _same(best, reading):
        return _choice(reading, by, verdict.text, sure=True)
    if not any(_same(score.reading, reading) for score in verdict.ranking) and _inside(reading, points, reference):
        beyond = Text("落在参照范围内", "it lies in the reference's extent")
        return _choice(reading, by, beyond, sure=claim.firm)
    if claim.firm and not _only_turned(best, reading):
        against = Text(f"与证据矛盾:{verdict.text.zh}", f"the evidence contradicts it: {verdict.text.en}")
        return _choice(reading, by, against, sure=False)
    return _choice(best, verdict.text, Text(f"与声明不同({by.zh})", f"which is not what is declared ({by.en})"),
                   sure=False)  # fmt: skip


def _found(source: Source, sample: Batch, reference: Reference | None) -> Choice:
    """The reading that the evidence decides on, where nothing (or nothing possible) is declared."""
    verdict = _verdict(sample, reference or CHINA)
    if verdict.decided and verdict.best is not None:
        return _choice(
            verdict.best, verdict.text, Text("文件没有可用的声明", "the file declares nothing of use"), sure=True
        )
    ranking = [score.reading.title for score in verdict.ranking[:_RANKED]]
    zh, en = "、".join(t.zh for t in ranking) or "无", ", ".join(t.en for t in ranking) or "none"
    name = source.path.name
    raise BadInput(
        f"{name} does not say in which CRS it is; name it with --crs. Possible: {en}. {verdict.text.en}",
        f"{name} 没有说明坐标系,请用 --crs 指定。可能是:{zh}。{verdict.text.zh}",
        subject=str(source.path),
    )


def _choice(reading: Reading, first: Text, second: Text, *, sure: bool) -> Choice:
    evidence = Text(f"{first.zh};{second.zh}", f"{first.en}; {second.en}")
    caution = systems.caution(reading.crs)
    if caution is not None:
        evidence = Text(f"{evidence.zh};{caution.zh}", f"{evidence.en}; {caution.en}")
    value = f"{reading.crs}, axes swapped" if reading.swapped else reading.crs
    return Choice(reading, Decision("datum", value, evidence, sure))


def _verdict(sample: Batch, reference: Reference) -> Verdict:
    if sample.points is not None:
        return detect(sample.points[:, 0], sample.points[:, 1], reference)
    assert sample.shapes is not None
    return detect_shapes(sample.shapes, reference)


def _coordinates(sample: Batch) -> NDArray[np.float64]:
    """Some finite coordinates of the sample, spread over it."""
    if sample.points is not None:
        xy = sample.points
    else:
        assert sample.shapes is not None
        xy = shapely.get_coordinates(sample.shapes[:: max(1, len(sample) // _SAMPLED)])
    xy = xy[np.isfinite(xy).all(axis=1)]
    return xy[:: max(1, len(xy) // _SAMPLED)]


def _inside(reading: Reading, points: NDArray[np.float64], reference: Reference) -> bool:
    west, south, east, north = reference.extent()
    lon, lat = reading.place(points[:, 0], points[:, 1])
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return float(np.mean(inside)) >= _MOST


def _same(one: Reading, other: Reading) -> bool:
    """Whether two readings put coordinates in the same place, at map accuracy."""
    return one.swapped == other.swapped and (one.crs == other.crs or {one.crs, other.crs} <= _ALIKE)


def _only_turned(one: Reading, other: Reading) -> bool:
    return one.swapped != other.swapped and (one.crs == other.crs or {one.crs, other.crs} <= _ALIKE)


def _contradicted(source: Source, claim: _Claim, points: NDArray[np.float64]) -> BadInput:
    x, y = (float(v) for v in points[0])
    name = source.path.name
    title = systems.title(claim.reading.crs)
    return BadInput(
        f"the coordinates of {name} ({x:g}, {y:g}, …) cannot be {title.en} ({claim.by.en}); "
        "name the right CRS with --crs",
        f"{name} 的坐标({x:g}, {y:g} 等)不可能是 {title.zh}({claim.by.zh});请用 --crs 指定正确的坐标系",
        subject=str(source.path),
    )
