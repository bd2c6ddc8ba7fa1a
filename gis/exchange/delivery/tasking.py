"""Rows returned to their departments: raised where words disagree, closed when they no longer do.

Judged is each department's latest statement on an entity, over the spans of valid time in which it is its word: who
says again what was returned gets it back again.
"""

from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from gis.exchange.delivery import repeated
from gis.exchange.delivery.fold import literal
from gis.exchange.registers import Deliverable
from gis.text import Text

#: How long a department has to look into a returned row.
DUE = timedelta(days=15)
COMPARED = ("conflict", "identity", "unknown_entity", "ended")
#: The entities of which a delivery's rows are returned for what they say.
TOUCHING = (
    "SELECT DISTINCT fid FROM exchange.returned WHERE delivery = %(delivery)s AND state = 'open'"
    " AND reason = ANY(%(compared)s) AND fid IS NOT NULL"
)
_TEXTS = {
    "conflict": Text(
        "{item}与{rival}提供的不一致,以{rival}为准;请核实后更正,或与对方协商",
        "{item} differs from what {rival} says, whose word prevails; check and correct it, or settle it together",
    ),
    "identity": Text(
        "{item}与{rival}提供的不一致,可能不是同一对象;整行退回,请核实号码和{item}",
        "{item} differs from what {rival} says: perhaps somebody else; the whole row is returned, check the number",
    ),
    "unknown_entity": Text(
        "登记库中没有这个对象,应由{makers}先行提供;请核实号码",
        "the register does not hold it; {makers} would have to deliver it first; please check the number",
    ),
    "ended": Text(
        "{rival}已将该对象注销或迁出;请核实", "{rival} says that it is no more; please check"
    ),
}  # fmt: skip


def dispute(conn: psycopg.Connection[Any], register: Deliverable) -> None:
    """`disputed`: from `spoken` and `weighed`, what each department would have to look into."""
    cases = _cases(register)
    conn.execute(
        f"""
        CREATE TEMP TABLE disputed ON COMMIT DROP AS
        SELECT DISTINCT ON (s.fid, s.department, d.item, d.reason)
               s.fid, s.department, s.stated_by AS delivery, s.stated_row AS src_row, d.item, d.reason, d.subject,
               d.value, d.rival_department, r.delivery AS rival_delivery, r.src_row AS rival_row, d.rival_value
        FROM spoken s
        JOIN (SELECT *, bool_or(present IS NOT NULL) OVER (PARTITION BY fid) AS known FROM weighed) w
            USING (fid, starts)
        CROSS JOIN LATERAL (VALUES {", ".join(f"({holds}, {said})" for holds, said in cases)})
            d(holds, item, reason, subject, value, rival_value, rival_department)
        LEFT JOIN spoken r ON r.fid = s.fid AND r.starts = s.starts AND r.department = d.rival_department
        WHERE s.latest AND s.said AND ({" OR ".join(holds for holds, _ in cases)}) AND d.holds
        ORDER BY s.fid, s.department, d.item, d.reason, s.starts
        """
    )


def restate(conn: psycopg.Connection[Any], by: int) -> None:
    """A disputed word stands where it was said last: in the row that repeated it, where later deliveries did.

    `by` is the delivery under way, or the one that is taken back: its own repeats do not count.
    """
    later = conn.execute(
        """
        SELECT v.id, v.department, array_agg(DISTINCT d.fid)
        FROM disputed d
            JOIN exchange.delivery s ON s.id = d.delivery
            JOIN exchange.delivery v ON v.register = s.register AND v.department = d.department
                AND v.state = 'done' AND (v.edition, v.id) > (s.edition, s.id) AND v.id <> %s
        GROUP BY v.id, v.department, v.edition ORDER BY v.edition, v.id
        """,
        (by,),
    ).fetchall()
    for delivery, department, disputed in later:
        fids, rows = repeated.among(conn, delivery, np.array(disputed, np.int64))
        conn.execute(
            "UPDATE disputed d SET delivery = %s, src_row = nullif(w.row, 0)"
            " FROM unnest(%s::bigint[], %s::bigint[]) w(fid, row) WHERE d.fid = w.fid AND d.department = %s",
            (delivery, fids.tolist(), rows.tolist(), department),
        )


def _cases(register: Deliverable) -> list[tuple[str, str]]:
    """For each kind of dispute when it holds, and its item, reason, subject, own value, prevailing value, whose."""
    identity = register.identity
    ended = " ".join(f"WHEN w.ended_by = {literal(d)} THEN {literal(d)}" for d in register.presence)
    cases = [
        ("NOT s.stranger AND NOT w.known", "'', 'unknown_entity', '', NULL::text, NULL::text, NULL::text"),
        ("NOT s.stranger AND NOT w.present", f"'', 'ended', '', NULL, NULL, CASE {ended} END"),
    ]
    if identity is not None:
        own, theirs = _shown(register, identity)
        cases.append(("s.stranger", f"'', 'identity', '{identity}', {own}, {theirs}, w.\"{identity}_by\""))
    for name, _ in register.claim_columns:
        item = register.item(name)
        if item.disagreement != "return" or name == identity:
            continue
        own, theirs = _shown(register, name)
        named = ", ".join(literal(d) for d in register.authority(name))
        cases.append(
            (
                f'NOT s.stranger AND w.present AND s.department IN ({named}) AND s."{name}" <> w."{name}"',
                f"'{name}', 'conflict', '{name}', {own}, {theirs}, w.\"{name}_by\"",
            )
        )
    return cases


