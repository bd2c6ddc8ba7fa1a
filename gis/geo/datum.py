"""Which datum a file is in: coordinates that say nothing of themselves, tested against what is known of the place.

Every reading that the numbers allow (WGS 84, GCJ-02, BD-09, CGCS2000 zones with and without prefix, Web Mercator, and
each of them with the axes swapped) is placed on the map. A box or the districts tell zones and axes apart. WGS 84,
GCJ-02 and BD-09 lie a few hundred metres apart, which no box can show: they are told apart by how the points sit on
roads, buildings and boundaries (see `alignment`). What the evidence does not separate stays undecided. A file that is
off by less than about 80 m in a way of its own (an older datum, a local system) is read as the datum next to it.

A 6-degree zone without prefix has the same projection as the 3-degree zone of its central meridian; it is named when
the points lie more than 1.5 degrees from that meridian, the 3-degree zone otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from gis.errors import BadInput
from gis.geo.alignment import Fit, Plane, Surroundings, segments
from gis.geo.datum_words import describe, explain
from gis.geo.offset import FloatArray
from gis.geo.reading import Reading, readings
from gis.text import Text

LEAST_POINTS = 20
"""Fewer different points than this decide nothing."""
MOST_POINTS = 1_000
"""How many points are looked at; more are sampled."""

_SAMPLE_SEED = 20_260_301
_PAD_DEG = 0.03
_COARSE_DEG = 0.005
_CLIP_DEG = 0.05
_LEAST_INSIDE = 0.8
_FEWER = 0.5
_SECOND_AT_MOST = 0.6
_DETAILED_VERTICES = 40

Box = tuple[float, float, float, float]


def _none() -> NDArray[np.object_]:
    return np.empty(0, dtype=object)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What is known of the place, WGS 84 degrees: any of a box (west, south, east, north) and arrays of shapes.

    `districts` are polygons whose outlines a file of divisions would follow; `roads` are lines, `buildings` polygons.
    Without a box the extent of the shapes is taken. Cut large road layers to the place: the whole layer is indexed.
    """

    box: Box | None = None
    districts: NDArray[np.object_] = field(default_factory=_none)
    roads: NDArray[np.object_] = field(default_factory=_none)
    buildings: NDArray[np.object_] = field(default_factory=_none)

    def __post_init__(self) -> None:
        for name in ("districts", "roads", "buildings"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=object))

    def extent(self) -> Box:
        """The box, or that of all shapes; raises BadInput when there is neither."""
        if self.box is not None:
            return self.box
        shapes = np.concatenate([self.districts, self.roads, self.buildings])
        bounds = shapely.total_bounds(shapes) if len(shapes) else np.full(4, np.nan)
        if not np.isfinite(bounds).all():
            raise BadInput(
                "a datum can only be found by comparing with something: give a box, districts, roads or buildings",
                "判断坐标系需要参照:请给出范围、行政区、道路或建筑物",
                subject="reference",
            )
        west, south, east, north = bounds.tolist()
        return west, south, east, north

    def area(self) -> BaseGeometry:
        """Where points may be expected: the districts with a margin, or else the extent with a margin."""
        if len(self.districts):
            return shapely.union_all(shapely.simplify(self.districts, _COARSE_DEG)).buffer(_PAD_DEG)
        return shapely.box(*self.extent()).buffer(_PAD_DEG)


