"""Features made, replaced, changed and deleted one at a time (OGC API – Features part 4, 20-002r1).

A change becomes versions as a load does: the row that was there is kept as past, the new one has the digest, the cell
and the division that a file's row would have, and the register gets an epoch. It is made only to the state that the
caller has seen.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from gis.access import OWNER, Identity
from gis.access.rules import check_editor
from gis.base.divisions import DIVISIONS
from gis.catalog import Catalogue, Collection
from gis.errors import BadInput, Conflict, NotFound, Stale
from gis.exchange.columns import VALID_FROM, VALID_TO
from gis.exchange.feature import typed
from gis.exchange.rows import Frame, Locate, key_sql
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import instant_text, now
from gis.query.statement import Statement
from gis.store.database import Database
from gis.store.editing import Edit, OpenRow, editing
from gis.store.versions import STAGE, Change, Changes, Rows, drop_collisions, drop_standing, merge, stage
from gis.text import Text

Feature = Mapping[str, Any]
#: Whether a feature's state is the one that the caller means to change.
Guard = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Edited:
    """A feature that was changed: its number and its state now, None where it is gone."""

    fid: int
    state: str | None


@dataclass(frozen=True, slots=True)
class Editor:
    """One identity that changes features of one collection. All methods raise NotSignedIn, Forbidden, Conflict."""

    database: Database
    catalogue: Catalogue
    collection: Collection
    identity: Identity

    def create(self, feature: Feature) -> Edited:
        """A new feature, under the number that its key gives it. Raises BadInput naming the field at fault."""
        check_editor(self.identity, self.collection)
        with self.database.connection() as conn, editing(conn, self.collection) as edit:
            fid = self._stage(edit, feature)
            if edit.open_rows(fid):
                raise Conflict(f"{self.collection.id} has a feature with this key already: {fid}",
                               f"{self.collection.id} 已有此编码的要素:{fid}", subject=str(fid))  # fmt: skip
            return self._merge(edit, fid, feature)

    def replace(self, fid: int, feature: Feature, guard: Guard) -> Edited:
        """The feature as it is valid now, else its latest version, replaced as a whole.

        A bound of validity that is not given stays. Raises NotFound, Stale, BadInput naming the field at fault.
        """
        return self._change(fid, lambda conn, row: feature, guard)

    def patch(self, fid: int, patch: Mapping[str, Any], guard: Guard) -> Edited:
        """The same with what a JSON merge patch (RFC 7396) makes of the feature."""
        return self._change(fid, lambda conn, row: self._patched(self._current(conn, fid, row), patch), guard)

    def delete(self, fid: int, guard: Guard) -> Edited:
        """End the record of a feature, all versions of it; it stays known as of earlier times. Raises NotFound, Stale.

        What has ceased to exist in the world is not deleted: it gets a `valid_to`.
        """
        check_editor(self.identity, self.collection)
        with self.database.connection() as conn, editing(conn, self.collection) as edit:
            rows = self._guarded(edit, fid, guard)
            check_editor(self.identity, self.collection, [row.division for row in rows])
            edit.close(fid, now().date())
            edit.record(Changes(closed=len(rows)), by=self._by, sha256="")
        return Edited(fid, None)

    def _change(self, fid: int, made: Callable[[Any, OpenRow], Feature], guard: Guard) -> Edited:
        check_editor(self.identity, self.collection)
        with self.database.connection() as conn, editing(conn, self.collection) as edit:
            rows = self._guarded(edit, fid, guard)
            row = next((row for row in rows if row.is_now), rows[-1])
            check_editor(self.identity, self.collection, [row.division])
            feature = _with_bounds(made(conn, row), row, self.collection)
            if feature.get("id", fid) != fid:
                raise BadInput("id is not that of the address", "id 与地址中的编号不一致", subject="id")
            if self._stage(edit, feature) != fid:
                named = ", ".join(self.collection.key)
                raise BadInput(f"{named} is the feature's key and cannot change", f"{named} 是要素的编码,不能修改",
                               subject=self.collection.key[0])  # fmt: skip
            return self._merge(edit, fid, feature, row)

    def _guarded(self, edit: Edit, fid: int, guard: Guard) -> list[OpenRow]:
        state, rows = edit.state(fid), edit.open_rows(fid)
        if state is None or not rows:
            raise NotFound(f"{self.collection.id} has no feature {fid}", f"数据集 {self.collection.id} 没有要素 {fid}",
                           subject=str(fid))  # fmt: skip
        if not guard(state):
            raise Stale(f"feature {fid} has changed since it was read; read it again",
                        f"要素 {fid} 在读取之后已被修改,请重新读取", subject=str(fid))  # fmt: skip
        return rows

    def _stage(self, edit: Edit, feature: Feature) -> int:
        """The feature as a row beside the register; returns its number."""
        row = typed(feature, self.collection)
        frame = Frame(self.collection, edit.load, edit.epoch, 0, _locate(edit.conn, self.catalogue))
        stage(edit.conn, edit.register, Rows(frame.columns, iter([frame.encode(row)])))
        found = edit.conn.execute(f"SELECT fid, division FROM {STAGE}").fetchone()  # noqa: S608
        assert found is not None
        check_editor(self.identity, self.collection, [found[1]])
        return int(found[0])

    def _merge(self, edit: Edit, fid: int, feature: Feature, before: OpenRow | None = None) -> Edited:
        """The staged row into the register, in place of the one before."""
        today, key = now().date(), key_sql(self.collection)
        change = Change(epoch=edit.epoch, loads=[], scenario=0, full=False, today=today)
        starts = edit.conn.execute(f"SELECT nullif(valid_from, '-infinity') FROM {STAGE}").fetchone()  # noqa: S608
        moved = before is not None and starts is not None and starts[0] != before.valid_from
        if moved:
            edit.close(fid, today, before)
        if drop_collisions(edit.conn, edit.register, key).pairs:
            raise Conflict("another feature has this number; choose another key", "编号与其他要素冲突,请更换编码",
                           subject=self.collection.key[0])  # fmt: skip
        if drop_standing(edit.conn, edit.register, change).pairs:
            raise Conflict("its valid time overlaps that of another version of the feature",
                           "有效期与该要素的其他版本重叠", subject=VALID_FROM)  # fmt: skip
        changes = merge(edit.conn, edit.register, key, change)
        if moved or changes != Changes(unchanged=1):
            text = json.dumps(feature, sort_keys=True, ensure_ascii=False)
            edit.record(changes, by=self._by, sha256=hashlib.sha256(text.encode()).hexdigest())
        return Edited(fid, edit.state(fid))

    def _patched(self, feature: Feature, patch: Mapping[str, Any]) -> Feature:
        """The feature after a patch; a bound that the patch takes away is none. Raises BadInput."""
        try:
            found: Feature = merged(feature, patch)
        except RecursionError:
            raise BadInput("the patch is nested too deeply", "修改内容嵌套过深", subject="properties") from None
        properties = found.get("properties")
        if not self.collection.timed or not isinstance(properties, dict):
            return found
        return {**found, "properties": {VALID_FROM: None, VALID_TO: None, **properties}}

    def _current(self, conn: psycopg.Connection[Any], fid: int, row: OpenRow) -> Feature:
        """The feature as it is, as GeoJSON with all its digits."""
        plan = Plan(Query(collection=self.collection.id), self.catalogue, OWNER, now())
        names = ", ".join(f'"{name}"' for name in plan.fields)
        found = conn.execute(
            f"SELECT ST_AsGeoJSON(geom, 15), row_to_json((SELECT p FROM (SELECT {names}) p))"  # noqa: S608
            f" FROM {Edit(conn, self.collection, 0, 0).register.table()}"
            " WHERE fid = %s AND scenario = 0 AND valid_from = coalesce(%s, '-infinity'::timestamptz)",
            (fid, row.valid_from),
        ).fetchone()
        assert found is not None
        feature = {"type": "Feature", "geometry": json.loads(found[0] or "null"), "properties": found[1]}
        return _with_bounds(feature, row, self.collection)

    @property
    def _by(self) -> Text:
        who = self.identity.department or self.identity.name
        return Text(f"在线编辑({who})", f"edited by {who}")


def merged(target: Any, patch: Any) -> Any:
    """What a JSON merge patch makes of a value (RFC 7396, 2).

    >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def _with_bounds(feature: Feature, row: OpenRow, collection: Collection) -> Feature:
    """With the bounds of validity that the row has, where the feature does not name them."""
    properties = feature.get("properties")
    if not collection.timed or not isinstance(properties, dict):
        return feature
    kept = {VALID_FROM: row.valid_from, VALID_TO: row.valid_to}
    bounds = {name: when and instant_text(when) for name, when in kept.items()}
    return {**feature, "properties": {**bounds, **properties}}


def _locate(conn: psycopg.Connection[Any], catalogue: Catalogue) -> Locate:
    """The finest division at each place, on a common border that of the lowest code, as loads find it."""

    def codes(xy: NDArray[np.float64]) -> NDArray[np.int64]:
        if not any(c.id == DIVISIONS.id for c in catalogue) or not np.isfinite(xy).all():
            return np.zeros(len(xy), np.int64)
        point = Statement("ST_Intersects(geom, ST_SetSRID(ST_MakePoint(%s, %s), 4326))", tuple(xy[0].tolist()))
        found = Plan(Query(collection=DIVISIONS.id, fields=("level",)), catalogue, OWNER, now()).relation(also=point)
        row = conn.execute(
            f"SELECT division FROM ({found.sql}) d WHERE division IS NOT NULL"  # noqa: S608
            " ORDER BY level DESC, division LIMIT 1",
            found.args,
        ).fetchone()
        return np.array([row[0] if row else 0], np.int64)

    return codes
