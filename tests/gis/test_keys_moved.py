"""Keys that departments were given before keys of all systems were kept together go on being theirs."""

import hashlib

import psycopg

from gis.access import keys
from gis.store.migrate import migrate
from layers import LAYERS

SECRET = "s" * 43


def test_old_keys_keep_their_numbers_and_open_the_same_door(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        # as the revision before had it
        conn.execute(
            "CREATE TABLE exchange.key (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, department text NOT NULL,"
            " digest bytea NOT NULL UNIQUE, created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz,"
            " revoked_at timestamptz)"
        )
        conn.execute(
            "INSERT INTO exchange.key (id, department, digest) OVERRIDING SYSTEM VALUE VALUES (41, 'police', %s)",
            (hashlib.sha256(SECRET.encode()).digest(),),
        )
        conn.execute("ALTER TABLE exchange.delivery DROP COLUMN traced_at")
        conn.execute("UPDATE exchange.version SET version_num = 'exchange_0007'")
    assert "exchange_0008" in migrate(database_url, LAYERS)
    with psycopg.connect(database_url, autocommit=True) as conn:
        found = keys.holder(conn, f"41-{SECRET}")
        assert (found.role, found.department, found.divisions, found.collections) == ("staff", "police", None, None)
        assert keys.add(conn, "police")[0].id == 42
