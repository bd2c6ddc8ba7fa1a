"""`onemap demo`: the sample city, loaded from its files, and what its departments hand over."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands import Json, answer, progress, told
from api.commands.deliver import moment, tell
from api.commands.demo_accounts import one_time_sign_ins
from api.commands.demo_accounts import sentence as sign_in_lines
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
    """Load every file of the manifest, then hand over every delivery, in order; what is in already changes nothing."""
    from gis.city import City
    from gis.exchange.scorecard import publish

    manifest, deliveries = _manifest(folder), _listed(folder / "deliveries.json", "deliveries")
    with City.open() as city:
        missing = [e for e in manifest if not city.has_loaded(folder / e["file"], e["collection"])]
        reports = [_load(city, folder / entry["file"], entry, as_json) for entry in missing]
        _apply_directory(city, folder / "directory.json")
        resumed = _resume(city, as_json)
        waiting = [e for e in deliveries if not _is_handed_over(city, folder / e["file"], e)]
        delivered = resumed + [_deliver(city, folder / entry["file"], entry, as_json) for entry in waiting]
        if delivered:
            publish(city.database, city.catalogue)
        sign_ins = one_time_sign_ins(city)
    files, handed = len(manifest), len(deliveries)
    sentence = told(
        f"The sample city is in: {len(reports)} of {files} files loaded now,"
        f" {len(delivered)} of {handed} deliveries handed over now",
        f"示例城市已就绪:共 {files} 个文件,本次加载 {len(reports)} 个;"
        f"共 {handed} 批部门数据,本次报送 {len(delivered)} 批",
    )
    facts = {"loads": reports, "files": files, "handed_over": delivered, "deliveries": handed}
    answer({**facts, "sign_ins": sign_ins}, f"{sentence}\n{sign_in_lines(sign_ins)}", as_json=as_json)


def _resume(city: "City", as_json: bool) -> list[dict[str, Any]]:
    """Deliveries of an earlier run that was broken off."""
    from gis.exchange.delivery import work_pending

    found = list(work_pending(city.database, city.catalogue))
    for done in found if not as_json else ():
        tell(done, as_json=False)
    return [done.as_dict() for done in found]


def _apply_directory(city: "City", path: Path) -> None:
    """The city's information directory, where the folder has one; the same again changes nothing."""
    from gis.exchange.directory import apply

    if path.is_file():
        apply(city.database, city.catalogue, path)


def _is_handed_over(city: "City", path: Path, entry: dict[str, Any]) -> bool:
    return city.has_delivered(entry["register"], path, department=entry["department"], edition=_edition(entry))


def _deliver(city: "City", path: Path, entry: dict[str, Any], as_json: bool) -> dict[str, Any]:
    with progress(path.name, as_json=as_json) as step:
        done = city.deliver(
            entry["register"], path, department=entry["department"], mode=entry["mode"], edition=_edition(entry),
            progress=steps_of(step, entry["register"]), received_by="demo",
        )  # fmt: skip
    if not as_json:
        tell(done, as_json=False)
    return done.as_dict()


def _edition(entry: dict[str, Any]) -> datetime:
    found = moment(entry["edition"])
    assert found is not None
    return found


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
    return [entry for entry in _listed(path, "files") if entry.get("collection")]


def _listed(path: Path, name: str) -> list[dict[str, Any]]:
    """The entries of a manifest; none where the folder has no such manifest."""
    if not path.is_file():
        return []
    listed = json.loads(path.read_text("utf-8"))
    entries: list[dict[str, Any]] = listed[name] if isinstance(listed, dict) else listed
    return entries