@dataclass(frozen=True, slots=True)
class Score:
    """One reading with its evidence.

    `inside` is the share of points in the reference's area; `fits` how they sit on each kind of thing; `score` runs
    from 0 to 1 and ranks the readings of one verdict.
    """

    reading: Reading
    score: float
    inside: float
    fits: tuple[tuple[Text, Fit], ...]

    @property
    def gain(self) -> float:
        """The sum of its gains, in nats."""
        return sum(fit.gain for _, fit in self.fits)

    @property
    def stands_out(self) -> bool:
        """Whether it sits better than chance on at least one kind of thing."""
        return any(fit.stands_out for _, fit in self.fits)

    @property
    def evidence(self) -> Text:
        """The evidence in words and numbers."""
        return describe(self.inside, self.fits)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The readings, best first; when `decided`, the first is it, otherwise the `open` ones remain possible."""

    decided: bool
    ranking: tuple[Score, ...]
    open: tuple[Reading, ...]
    points: int
    """How many different points were looked at."""
    text: Text

    @property
    def best(self) -> Reading | None:
        """The reading with the best evidence; None when the numbers allow none."""
        return self.ranking[0].reading if self.ranking else None


def detect(x: ArrayLike, y: ArrayLike, reference: Reference, *, seed: int = _SAMPLE_SEED) -> Verdict:
    """Find the datum and axis order of coordinates by comparing them with what is known of the place.

    `x` and `y` are the two columns as the file has them, degrees or metres, in either order; NaN is left out. At most
    `MOST_POINTS` different points are looked at. Raises BadInput when the reference is empty or the columns differ in
    length.
    """
    points = _sample(x, y, seed)
    extent = reference.extent()
    found = _placed(points, reference)
    if not found:
        return Verdict(False, (), (), len(points), explain("none", len(points), ()))
    best = max(score.inside for score, _ in found)
    likely = [(score, places) for score, places in found if best > 0 and score.inside >= _FEWER * best]
    if len(likely) > 1 and len(points) >= LEAST_POINTS:
        likely = _compare(likely, _surroundings(reference, likely, extent), seed)
    kept = {score.reading for score, _ in likely}
    rest = tuple(score for score, _ in found if score.reading not in kept)
    return _verdict(_ranked([score for score, _ in likely]), _ranked(rest), len(points))


def detect_shapes(shapes: NDArray[np.object_], reference: Reference, *, seed: int = _SAMPLE_SEED) -> Verdict:
    """`detect` for shapely geometries.

    Outlines in detail (districts; 40 vertices and more) and lines are judged by their vertices, small polygons
    (buildings, parcels) by their centroids, points as they are.
    """
    present = np.asarray(shapes)[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    small = np.asarray(shapely.get_dimensions(present) == 2)
    if small.any() and np.median(shapely.get_num_coordinates(present[small])) < _DETAILED_VERTICES:
        present = np.where(small, shapely.centroid(present), present)
    points = shapely.get_coordinates(present)
    return detect(points[:, 0], points[:, 1], reference, seed=seed)


def _sample(x: ArrayLike, y: ArrayLike, seed: int) -> FloatArray:
    a, b = np.ravel(np.asarray(x, dtype=np.float64)), np.ravel(np.asarray(y, dtype=np.float64))
    if len(a) != len(b):
        raise BadInput(f"{len(a)} x and {len(b)} y coordinates", f"x 有 {len(a)} 个,y 有 {len(b)} 个", subject="x, y")
    rng = np.random.default_rng(seed)
    if len(a) > 50 * MOST_POINTS:
        some = rng.choice(len(a), 50 * MOST_POINTS, replace=False)
        a, b = a[some], b[some]
    pairs = np.column_stack([a, b])
    # many rows at one place (a town's midpoint) are one witness only
    different = np.unique(pairs[np.isfinite(pairs).all(axis=1)], axis=0)
    return rng.permutation(different)[:MOST_POINTS]


def _placed(points: FloatArray, reference: Reference) -> list[tuple[Score, FloatArray]]:
    """Each reading that the numbers allow, with the share of points in the area, and the places in degrees."""
    west, _, east, _ = reference.extent()
    area = reference.area()
    shapely.prepare(area)
    found = []
    for reading in readings(points, west, east):
        lon, lat = reading.place(points[:, 0], points[:, 1])
        share = float(np.mean(shapely.contains_xy(area, lon, lat)))
        found.append((Score(reading, share, share, ()), np.column_stack([lon, lat])))
    return found


def _surroundings(
    reference: Reference, likely: Sequence[tuple[Score, FloatArray]], extent: Box
) -> tuple[Plane, list[Surroundings]]:
    """The kinds of things in the reference, cut to where the points are."""
    plane = Plane((extent[0] + extent[2]) / 2.0, (extent[1] + extent[3]) / 2.0)
    places = np.concatenate([places for _, places in likely])
    west, south = np.nanmin(places, axis=0) - _CLIP_DEG
    east, north = np.nanmax(places, axis=0) + _CLIP_DEG
    window = shapely.box(west, south, east, north)
    kinds = (
        (Text("行政区界线", "district boundary"), segments(shapely.boundary(reference.districts))),
        (Text("道路", "road"), segments(reference.roads)),
        (Text("建筑物", "building"), reference.buildings),
    )
    near = [(name, shapes[shapely.intersects(shapely.envelope(shapes), window)]) for name, shapes in kinds]
    return plane, [Surroundings(name, shapes, plane) for name, shapes in near if len(shapes)]


def _compare(
    likely: Sequence[tuple[Score, FloatArray]], known: tuple[Plane, list[Surroundings]], seed: int
) -> list[tuple[Score, FloatArray]]:
    """The likely readings with how they sit on each kind of thing; the best gain keeps its share as score."""
    plane, kinds = known
    fitted = []
    for score, places in likely:
        usable = places[np.isfinite(places).all(axis=1)]
        points_m = plane.project(usable[:, 0], usable[:, 1])
        fits = tuple((kind.name, kind.fit(points_m, seed)) for kind in kinds)
        fitted.append((Score(score.reading, score.inside, score.inside, fits), places))
    top = max((score.gain for score, _ in fitted), default=0.0)
    if top <= 0:
        return fitted
    return [(Score(s.reading, s.inside * max(s.gain, 0.0) / top, s.inside, s.fits), places) for s, places in fitted]


def _ranked(scores: Sequence[Score]) -> tuple[Score, ...]:
    # sorting is stable: among equals the order of readings (WGS 84 first) stays
    return tuple(sorted(scores, key=lambda score: -score.score))


def _verdict(likely: tuple[Score, ...], rest: tuple[Score, ...], points: int) -> Verdict:
    ranking = likely + rest
    reason = _reason(likely, points)
    possible = tuple(score.reading for score in likely)
    if reason in {"only", "fit"}:
        possible = possible[:1]
    return Verdict(reason in {"only", "fit"}, ranking, possible, points, explain(reason, points, ranking))


def _reason(likely: tuple[Score, ...], points: int) -> str:
    """Why the verdict is what it is, as a key of `datum_words`."""
    if not likely or likely[0].inside < _LEAST_INSIDE:
        return "outside"
    if points < LEAST_POINTS:
        return "few"
    if len(likely) == 1:
        return "only"
    if not likely[0].fits:
        return "zones" if any(score.reading.crs.startswith("EPSG:45") for score in likely) else "box"
    return "fit" if _separated(likely) else "unclear"


def _separated(likely: tuple[Score, ...]) -> bool:
    """Whether the first stands out, leaves the second well behind, and does so in both halves of the points."""
    first, second = likely[0], likely[1]
    if not first.stands_out or any(other.stands_out for other in likely[1:]):
        return False
    if second.gain > _SECOND_AT_MOST * first.gain:
        return False
    halves = [[sum(fit.halves[half] for _, fit in score.fits) for score in likely] for half in (0, 1)]
    return all(gains[0] == max(gains) for gains in halves)


__all__ = ["LEAST_POINTS", "MOST_POINTS", "Reading", "Reference", "Score", "Verdict", "detect", "detect_shapes"]
