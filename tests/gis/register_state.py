"""What a database holds of its registers, to be compared before and after."""

import contextlib
from dataclasses import dataclass
from typing import Any

import psycopg

from gis.exchange.report import LoadReport

NOUNS = ("divisions", "land", "water", "roads", "buildings", "addresses", "pois")
TABLES = tuple(f"base.{noun}{part}" for noun in NOUNS for part in ("", "_past", "_id"))
RECORDS = ("core.scenario", "core.load", "core.load_reject", "core.epoch")
_DIGEST = "SELECT '{0}', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {0} t"


@dataclass(frozen=True)
class State:
    """Rows and digest of every table, the names of all relations, and what sessions of the platform hold."""

    tables: frozenset[Any]
    relations: frozenset[str]
    held: tuple[Any, ...]


def state(url: str) -> State:
    """All that a load could have changed or left behind."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(" UNION ALL ".join(map(_DIGEST.format, TABLES + RECORDS))).fetchall()
        relations = conn.execute(
            "SELECT relnamespace::regnamespace || '.' || relname FROM pg_class"
            " WHERE relnamespace::regnamespace::text ~ '^(base|core|pg_temp.*)$' AND relname !~ '^pg_toast'"
            " AND relname !~ '_past_[0-9]{6}'"
        ).fetchall()
        held = conn.execute(
            "SELECT a.state, l.locktype, l.mode FROM pg_stat_activity a LEFT JOIN pg_locks l USING (pid)"
            " WHERE a.datname = current_database() AND a.application_name = 'onemap'"
            " AND (a.state <> 'idle' OR l.pid IS NOT NULL)"
        ).fetchall()
    return State(frozenset(tables), frozenset(name for (name,) in relations), tuple(held))


def empty(url: str) -> None:
    """Take every row out of every register, as if nothing had been loaded; quicker than TRUNCATE for a few rows."""
    with psycopg.connect(url) as conn:
        conn.execute(";".join(f"DELETE FROM {name}" for name in (*TABLES, *reversed(RECORDS))))


def keep(url: str) -> None:
    """Set a copy of every table aside."""
    with psycopg.connect(url) as conn:
        conn.execute("CREATE SCHEMA kept")
        conn.execute(";".join(f"CREATE TABLE kept.{kept(name)} AS TABLE {name}" for name in (*TABLES, *RECORDS)))


def bring_back(url: str) -> None:
    """Fill emptied tables from what was set aside."""
    with psycopg.connect(url) as conn:
        conn.execute(
            ";".join(
                f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{kept(name)}"
                for name in (*RECORDS, *TABLES)
            )
        )


def kept(table: str) -> str:
    return table.replace(".", "_")


def assert_adds_up(url: str, report: LoadReport) -> None:
    """Every row of the file is in the register or stands among the refused, with its number and reason."""
    changes = report.changes
    assert report.rows == changes.new + changes.changed + changes.unchanged + report.rejected
    assert report.rejected == len(report.findings.rejects) == report.findings.rejected_rows
    with psycopg.connect(url) as conn:
        listed = conn.execute(
            "SELECT src_row, reason, text_zh, text_en FROM core.load_reject WHERE load = %s", [report.load]
        ).fetchall()
        name = report.collection
        taken = conn.execute(f"SELECT count(*) FROM {name} WHERE load = %s", [report.load]).fetchone()
        counts = conn.execute("SELECT counts FROM core.load WHERE id = %s", [report.load]).fetchone()
        unknown = conn.execute(f"SELECT count(*) FROM (SELECT fid FROM {name} EXCEPT SELECT fid FROM {name}_id) m")
        assert unknown.fetchone() == (0,)
    assert sorted(row[:2] for row in listed) == sorted((r.row, r.reason) for r in report.findings.rejects)
    assert all(row[2] and row[3] for row in listed)
    assert taken == (changes.new + changes.changed,)
    assert counts is not None
    assert (counts[0]["rows"], counts[0]["rejected"]) == (report.rows, report.rejected)


def leftovers(url: str) -> list[str]:
    """Tables of loads that did not come to their end."""
    with contextlib.closing(psycopg.connect(url)) as conn:
        found = conn.execute("SELECT relname FROM pg_class WHERE relname ~ '__new' OR relname = 'stage' ORDER BY 1")
        return [name for (name,) in found.fetchall()]
