"""`onemap db`: the database that the platform runs on, its own or an outside one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands import Json, answer, progress, told
from gis.errors import Conflict
from gis.settings import Settings

app = typer.Typer(no_args_is_help=True, help=told("The database: start, stop, back up.", "数据库：启动、停止、备份。"))

BackupFile = Annotated[Path, typer.Argument(help=told("The backup file.", "备份文件。"))]


@app.command(help=told("Start the database, making it first if it is not there.", "启动数据库；尚不存在时先创建。"))
def start(as_json: Json = False) -> None:
    """Start the embedded server, or check the outside one."""
    from gis.store.cluster import ensure_database
    from gis.store.cluster_server import without_password

    shown = without_password(ensure_database(Settings()))
    answer(
        {"running": True, "url": shown},
        told(f"The database answers at {shown}", f"数据库已就绪：{shown}"),
        as_json=as_json,
    )


@app.command(help=told("Stop the embedded database.", "停止内置数据库。"))
def stop(as_json: Json = False) -> None:
    """Stop the embedded server; an outside one is left alone."""
    from gis.store.cluster import Cluster

    settings = Settings()
    if settings.database_url:
        raise Conflict(
            "The database is an outside server (ONEMAP_DATABASE_URL), which is not ours to stop: stop it where it runs",
            "当前使用外部数据库（ONEMAP_DATABASE_URL），不由本程序停止：请在其所在的服务器上操作",
            subject="ONEMAP_DATABASE_URL",
        )
    stopped = Cluster.at(settings.home).stop()
    sentence = (
        told("The database has stopped", "数据库已停止") if stopped else told("It was not running", "数据库未在运行")
    )
    answer({"running": False, "stopped": stopped}, sentence, as_json=as_json)


@app.command(help=told("Say whether the database runs, where, and what it is.", "显示数据库是否运行、位置与版本。"))
def status(as_json: Json = False) -> None:
    """Facts about the server; nothing is started."""
    from gis.store.cluster import Cluster
    from gis.store.cluster_server import as_url, server_facts, without_password

    settings = Settings()
    facts: dict[str, Any] = {"embedded": settings.database_url is None}
    if settings.database_url:
        url = as_url(settings.database_url)
        facts |= {"running": True, "url": without_password(url), **server_facts(url)}
    else:
        cluster = Cluster.at(settings.home)
        facts |= {
            "running": cluster.pid is not None,
            "pid": cluster.pid,
            "data": str(cluster.data),
            "log": str(cluster.log),
        }
        if cluster.pid is not None:
            facts |= {"url": cluster.url(), "port": cluster.port, **server_facts(cluster.url())}
    answer(facts, "\n".join(f"{key:>14}  {value}" for key, value in facts.items()), as_json=as_json)


@app.command(
    help=told("Print the database's URL, for psql, QGIS and other programs.", "输出数据库地址，供 psql、QGIS 等使用。")
)
def url(
    tcp: Annotated[
        bool, typer.Option("--tcp", help=told("Over the port, with the password.", "经端口连接，含口令。"))
    ] = False,
    as_json: Json = False,
) -> None:
    """The URL alone on standard output, so that `psql $(onemap db url)` works; the server is started if need be."""
    from gis.store.cluster import Cluster, ensure_database

    settings = Settings()
    found = ensure_database(settings)
    if tcp and not settings.database_url:
        found = Cluster.at(settings.home).url(tcp=True)
    answer({"url": found}, found, as_json=as_json)


@app.command(help=told("Bring the tables to this program's version.", "将数据表升级到当前程序的版本。"))
def migrate(as_json: Json = False) -> None:
    """Start the database if need be and apply the migrations that are missing."""
    from gis.store.cluster import ensure_database

    applied = _bring_up_to_date(ensure_database(Settings()))
    done = told(f"{len(applied)} migrations applied", f"已执行 {len(applied)} 个迁移")
    answer({"applied": applied}, done if applied else told("Nothing to migrate", "无需迁移"), as_json=as_json)


@app.command(help=told("Write the whole database to one file.", "将整个数据库备份到一个文件。"))
def backup(file: BackupFile, as_json: Json = False) -> None:
    """Take a backup while everyone works; the file appears when it is complete."""
    from gis.store.backup import backup as write
    from gis.store.cluster import ensure_database
    from gis.tracing import trace_act

    database = ensure_database(Settings())
    _bring_up_to_date(database)
    # a backup is an export of everything; the entry stands in it
    trace_act(database, "backed_up", detail={"file": file.name})
    with progress(told("Backing up", "正在备份"), as_json=as_json) as step:
        size = write(database, file, step)
    done = told(f"Backed up to {file} ({size / 1e6:.1f} MB)", f"已备份到 {file}（{size / 1e6:.1f} MB）")
    answer({"file": str(file), "bytes": size}, done, as_json=as_json)


@app.command(help=told("Bring the database back from a backup file.", "从备份文件恢复数据库。"))
def restore(
    file: BackupFile,
    replace: Annotated[
        bool, typer.Option("--replace", help=told("Put it in the place of what is there.", "替换现有数据。"))
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore all or nothing: what is there stays until the backup is complete beside it."""
    from gis.store.backup import restore as bring_back
    from gis.store.cluster import ensure_database
    from gis.tracing import trace_restored

    database = ensure_database(Settings())
    with progress(told("Restoring", "正在恢复"), as_json=as_json) as step:
        bring_back(database, file, step, replace=replace, finish=_bring_up_to_date)
    trace_restored(database)
    answer({"file": str(file), "restored": True}, told(f"Restored from {file}", f"已从 {file} 恢复"), as_json=as_json)


@app.command(help=told("Delete the embedded database and everything in it.", "删除内置数据库及其全部数据。"))
def remove(
    yes: Annotated[bool, typer.Option("--yes", help=told("Yes, delete it.", "确认删除。"))] = False,
    as_json: Json = False,
) -> None:
    """Stop and delete the embedded server, for good; an outside one is left alone."""
    from gis.store.cluster import Cluster

    cluster = Cluster.at(Settings().home)
    if cluster.made and not yes:
        raise Conflict(
            f"This deletes the database in {cluster.data} for good: add --yes",
            f"这将永久删除 {cluster.data} 中的数据库：确认请加 --yes",
            subject=str(cluster.data),
        )
    made = cluster.made
    cluster.remove()
    sentence = told("The database is deleted", "数据库已删除") if made else told("There was no database", "没有数据库")
    answer({"removed": made}, sentence, as_json=as_json)


def _bring_up_to_date(database: str) -> list[str]:
    from gis.catalog import registered_layers
    from gis.store.migrate import migrate as apply

    return apply(database, registered_layers())
