"""The boundary of an H3 cell as a function in SQL, for databases that have no H3 extension.

H3 lays its grid on the twenty faces of an icosahedron, each seen from the centre of the globe (gnomonic), and on a
face the grid is a plain lattice (h3geo.org, "Overview of the H3 Geospatial Indexing System"). So a cell is a sum of
one vector a digit, from where its base cell begins; what comes to lie beyond the edge of a face is unfolded onto the
next. Where each base cell begins, in which direction, and how the faces lie is measured here from the cells of the
`h3` library itself. Corners agree with the library's to a millimetre; the points that it adds where an edge crosses
from face to face are left out.
"""

import cmath
import math
from collections.abc import Iterable
from functools import cache
from itertools import combinations

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from gis.geo.mercator import RADIUS_M

#: Directions of the digits 1 to 6 (K, J, JK, I, IK, IJ) in the plane of a face; digit 0 is the centre.
_TURNS_DEG = (240.0, 120.0, 180.0, 0.0, 300.0, 60.0)
_DIRECTIONS = (0j, *(cmath.exp(1j * math.radians(turn)) for turn in _TURNS_DEG))
#: From a resolution to the next the lattice shrinks by √7 and turns by this, to and fro.
_TURN = math.asin(math.sqrt(3.0 / 28.0))
#: Two vertices of an icosahedron on the unit sphere are neighbours where their product is above this.
_NEIGHBOURS = math.cos(math.radians(64.0))
#: The digits in the order of their directions; a pentagon has no cells under digit 1.
_ORDER = (4, 6, 2, 3, 1, 5)
_HALF_TURN = math.radians(30.0)
#: The poles lie at infinity in the Mercator projection.
_POLAR_DEG = 89.9

Vector = NDArray[np.float64]

_FUNCTION = """
CREATE OR REPLACE FUNCTION core.cell_boundary(cell bigint, mercator boolean) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    -- numbers stand in the expressions themselves, as constants: a variable would be filled anew at each call
    res CONSTANT integer := (cell >> 52) & 15;
    base CONSTANT integer := (cell >> 45) & 127;
    lead integer := 0; at integer; face integer; side integer; corners integer := 6; centred boolean := false;
    step float8[]; seed float8[]; edge float8[]; axes float8[];
    zx float8 := 0; zy float8 := 0; cx float8; cy float8; px float8; py float8;
    over float8; most float8; x float8; y float8; z float8; lon float8; lat float8; first float8;
    points geometry[] := '{{}}'::geometry[];
BEGIN
    IF base = ANY ('{pentagons}'::integer[]) THEN
        FOR i IN 1 .. res LOOP
            lead := (cell >> (45 - 3 * i)) & 7;
            EXIT WHEN lead > 0;
        END LOOP;
        centred := lead = 0;
        IF centred THEN corners := 5; END IF;
    END IF;
    FOR i IN 1 .. res LOOP
        at := (i * 7 + ((cell >> (45 - 3 * i)) & 7)) * 2;
        step := ('{steps}'::float8[])[at + 1 : at + 2];
        zx := zx + step[1];
        zy := zy + step[2];
    END LOOP;
    seed := ('{seeds}'::float8[])[(base * 7 + lead) * 5 + 1 : (base * 7 + lead) * 5 + 5];
    FOR corner IN 1 .. corners LOOP
        at := ('{order}'::integer[])[corner];
        IF centred THEN
            at := ('{pentagon_order}'::integer[])[corner];
            seed := ('{seeds}'::float8[])[(base * 7 + at) * 5 + 1 : (base * 7 + at) * 5 + 5];
        END IF;
        at := (res * 7 + at) * 2;
        step := ('{steps}'::float8[])[at + 1 : at + 2];
        -- half a digit's turn on from its direction, at the distance of a corner
        cx := zx + step[1] * {cosine} - step[2] * {sine};
        cy := zy + step[2] * {cosine} + step[1] * {sine};
        face := seed[1];
        px := seed[2] + seed[4] * cx - seed[5] * cy;
        py := seed[3] + seed[4] * cy + seed[5] * cx;
        FOR crossing IN 1 .. 4 LOOP
            edge := ('{edges}'::float8[])[face * 21 + 1 : face * 21 + 21];
            most := {inradius};
            side := -1;
            FOR k IN 0 .. 2 LOOP
                over := px * edge[k * 7 + 1] + py * edge[k * 7 + 2];
                IF over > most THEN most := over; side := k * 7; END IF;
            END LOOP;
            EXIT WHEN side < 0;
            x := edge[side + 6] + edge[side + 4] * px - edge[side + 5] * py;
            py := edge[side + 7] + edge[side + 4] * py + edge[side + 5] * px;
            px := x;
            face := edge[side + 3];
        END LOOP;
        axes := ('{faces}'::float8[])[face * 9 + 1 : face * 9 + 9];
        x := axes[1] + px * axes[4] + py * axes[7];
        y := axes[2] + px * axes[5] + py * axes[8];
        z := axes[3] + px * axes[6] + py * axes[9];
        lon := degrees(atan2(y, x));
        lat := degrees(atan2(z, sqrt(x * x + y * y)));
        first := coalesce(first, lon);
        -- in one piece at the antimeridian, beyond 180 degrees
        IF lon - first > 180 THEN lon := lon - 360; ELSIF lon - first < -180 THEN lon := lon + 360; END IF;
        IF mercator THEN
            lat := greatest(-{polar}, least({polar}, lat));
            points := points || ST_MakePoint({radius} * radians(lon), {radius} * asinh(tan(radians(lat))));
        ELSE
            points := points || ST_MakePoint(lon, lat);
        END IF;
    END LOOP;
    RETURN ST_SetSRID(ST_MakePolygon(ST_MakeLine(points || points[1])), CASE WHEN mercator THEN 3857 ELSE 4326 END);
END $body$
"""


