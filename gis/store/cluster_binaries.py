"""Where PostgreSQL's programs are on this machine."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gis.errors import SetupError

OLDEST_MAJOR = 15
_DISTRIBUTIONS = ("/usr/lib/postgresql", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql@*", "/usr/local/pgsql")


@dataclass(frozen=True)
class Binaries:
    """One installed PostgreSQL: its major version and the folder of its programs."""

    major: int
    folder: Path

    def __getitem__(self, program: str) -> Path:
        return self.folder / program

    @property
    def has_postgis(self) -> bool:
        """Whether PostGIS can be created in this server's databases."""
        return (self._share() / "extension" / "postgis.control").exists()

    @property
    def has_lz4(self) -> bool:
        """Whether the server was built with LZ4, an option of it since version 14; said of it only where it is sure."""
        return b"liblz4" in (self.folder / "postgres").read_bytes()

    def _share(self) -> Path:
        config = self.folder / "pg_config"
        if config.exists():
            said = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=False).stdout.strip()
            if said:
                return Path(said)
        return Path(f"/usr/share/postgresql/{self.major}")


def installed() -> list[Binaries]:
    """Every complete PostgreSQL on this machine, newest first."""
    folders: list[Path] = []
    for pattern in _DISTRIBUTIONS:
        root = Path(pattern)
        for parent in root.parent.glob(root.name):
            folders += [parent / "bin", *parent.glob("*/bin")]
    for program in ("initdb", "pg_config"):
        if found := shutil.which(program):
            folders.append(Path(found).resolve().parent)
    complete = {
        folder for folder in folders if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres"))
    }
    found_all = [Binaries(_major(folder), folder) for folder in complete]
    return sorted(found_all, key=lambda one: (one.major, str(one.folder)), reverse=True)


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\d+)", said.partition(")")[2])
    return int(match.group(1)) if match else 0


def newest() -> Binaries:
    """The newest PostgreSQL that a new cluster can be made with. Raises SetupError when there is none with PostGIS."""
    fit = [one for one in installed() if one.major >= OLDEST_MAJOR]
    for one in fit:
        if one.has_postgis:
            return one
    if fit:
        raise SetupError(
            f"PostgreSQL {fit[0].major} is installed but PostGIS for it is not: "
            f"apt-get install postgresql-{fit[0].major}-postgis-3, or set ONEMAP_DATABASE_URL to a server that has it",
            f"已安装 PostgreSQL {fit[0].major}，但缺少对应的 PostGIS：请执行 "
            f"apt-get install postgresql-{fit[0].major}-postgis-3，或用 ONEMAP_DATABASE_URL 指定已有 PostGIS 的服务器",
            subject="postgis",
        )
    raise SetupError(
        f"PostgreSQL {OLDEST_MAJOR} or newer is not installed: run “make setup”, install PostgreSQL with PostGIS, "
        "or set ONEMAP_DATABASE_URL to a server",
        f"未安装 PostgreSQL {OLDEST_MAJOR} 或更高版本：请执行 make setup，或自行安装 PostgreSQL 与 PostGIS，"
        "或用 ONEMAP_DATABASE_URL 指定服务器",
        subject="postgresql",
    )


def of_major(major: int, data: Path) -> Binaries:
    """The programs that can read an existing cluster: exactly its own major version.

    A distribution that moves to a new PostgreSQL does not convert what an older one wrote. Raises SetupError with
    the way out; the data stays as it is.
    """
    found = installed()
    for one in found:
        if one.major == major:
            return one
    here = ", ".join(str(one.major) for one in found) or "none"
    raise SetupError(
        f"The database in {data} was written by PostgreSQL {major}, which is no longer installed (found: {here}). "
        f"Nothing is lost: install postgresql-{major} and postgresql-{major}-postgis-3 again, run “onemap db backup "
        f"city.dump”, stop, move {data.parent} away, and run “onemap db restore city.dump” under the new version",
        f"{data} 中的数据库由 PostgreSQL {major} 写成，而该版本已不在本机（现有：{here}）。数据没有丢失："
        f"请重新安装 postgresql-{major} 和 postgresql-{major}-postgis-3，执行 onemap db backup city.dump，"
        f"停止后移走 {data.parent}，再在新版本下执行 onemap db restore city.dump",
        subject=str(data),
    )