def _shown(register: Deliverable, name: str) -> tuple[str, str]:
    """The two values as text; nothing of what names or numbers a person."""
    if name in {f.name for f in register.identifiers} or register.item(name).check == "person":
        return "NULL", "NULL"
    return f's."{name}"::text', f'w."{name}"::text'


def settle(conn: psycopg.Connection[Any], register: Deliverable, raised_by: int, titles: dict[str, Text]) -> None:
    """Close the tasks of what was touched that no longer hold, raise those that are new."""
    args = {"register": register.collection.id, "by": raised_by, "due": DUE.days, "compared": list(COMPARED)}
    conn.execute(
        """
        UPDATE exchange.returned o SET state = 'answered', closed_by = %(by)s, closed_at = clock_timestamp()
        FROM touched t WHERE o.register = %(register)s AND o.fid = t.fid AND o.state = 'open'
          AND o.reason = ANY(%(compared)s) AND NOT EXISTS (
              SELECT FROM disputed d WHERE d.fid = o.fid AND d.department = o.department AND d.delivery = o.delivery
                 AND d.item = o.item AND d.reason = o.reason AND d.value IS NOT DISTINCT FROM o.value
                 AND d.rival_value IS NOT DISTINCT FROM o.rival_value
                 AND d.rival_department IS NOT DISTINCT FROM o.rival_department)
        """,
        args,
    )
    zh, en = (_sentence(register, titles, language) for language in (0, 1))
    conn.execute(
        f"""
        INSERT INTO exchange.returned (register, department, delivery, src_row, fid, item, reason, text_zh, text_en,
            value, rival_department, rival_delivery, rival_row, rival_value, raised_by, due_on)
        SELECT %(register)s, d.department, d.delivery, coalesce(d.src_row, 0), d.fid, d.item, d.reason, {zh}, {en},
            d.value, d.rival_department, d.rival_delivery, d.rival_row, d.rival_value, %(by)s,
            (now() AT TIME ZONE 'Asia/Shanghai')::date + %(due)s
        FROM disputed d WHERE NOT EXISTS (
            SELECT FROM exchange.returned o WHERE o.register = %(register)s AND o.fid = d.fid AND o.state = 'open'
               AND o.department = d.department AND o.delivery = d.delivery AND o.item = d.item AND o.reason = d.reason)
        ORDER BY d.delivery, d.src_row
        """,
        args,
    )


def _sentence(register: Deliverable, titles: dict[str, Text], language: int) -> str:
    """An SQL expression for the sentence of a dispute."""

    def cases(column: str, words: dict[str, str]) -> str:
        whens = " ".join(f"WHEN {_literal(code)} THEN {_literal(word)}" for code, word in words.items())
        return f"coalesce(CASE {column} {whens} ELSE {column} END, '')"

    rival = cases("d.rival_department", {code: text[language] for code, text in titles.items()} or {"": ""})
    fields = {f.name: f.title[language] for f in register.intake.fields}
    item = cases("d.subject", {name: f"“{title}”" if language == 0 else title for name, title in fields.items()})
    makers = ("、" if language == 0 else " or ").join(
        titles[d][language] if d in titles else d for d in register.presence
    )
    whens = []
    for reason, text in _TEXTS.items():
        words = _literal(text[language].replace("{makers}", makers))
        whens.append(f"WHEN '{reason}' THEN replace(replace({words}, '{{item}}', {item}), '{{rival}}', {rival})")
    return f"CASE d.reason {' '.join(whens)} END"


def _literal(text: str) -> str:
    """A text as it stands in a statement that takes parameters."""
    return literal(text).replace("%", "%%")


def asked(conn: psycopg.Connection[Any], register: str, department: str) -> NDArray[np.int64]:
    """The entities of which the department has any row to look into."""
    found = conn.execute(
        "SELECT DISTINCT fid FROM exchange.returned WHERE register = %s AND department = %s AND state = 'open'"
        " AND fid IS NOT NULL",
        (register, department),
    ).fetchall()
    return np.array([row[0] for row in found], np.int64)


def withdraw(conn: psycopg.Connection[Any], delivery: int) -> None:
    """Take back all that a withdrawn delivery's rows were returned for."""
    conn.execute(
        "UPDATE exchange.returned SET state = 'withdrawn', closed_by = %s, closed_at = clock_timestamp()"
        " WHERE delivery = %s AND state = 'open'",
        (delivery, delivery),
    )
