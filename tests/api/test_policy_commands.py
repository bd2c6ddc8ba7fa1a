"""`onemap policy`, `emergency` and `explain-access`, and a running server that takes adjusted policies up."""

import json
import time
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from api import catalogue_watch
from api.app import create_app
from gis.catalog import Catalogue
from gis.store import policies
from gis.store.database import Database
from layers import LAYERS
from tests.api.conftest import served
from tests.commands import onemap

NARROW = {"grants": [{"roles": ["public"], "hidden": ["telephone"], "masked": {"name": "closed"}}]}


def ask(url: str, *words: str) -> CompletedProcess[str]:
    return onemap(*words, ONEMAP_DATABASE_URL=url, ONEMAP_LANG="en")


def as_json(url: str, *words: str) -> Any:
    done = ask(url, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_policy_is_shown_set_and_reset(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(NARROW))
    declared = as_json(database_url, "policy", "show", "base.pois")
    made = as_json(database_url, "policy", "set", "base.pois", str(file), "--why", "complaints", "--by", "li")
    assert (made["document"], made["changed_by"], made["why"]) == (NARROW, "li", "complaints")
    shown = as_json(database_url, "policy", "show", "base.pois", "--changes")
    assert shown["policy"]["grants"][0]["hidden"] == ["telephone"] and len(shown["changes"]) == 1
    explained = ask(database_url, "explain-access", "li", "base.pois", "--role", "public")
    assert "Not told at all: telephone." in explained.stdout and "by grant 1 of its policy" in explained.stdout
    assert as_json(database_url, "policy", "reset", "base.pois", "--why", "settled")["document"] is None
    assert as_json(database_url, "policy", "show", "base.pois") == declared
    file.write_text(json.dumps({"grants": [{"roles": ["boss"]}]}))
    refused = ask(database_url, "policy", "set", "base.pois", str(file), "--why", "x")
    assert refused.returncode != 0 and "grants[0].roles" in refused.stderr
    file.write_text("{")
    assert "is no JSON" in ask(database_url, "policy", "set", "base.pois", str(file), "--why", "x").stderr


def test_an_emergency_is_declared_listed_and_ended_and_explains_rights(database_url: str) -> None:
    made = as_json(
        database_url, "emergency", "declare", "flood", "--division", "341503", "--why", "rain", "--hours", "2"
    )
    assert made["divisions"] == ["341503000000"]
    words = ("explain-access", "chief", "base.persons", "--role", "command", "--purpose", "rescue")
    assert "341503000000–341503999999" in ask(database_url, *words).stdout
    assert "in force" in ask(database_url, "emergency", "list").stdout
    assert as_json(database_url, "emergency", "end", str(made["id"]))["ended_by"] == "owner"
    assert "Counts alone" in ask(database_url, *words).stdout
    assert ask(database_url, "explain-access", "x", "base.persons", "--role", "boss").returncode != 0


def test_a_server_takes_a_policy_up_and_keeps_nothing_of_the_one_before(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogue_watch, "EVERY_S", 0.01)
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    database, catalogue = Database(database_url), Catalogue(LAYERS)
    place = "/collections/base.pois"
    with database.connection() as conn:
        conn.execute(
            "INSERT INTO base.pois (fid, rec_from, digest, load, code, name, telephone, geom, geom_3857, valid_from)"
            " SELECT 1, 1, 0, 1, 'a', 'a name', '13812348000', p, ST_Transform(p, 3857), '2020-01-01' FROM"
            " (SELECT ST_SetSRID(ST_MakePoint(116.5, 31.7), 4326) AS p) x"
        )
    with served(create_app(database_url, catalogue)) as request:
        before = request(f"{place}/items")
        assert before.json()["features"][0]["properties"]["telephone"] == "13812348000"
        with database.connection() as conn:
            policies.put(conn, catalogue["base.pois"], NARROW, "li", "complaints")
        last = time.monotonic() + 60
        while "telephone" in request(f"{place}/schema").json()["properties"] and time.monotonic() < last:
            time.sleep(0.02)
        after = request(f"{place}/items", headers={"if-none-match": before.headers["etag"]})
        assert after.status_code == 200
        properties = after.json()["features"][0]["properties"]
        assert "telephone" not in properties and properties["name"] == "a****e"
        assert request(f"{place}/items?telephone=1").status_code == 400
        item = request(f"{place}/items/1").json()["properties"]
        assert item["name"] == "a****e" and "telephone" not in item
    database.close()