@cache
def boundary_function_sql() -> str:
    """The statement that makes `core.cell_boundary(cell bigint, mercator boolean)`.

    It gives a cell's boundary as a polygon, counter-clockwise, in degrees (EPSG:4326) or in metres of EPSG:3857; in
    one piece where it crosses the antimeridian, then beyond 180 degrees. Numbers that are no cells get nonsense.
    """
    globe = _Globe()
    return _FUNCTION.format(
        seeds=_array(v for base in range(122) for lead in range(7) for v in globe.seed(base, lead)),
        steps=_array(part for step in _steps() for part in (step.real, step.imag)),
        edges=_array(v for face in range(20) for edge in globe.edges(face) for v in edge),
        faces=_array(v for frame in globe.frames for axis in frame for v in axis.tolist()),
        pentagons=_whole(sorted(globe.pentagon_bases)),
        order=_whole(_ORDER),
        pentagon_order=_whole(digit for digit in _ORDER if digit != 1),
        cosine=repr(math.cos(_HALF_TURN) / math.sqrt(3.0)),
        sine=repr(math.sin(_HALF_TURN) / math.sqrt(3.0)),
        inradius=repr(globe.inradius * (1 + 1e-9)),
        polar=repr(_POLAR_DEG),
        radius=repr(RADIUS_M),
    )


def _steps() -> list[complex]:
    """For each resolution the vectors of its seven digits, where that of digit 4 is 1 at resolution 1."""
    unit = math.sqrt(7.0) * cmath.exp(-1j * _TURN)
    found: list[complex] = []
    for res in range(16):
        if res:
            unit *= cmath.exp((1j if res % 2 else -1j) * _TURN) / math.sqrt(7.0)
        found += [unit * direction for direction in _DIRECTIONS]
    return found


class _Globe:
    """The icosahedron as H3 has it: its vertices are the twelve pentagons."""

    def __init__(self) -> None:
        self.pentagon_bases = {h3.get_base_cell_number(cell) for cell in h3.get_pentagons(0)}
        self.vertices = [_centre(cell) for cell in h3.get_pentagons(0)]
        near = {(a, b) for a, b in combinations(range(12), 2) if self.vertices[a] @ self.vertices[b] > _NEIGHBOURS}
        self.corners = [t for t in combinations(range(12), 3) if set(combinations(t, 2)) <= near]
        self.frames = [self._frame(triple) for triple in self.corners]
        self.radius = abs(self.plane(0, self.vertices[self.corners[0][0]]))
        self.inradius = self.radius / 2.0

    def _frame(self, triple: tuple[int, ...]) -> tuple[Vector, Vector, Vector]:
        """A face's centre and its axes, east-like and north-like: counter-clockwise seen from outside."""
        centre = np.sum([self.vertices[corner] for corner in triple], axis=0)
        centre = centre / np.linalg.norm(centre)
        axis = self.vertices[triple[0]] - (self.vertices[triple[0]] @ centre) * centre
        axis = axis / np.linalg.norm(axis)
        return centre, axis, np.cross(centre, axis)

    def plane(self, face: int, point: Vector) -> complex:
        """A point of the sphere on a face's plane."""
        centre, east, north = self.frames[face]
        return complex(point @ east, point @ north) / float(point @ centre)

    def edges(self, face: int) -> list[tuple[float, ...]]:
        """Of each edge the outward normal, the face beyond, and the rotation and shift that unfold onto it."""
        found: list[tuple[float, ...]] = []
        for far in self.corners[face]:
            a, b = (corner for corner in self.corners[face] if corner != far)
            other = next(n for n, t in enumerate(self.corners) if n != face and a in t and b in t)
            here = [self.plane(face, self.vertices[v]) for v in (a, b)]
            there = [self.plane(other, self.vertices[v]) for v in (a, b)]
            turn = (there[1] - there[0]) / (here[1] - here[0])
            shift = there[0] - turn * here[0]
            normal = -self.plane(face, self.vertices[far]) / self.radius
            found.append((normal.real, normal.imag, float(other), turn.real, turn.imag, shift.real, shift.imag))
        return found

    def seed(self, base: int, lead: int) -> tuple[float, ...]:
        """Where a base cell begins: a face, a place on it, and the vector of digit 4 at resolution 1.

        Round a pentagon a sixth of the plane is missing, so there each leading digit has a beginning of its own.
        """
        cell = (1 << 59) | (base << 45) | ((1 << 45) - 1)
        is_pentagon = base in self.pentagon_bases
        if (lead < 2 and is_pentagon) or (lead and not is_pentagon):
            return (0.0,) * 5
        children = {(child >> 42) & 7: _centre(child) for child in h3.cell_to_children(cell, 1)}
        face = self._face(children[lead])
        begin = self.plane(face, _centre(cell))
        digit = lead or next(d for d in range(1, 7) if self._face(children[d]) == face)
        unit = (self.plane(face, children[digit]) - begin) / _DIRECTIONS[digit]
        return float(face), begin.real, begin.imag, unit.real, unit.imag

    def _face(self, point: Vector) -> int:
        return max(range(20), key=lambda face: float(self.frames[face][0] @ point))


def _centre(cell: int) -> Vector:
    """A cell's centre on the unit sphere."""
    lat, lon = map(math.radians, h3.cell_to_latlng(cell))
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def _array(numbers: Iterable[float]) -> str:
    return "{" + ",".join(repr(float(number)) for number in numbers) + "}"


def _whole(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
