"""The account of a delivery: every row and every fact accepted, unchanged or returned; counted in the database."""

from typing import Any

import psycopg

from gis.exchange.delivery.account import Account
from gis.exchange.delivery.claims import STAGE
from gis.exchange.registers import Deliverable


def staged(conn: psycopg.Connection[Any], register: Deliverable, delivery: int) -> tuple[Account, Account]:
    """Rows and facts of what was staged, after the fold, with `prior` and the tasks raised in place."""
    keyed = 1 if register.identifiers else 0
    names = [name for name, _ in register.claim_columns]
    known = "coalesce(p.said, false)"
    again = " + ".join(
        f"""(s."{n}" IS NOT NULL AND {known} AND s."{n}" IS NOT DISTINCT FROM p."{n}"
             AND NOT coalesce('{n}' = ANY(r.items), false))::int"""
        for n in names
    )
    fresh = " + ".join(
        f"""(s."{n}" IS NOT NULL AND NOT ({known} AND s."{n}" IS NOT DISTINCT FROM p."{n}")
             AND NOT coalesce('{n}' = ANY(r.items), false))::int"""
        for n in names
    )
    own, theirs = (", ".join(f'{side}."{n}"' for n in names) for side in "sp")
    found = conn.execute(
        f"""
        WITH raised AS (
            SELECT src_row, bool_or(item = '') AS whole, array_agg(item) AS items, count(*) AS n
            FROM exchange.returned WHERE delivery = %(delivery)s AND raised_by = %(delivery)s GROUP BY src_row
        ), judged AS (
            SELECT s.facts, r.src_row IS NOT NULL AS back, coalesce(r.whole, false) AS whole, coalesce(r.n, 0) AS n,
                   s.same OR s.said AND {known} AND ({fresh}) = 0 AND num_nonnulls({own}) = num_nonnulls({theirs})
                       AND (s.valid_from, s.valid_to) IS NOT DISTINCT FROM (p.valid_from, p.valid_to) AS same, s.said,
                   CASE WHEN s.said THEN {again} + {keyed} * ({known})::int ELSE s.same::int END AS again,
                   CASE WHEN s.said THEN {fresh} + {keyed} * (NOT {known})::int ELSE (NOT s.same)::int END AS fresh
            FROM {STAGE} s LEFT JOIN prior p USING (fid) LEFT JOIN raised r ON r.src_row = s.src_row
        )
        SELECT count(*), count(*) FILTER (WHERE NOT back AND NOT same), count(*) FILTER (WHERE NOT back AND same),
               count(*) FILTER (WHERE back), coalesce(sum(facts), 0)::bigint,
               coalesce(sum(fresh) FILTER (WHERE NOT whole), 0)::bigint,
               coalesce(sum(again) FILTER (WHERE NOT whole), 0)::bigint,
               coalesce(sum(CASE WHEN whole THEN facts ELSE n END), 0)::bigint
        FROM judged
        """,
        {"delivery": delivery},
    ).fetchone()
    assert found is not None
    return Account(*found[:4]), Account(*found[4:])


def added(*accounts: Account) -> Account:
    """Accounts of parts as one of the whole."""
    return Account(
        sum(a.delivered for a in accounts), sum(a.accepted for a in accounts), sum(a.unchanged for a in accounts),
        sum(a.returned for a in accounts),
    )  # fmt: skip
