"""A tile made as a server makes it, by either statement: where the short one answers, they must agree."""

from typing import Any

import psycopg

from gis.query.plan import Plan
from tiles import mvt
from tiles.grid import Tile


def made(conn: psycopg.Connection[Any], plan: Plan, tile: Tile) -> tuple[bytes, bool, bool]:
    """The tile, whether something was left out, and whether the short statement sufficed."""
    whole = mvt.statement(plan, tile)
    assert whole is not None
    ((content, left_out),) = conn.execute(whole.sql, whole.args, binary=True).fetchall()
    short = mvt.quick(plan, tile)
    found = conn.execute(short.sql, short.args, binary=True).fetchall() if short else []
    assert found in ([], [(content, left_out)])
    return bytes(content), left_out, bool(found)
