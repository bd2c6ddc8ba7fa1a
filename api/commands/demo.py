"""`onemap demo`: the sample city, loaded from its files as a bureau would hand them over."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands import Json, answer, progress, told
from api.commands.load import account, show, steps_of
from gis.errors import SetupError
from gis.settings import CHECKOUT

if TYPE_CHECKING:
    from gis.city import City

_FILES = CHECKOUT / "data-samples" / "luan"
Folder = Annotated[
    Path, typer.Option("--from", help=told("Folder with a manifest.json.", "含 manifest.json 的文件夹。"))
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Load the sample city.", "加载示例城市。"))(demo)


def demo(folder: Folder = _FILES, as_json: Json = False) -> None:
    """Load every file of the manifest, in its order; files that are in already change nothing."""
    from gis.city import City

    manifest = _manifest(folder)
    with City.open() as city:
        missing = [e for e in manifest if not city.has_loaded(folder / e["file"], e["collection"])]
        reports = [_load(city, folder / entry["file"], entry, as_json) for entry in missing]
    files = len(manifest)
    sentence = told(
        f"The sample city is in: {len(reports)} of {files} files loaded now",
        f"示例城市已就绪:共 {files} 个文件,本次加载 {len(reports)} 个",
    )
    answer({"loads": reports, "files": files}, sentence, as_json=as_json)


def _load(city: "City", path: Path, entry: dict[str, Any], as_json: bool) -> dict[str, Any]:
    with progress(path.name, as_json=as_json) as step:
        report = city.load(
            path,
            entry["collection"],
            progress=steps_of(step, entry["collection"]),
            **_options(entry),
        )
    if not as_json:
        answer({}, account(report), as_json=False)
        show(report)
    return report.as_dict()


def _options(entry: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says of a file beyond its name, as load options."""
    from gis.exchange.readers.source import ReadOptions
    from gis.text import Text

    source = entry.get("source")
    return {
        "read": ReadOptions(layer=entry.get("layer"), crs=entry.get("crs")),
        "dataset": entry.get("dataset"),
        "licence": entry.get("licence"),
        "source": Text(**source) if source else None,
    }


def _manifest(folder: Path) -> list[dict[str, Any]]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise SetupError(
            f"{path} is not there; make the sample city with: python data-samples/generate.py",
            f"找不到 {path};请先运行 python data-samples/generate.py 生成示例城市",
            subject=str(path),
        )
    listed = json.loads(path.read_text("utf-8"))
    files = listed["files"] if isinstance(listed, dict) else listed
    return [entry for entry in files if entry.get("collection")]
