"""The byte budget of a tile: what is left out first, so that a tile never grows beyond it.

Every feature has a grade, an integer that depends on the feature alone: its declared rank, then its size by halves of
an area, then an even pick by its number; 0 is the lowest, -1 stands for all. A tile that would be too large shows the
features of the highest grades, whole grades only. So what a tile shows is always a part of what any looser tile would
show of the same features, equal requests show the same, and neighbours that are about as full draw the same line.
"""

from gis.catalog import Collection, Geometry

#: What a tile's bytes, before compression, may come to.
BYTES = 500_000
#: The share of the budget that is aimed at, by an estimate; each attempt that fails aims at less by this factor.
AIM = 0.92
#: Of very many features, one in so many is looked at to tell how many bytes which grades come to; always the same ones.
SAMPLE = 8
SAMPLED_SQL = f"hashint8extended(fid, 1) & {SAMPLE - 1} = 0"
#: Least bytes of a feature, and of each of its values: so many features at once are worth encoding without a look.
_FEATURE_BYTES, _VALUE_BYTES = 14, 3
#: Grades of one rank: 128 sizes of 32 picks each.
_SIZES, _PICKS = 128, 32


def most_features(fields: int) -> int:
    """How many features are encoded before they have been counted."""
    return BYTES // (_FEATURE_BYTES + _VALUE_BYTES * fields)


def grade_sql(collection: Collection) -> str:
    """A feature's grade as SQL over the relation being drawn, its shape in `geom`; what is left out last is highest."""
    # of each further pick half as many are left: the number of leading zeros of a hash
    pick = f"least({_PICKS - 1}, 32 - ceil(ln(hashint8(fid)::bigint + 2147483649) / ln(2::float8)))"
    size = "0"
    if collection.geometry is not Geometry.POINT:
        side = "greatest(ST_XMax(geom) - ST_XMin(geom), ST_YMax(geom) - ST_YMin(geom), 1e-9)"
        size = f"least({_SIZES - 1}, greatest(0, {_SIZES // 2} + floor(2 * ln({side}) / ln(2::float8))))"
    return f"(({_rank_sql(collection)} * {_SIZES} + {size}) * {_PICKS} + {pick})::int"


def rank_column(collection: Collection) -> str:
    """What the relation must show as `_rank`, whoever asks: the declared rank decides what is left out, no more."""
    return f'"{collection.detail.rank}" AS _rank' if collection.detail.rank else "NULL AS _rank"


def weight_sql(collection: Collection) -> str:
    """A feature's bytes as SQL, right but for a factor that is the same for all features of a tile."""
    return "1" if collection.geometry is Geometry.POINT else "(12 + ST_NPoints(geom))"


def _rank_sql(collection: Collection) -> str:
    """The declared rank as a small number: a coded field's value by its place, a number by doublings; unknown is 0."""
    name = collection.detail.rank
    if name is None:
        return "0"
    field = collection.field(name)
    if not field.values:
        doublings = "256 + floor(2 * ln(_rank::float8) / ln(2::float8))"
        return f"(CASE WHEN _rank > 0 THEN least(511, greatest(1, {doublings})) ELSE 0 END)"
    values = list(field.values)
    cases = " ".join(f"WHEN '{value}' THEN {len(values) - place}" for place, value in enumerate(values))
    return f"(CASE _rank::text {cases} ELSE 0 END)"
