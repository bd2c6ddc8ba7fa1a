"""Secrets come from the environment or from files, are told to nobody, and none is there from the start."""

import re
import stat
import subprocess
from pathlib import Path

import pytest

from gis.errors import SetupError
from gis.settings import CHECKOUT, Settings
from tests.served import serving

SECRET = "Sagt-es-niemand-4711"

#: Words that installations elsewhere have for a password from the start.
_USUAL = ("changeme", "password123", "admin123", "postgres:postgres", "secret123", "letmein")
#: Something is called a secret and is given a text of its own.
_GIVEN = re.compile(r"""(?i)\b(password|passwd|secret|token|api_?key)\b\s*[:=]\s*f?["'](?!["'{<$*%])[^"'\s]{4,}["']""")


def _sources() -> list[Path]:
    found = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    kinds = (".py", ".sh", ".cfg", ".toml", ".conf", ".yml", ".yaml", ".json", ".sql", ".ts", ".vue", ".html")
    names = [name for name in found.splitlines() if name.endswith(kinds) or name in ("Makefile", ".ci/run")]
    return [CHECKOUT / name for name in names if not name.startswith(("tests/", "data-samples/", "api/web/package"))]


def test_no_password_is_there_from_the_start() -> None:
    read = 0
    for path in _sources():
        # tests that lie beside what they test, and words of the web map, are no settings
        # nor is the list of passwords that nobody may have
        if "tests" in path.parts or "words" in path.parts or path.name == "passwords.py":
            continue
        text = path.read_text("utf-8")
        read += 1
        assert not [word for word in _USUAL if word in text.lower()], path
        assert not _GIVEN.search(text), (path, _GIVEN.search(text))
    assert read > 300


def test_the_pattern_finds_what_it_is_for() -> None:
    for line in ('password = "hunter2"', "api_key: 'abcd1234'", 'PASSWORD="changeit"'):
        assert _GIVEN.search(line), line
    for line in ('password = ""', "token = f'{number}'", 'secret: str = Field(default="")', 'password = "<yours>"'):
        assert not _GIVEN.search(line), line


def test_no_setting_that_is_secret_has_a_default() -> None:
    for name in ("database_url", "metrics_key"):
        assert Settings.model_fields[name].default is None


def test_a_secret_is_read_from_the_file_that_a_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    monkeypatch.setenv("ONEMAP_METRICS_KEY_FILE", str(path))
    found = Settings().metrics_key
    assert found is not None and found.get_secret_value() == SECRET
    assert SECRET not in repr(Settings()) + str(Settings())
    monkeypatch.setenv("ONEMAP_METRICS_KEY", "another")
    nearer = Settings().metrics_key
    assert nearer is not None and nearer.get_secret_value() == "another"


def test_a_file_that_cannot_be_read_is_named_and_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SetupError, match="ONEMAP_DATABASE_URL_FILE"):
        Settings()


def test_no_process_and_no_log_tells_a_secret(database_url: str, tmp_path: Path) -> None:
    """A server whose secrets come from files, looked at from outside, while it works."""
    key, url, home = tmp_path / "key", tmp_path / "url", tmp_path / "home"
    home.mkdir()
    key.write_text(SECRET)
    url.write_text(database_url)
    more = {"ONEMAP_METRICS_KEY_FILE": str(key), "ONEMAP_DATABASE_URL_FILE": str(url), "ONEMAP_LOG": "debug",
            "ONEMAP_LOG_REQUESTS": "all"}  # fmt: skip
    with serving("", home, **more) as base:
        import httpx

        with httpx.Client(base_url=base, trust_env=False) as client:
            ours = {"authorization": f"Bearer {SECRET}"}
            assert client.get("/metrics", headers=ours).status_code == 200
            assert client.get("/health").json()
            client.get(f"/collections?{SECRET}=x", headers=ours)
            client.post("/sign-in", json={"name": "somebody", "password": SECRET})
        lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if _is_readable(p)]
        told = [line for line in lines if SECRET.encode() in line or database_url.encode() in line]
        assert not told
    logs = b"".join(path.read_bytes() for path in home.rglob("*.log"))
    assert logs and SECRET.encode() not in logs.replace(f"{SECRET}=x".encode(), b"")


def _is_readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def test_keys_that_are_made_are_for_their_owner_alone(tmp_path: Path) -> None:
    from gis.store.trace_key import trace_key

    trace_key(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) for path in files)
