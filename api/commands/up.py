"""`onemap up`, `serve` and `stop`: the platform as a whole."""

import sys
from typing import Annotated

import typer

from api.commands import Json, answer, told
from gis.settings import Settings

Host = Annotated[str | None, typer.Option(help=told("Address to listen on.", "监听地址。"))]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help=told("Port to listen on.", "监听端口。"))]
Behind = Annotated[bool, typer.Option("--daemon", help=told("Return when it serves.", "就绪后返回，在后台运行。"))]
Again = Annotated[bool, typer.Option("--restart", help=told("End one that runs first.", "先结束已在运行的服务。"))]


def register(cli: typer.Typer) -> None:
    """Bring the commands in at the top level."""
    cli.command(help=told("Start the database and bring its tables up to date.", "启动数据库并升级数据表。"))(up)
    cli.command(help=told("Start everything and serve the map.", "启动全部并提供地图服务。"))(serve)
    cli.command(help=told("Stop the web server and the database.", "停止服务与数据库。"))(stop)


def up(as_json: Json = False) -> None:
    """Start the database, making it first if it is not there, and migrate."""
    from gis.store.cluster_server import without_password

    database, applied = _bring_up(Settings())
    shown = without_password(database)
    sentence = told(
        f"The database answers at {shown}; {len(applied)} migrations applied",
        f"数据库已就绪：{shown}；已执行 {len(applied)} 个迁移",
    )
    answer({"url": shown, "applied": applied}, sentence, as_json=as_json)


def serve(
    host: Host = None, port: Port = None, daemon: Behind = False, restart: Again = False, as_json: Json = False
) -> None:
    """Everything that `up` does, then the web server: in the foreground, or with --daemon behind."""
    from api.clerk_key import clerk_key
    from api.serving import WebServer

    settings = Settings()
    settings = settings.model_copy(update={"host": host or settings.host, "port": port or settings.port})
    server = WebServer(settings)
    if restart:
        server.stop()
    elif daemon and (found := server.running()):
        _tell(settings, found[1], found[0], as_json=as_json)
        return
    server.check_port()
    database, _ = _bring_up(settings)
    clerk_key(settings.home, database)
    if not daemon:
        _tell(settings, server.url, None, as_json=as_json)
        server.run()
        return
    server.run_behind()
    found = server.running()
    _tell(settings, server.url, found[0] if found else None, as_json=as_json)


def stop(as_json: Json = False) -> None:
    """End the web server, then the embedded database; an outside database is left alone."""
    from api.serving import WebServer
    from gis.store.cluster import Cluster

    settings = Settings()
    facts = {
        "web": WebServer(settings).stop(),
        "database": not settings.database_url and Cluster.at(settings.home).stop(),
    }
    sentence = told("Stopped", "已停止") if any(facts.values()) else told("Nothing was running", "没有正在运行的服务")
    answer({"stopped": facts}, sentence, as_json=as_json)


def _tell(settings: Settings, url: str, pid: int | None, *, as_json: bool) -> None:
    """Where everything is, and how a clerk signs in."""
    from api.clerk_key import clerk_key_file

    path = clerk_key_file(settings.home)
    sentence = told(f"The map is at {url}/map, the API at {url}/", f"地图：{url}/map　接口：{url}/")
    if path.is_file():
        # behind the # it is neither sent nor logged; where this output is a log itself, the file is named instead
        open_page = f"{url}/exchange#key={path.read_text('utf-8').strip()}" if pid or sys.stdout.isatty() else ""
        where = open_page or told(f"{url}/exchange with the key in {path}", f"{url}/exchange，密钥见 {path}")
        sentence += told(f"\nClerks sign in at {where}", f"\n部门交换：{where}")
    answer({"url": url, "pid": pid, "clerk_key_file": str(path)}, sentence, as_json=as_json)


def _bring_up(settings: Settings) -> tuple[str, list[str]]:
    from gis.catalog import registered_layers
    from gis.store.cluster import ensure_database
    from gis.store.migrate import migrate

    database = ensure_database(settings)
    return database, migrate(database, registered_layers())
