"""What departments do with their data has one word wherever somebody reads it: 报送."""

from collections.abc import Iterator
from pathlib import Path

from gis.settings import CHECKOUT

READ = ("api/**/*.py", "api/web/src/**/*", "gis/**/*.py", "layers/**/*.py", "notebooks/*.ipynb", "*.md")
OTHER_WORDS = ("交付", "汇交")


def files() -> Iterator[Path]:
    for pattern in READ:
        yield from (path for path in CHECKOUT.glob(pattern) if path.suffix in {".py", ".ts", ".vue", ".ipynb", ".md"})


def test_a_delivery_is_called_by_one_word() -> None:
    read = {path: path.read_text(encoding="utf-8") for path in files()}
    assert any("报送" in text for text in read.values())
    found = [
        f"{path.relative_to(CHECKOUT)}: {word}" for path, text in read.items() for word in OTHER_WORDS if word in text
    ]
    assert not found
