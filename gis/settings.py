"""What an installation may set: environment variables that begin with ONEMAP_, each with a default that works."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gis.errors import SetupError

CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds the packages."""


def _home() -> Path:
    """Beside the packages in a checkout; in the user's own folder where the packages were installed elsewhere."""
    return CHECKOUT / ".onemap" if (CHECKOUT / "setup.cfg").exists() else Path.home() / ".onemap"


class Settings(BaseSettings):
    """One installation's settings.

    An empty variable counts as one that is not set, so that `ONEMAP_DATABASE_URL= make test` means the embedded server.
    Raises SetupError that names the variable whose value does not fit.
    """

    model_config = SettingsConfigDict(env_prefix="ONEMAP_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = Field(default=None, description="libpq URL of a server to use; none: the embedded one")
    home: Path = Field(default_factory=_home, description="folder of the embedded server, logs and pid files")
    rasters: Path | None = Field(default=None, description="folder of raster files; none: `rasters` in the home folder")
    host: str = Field(default="127.0.0.1", description="address that the web server listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="port that the web server listens on")
    max_upload_mb: int = Field(default=512, ge=1, description="largest file that departments may hand over by HTTP, MB")
    tile_cache_mb: int = Field(default=256, ge=0, description="memory for tiles that were made, MB")
    max_waiting: int = Field(
        default=256, ge=1, description="questions that may wait for a database connection; others are turned away"
    )
    log: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severity that is logged"
    )
    log_form: Literal["auto", "json", "plain"] = Field(
        default="auto", description="how log lines are written; auto: plain on a terminal, JSON elsewhere"
    )
    log_requests: Literal["none", "some", "all"] = Field(
        default="some", description="which requests are logged; some: all but tiles that were at hand"
    )
    slow_ms: float = Field(default=1000, ge=0, description="requests that take longer are logged with what was asked")
    metrics_key: SecretStr | None = Field(
        default=None, description="key with which /metrics is read from elsewhere; none: from this machine alone"
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = f"ONEMAP_{str(first['loc'][0]).upper()}"
            raise SetupError(
                f"{name} cannot be {first['input']!r}: {first['msg']}",
                f"{name} 的值 {first['input']!r} 无效：{first['msg']}",
                subject=name,
            ) from None
