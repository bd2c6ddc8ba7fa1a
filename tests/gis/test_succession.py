"""What became of divisions: found on small maps whose changes are known, and on the sample city."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from gis.base.succession import Kind, Link, find_links, predecessors, state_links, successors
from gis.errors import BadInput
from gis.store.database import Database

THEN, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)
Box = tuple[float, float]
#: code, name, parent, west and east of a strip of ground (hundredths of a degree), start, end
Version = tuple[str, str, str, Box, datetime | None, datetime | None]
A, B, C, D = (f"34150200{n}000" for n in range(1, 5))
P, Q = "341502000000", "341503000000"


def fill(conn: psycopg.Connection, versions: list[Version]) -> None:
    fids: dict[str, int] = {}
    for code, name, parent, (west, east), start, end in versions:
        fid = fids.setdefault(code, len(fids) + 1)
        conn.execute(
            "INSERT INTO base.divisions (fid, valid_from, valid_to, rec_from, digest, load, code, name, level, parent,"
            " geom) VALUES (%s, coalesce(%s, '-infinity'::timestamptz), coalesce(%s, 'infinity'::timestamptz), 1, 0, 1,"
            " %s, %s, 4, %s, ST_MakeEnvelope(%s, 31, %s, 31.1, 4326))",
            (fid, start, end, code, name, parent, 116 + west / 100, 116 + east / 100),
        )
    for code, fid in fids.items():
        conn.execute("INSERT INTO base.divisions_id VALUES (%s, %s, 1)", (fid, code))


#: what happened, the versions, the links
CASES: list[tuple[str, list[Version], set[tuple[str, str, str]]]] = [
    ("nothing", [(A, "甲", P, (0, 5), None, None), (B, "乙", P, (5, 9), None, None)], set()),
    ("founded", [(A, "甲", P, (0, 5), THEN, None), (B, "乙", P, (5, 9), THEN, None)], set()),
    ("vanished", [(A, "甲", P, (0, 5), None, THEN)], set()),
    (
        "split off, the rest goes on",
        [(A, "甲", P, (0, 9), None, THEN), (A, "甲", P, (0, 5), THEN, None), (B, "乙", P, (5, 9), THEN, None)],
        {(A, B, "split")},
    ),
    (
        "split up",
        [(A, "甲", P, (0, 9), None, THEN), (B, "乙", P, (0, 5), THEN, None), (C, "丙", P, (5, 9), THEN, None)],
        {(A, B, "split"), (A, C, "split")},
    ),
    (
        "merged into one that goes on",
        [(A, "甲", P, (0, 5), None, THEN), (B, "乙", P, (5, 9), None, THEN), (B, "乙", P, (0, 9), THEN, None)],
        {(A, B, "merge")},
    ),
    (
        "merged into a new one",
        [(A, "甲", P, (0, 5), None, THEN), (B, "乙", P, (5, 9), None, THEN), (C, "丙", P, (0, 9), THEN, None)],
        {(A, C, "merge"), (B, C, "merge")},
    ),
    ("recoded", [(A, "甲", P, (0, 5), None, THEN), (B, "甲", P, (0, 5), THEN, None)], {(A, B, "recode")}),
    (
        "recoded under another, with another name",
        [(A, "甲", P, (0, 5), None, THEN), (B, "乙", Q, (0, 5), THEN, None)],
        {(A, B, "recode"), (A, B, "reparent"), (A, B, "rename")},
    ),
    ("renamed", [(A, "甲", P, (0, 5), None, THEN), (A, "乙", P, (0, 5), THEN, None)], {(A, A, "rename")}),
    ("moved", [(A, "甲", P, (0, 5), None, THEN), (A, "甲", Q, (0, 5), THEN, None)], {(A, A, "reparent")}),
    (
        "a piece handed over",
        [(A, "甲", P, (0, 5), None, THEN), (B, "乙", P, (5, 9), None, THEN),
         (A, "甲", P, (0, 4), THEN, None), (B, "乙", P, (4, 9), THEN, None)],
        {(A, B, "split")},
    ),
    (
        "a border drawn anew",
        [(A, "甲", P, (0, 5), None, THEN), (B, "乙", P, (5, 9), None, THEN),
         (A, "甲", P, (0, 5.01), THEN, None), (B, "乙", P, (5.01, 9), THEN, None)],
        set(),
    ),
    (
        "an end written as the last day",
        [(A, "甲", P, (0, 5), None, datetime(2019, 12, 31, tzinfo=UTC)), (B, "甲", P, (0, 5), THEN, None)],
        {(A, B, "recode")},
    ),
    (
        "one ended long before another began",
        [(A, "甲", P, (0, 5), None, datetime(2019, 6, 1, tzinfo=UTC)), (B, "甲", P, (0, 5), THEN, None)],
        set(),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("versions", "links"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_links_tell_what_happened(
    conn: psycopg.Connection, versions: list[Version], links: set[tuple[str, str, str]]
) -> None:
    fill(conn, versions)
    assert find_links(conn) == len(links)
    assert find_links(conn) == len(links)
    found = conn.execute(
        "SELECT a.key, b.key, kind, at FROM base.divisions_link l JOIN base.divisions_id a ON a.fid = l.fid"
        " JOIN base.divisions_id b ON b.fid = l.successor"
    ).fetchall()
    assert {row[:3] for row in found} == links
    assert {row[3] for row in found} <= {THEN}


def test_links_are_followed_in_time(database: Database) -> None:
    versions: list[Version] = [
        (A, "甲", P, (0, 9), None, THEN),
        (B, "乙", P, (0, 5), THEN, LATER),
        (C, "丙", P, (5, 9), THEN, None),
        (D, "丁", P, (0, 5), LATER, None),
    ]
    with psycopg.connect(database.url) as conn:
        fill(conn, versions)
        find_links(conn)
    split = {Link(THEN, A, B, Kind.SPLIT), Link(THEN, A, C, Kind.SPLIT)}
    recode = {Link(LATER, B, D, Kind.RECODE), Link(LATER, B, D, Kind.RENAME)}
    assert set(successors(database, A)) == split | recode
    assert list(successors(database, A)) == sorted(successors(database, A))
    assert set(successors(database, B)) == recode
    assert successors(database, D) == successors(database, C) == ()
    assert set(predecessors(database, D)) == recode | {Link(THEN, A, B, Kind.SPLIT)}
    assert predecessors(database, D)[0].at == LATER
    assert predecessors(database, "341502001") == ()


def test_stated_links_stay(database: Database) -> None:
    with psycopg.connect(database.url) as conn:
        fill(
            conn, [(A, "甲", P, (0, 5), None, THEN), (B, "甲", P, (0, 5), THEN, None), (C, "丙", P, (5, 9), None, None)]
        )
        find_links(conn)
    told = [Link(THEN, A, B, Kind.RECODE), Link(LATER, B, "341502003", Kind.MERGE)]
    assert state_links(database, told) == 2
    with psycopg.connect(database.url) as conn:
        find_links(conn)
    found = successors(database, A)
    assert [(link.code, link.successor, link.kind, link.stated) for link in found] == [
        (A, B, Kind.RECODE, True),
        (B, C, Kind.MERGE, True),
    ]
    with pytest.raises(BadInput, match="341502999000"):
        state_links(database, [Link(THEN, A, "341502999", Kind.MERGE)])
    with pytest.raises(BadInput):
        successors(database, "三里桥")


def test_the_sample_knows_what_became_of_its_street(sample_city: str) -> None:
    opened = Database(sample_city)
    try:
        street = successors(opened, "341502003")
        village = predecessors(opened, "341502005003")
        renamed = successors(opened, "341502001008")
    finally:
        opened.close()
    day = datetime(2021, 7, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert street == (Link(day, "341502003000", "341502005000", Kind.SPLIT),)
    assert {(link.code, link.kind) for link in village} == {
        ("341502003103", Kind.RECODE),
        ("341502003103", Kind.REPARENT),
    }
    assert [(link.successor, link.kind) for link in renamed] == [("341502001008", Kind.RENAME)]
