"""What an installation may set: environment variables that begin with ONEMAP_, each with a default that works."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gis.errors import SetupError

CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds the packages."""


def _home() -> Path:
    """Beside the packages in a checkout; in the user's own folder where the packages were installed elsewhere."""
    return CHECKOUT / ".onemap" if (CHECKOUT / "setup.cfg").exists() else Path.home() / ".onemap"


def _cores() -> int:
    """As many as may run at once, save on large machines, where the database wants most of them."""
    return min(len(os.sched_getaffinity(0)), 4)


class Settings(BaseSettings):
    """One installation's settings.

    What is secret may stand in a file instead, named by a variable of the same name that ends in _FILE: a file can be
    kept from others' eyes, and is not handed on to every process that is started.

    An empty variable counts as one that is not set, so that `ONEMAP_DATABASE_URL= make test` means the embedded server.
    Raises SetupError that names the variable whose value does not fit.
    """

    model_config = SettingsConfigDict(env_prefix="ONEMAP_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = Field(default=None, description="libpq URL of a server to use; none: the embedded one")
    reader_url: str | None = Field(
        default=None, description="libpq URL of a role that may only read, where the server may not make one of its own"
    )
    home: Path = Field(default_factory=_home, description="folder of the embedded server, logs and pid files")
    rasters: Path | None = Field(default=None, description="folder of raster files; none: `rasters` in the home folder")
    host: str = Field(default="127.0.0.1", description="address that the web server listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="port that the web server listens on")
    processes: int = Field(
        default_factory=_cores,
        ge=1,
        description="server processes that answer at the port; none said: one a core, at most four",
    )
    max_upload_mb: int = Field(default=512, ge=1, description="largest file that departments may hand over by HTTP, MB")
    reading_memory_mb: int = Field(
        default=3072, ge=512, description="memory that reading one file handed over by HTTP may take, MB"
    )
    reading_cpu_s: int = Field(
        default=1800, ge=1, description="processor time that reading one file handed over by HTTP may take, s"
    )
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
    proxies: str = Field(
        default="", description="addresses and networks of the proxies in front, with commas; only they are believed"
    )
    origins: str = Field(
        default="",
        description="origins whose pages may read answers, with commas; * opens what anyone may read; none: closed",
    )
    requests_per_s_address: float = Field(
        default=50, ge=0, description="questions that one address may ask, a second, for 20 s on end; 0: no limit"
    )
    requests_per_s_account: float = Field(
        default=200, ge=0, description="questions that one account or key may ask, a second; 0: no limit"
    )
    session_idle_min: int = Field(default=30, ge=1, description="minutes without a request after which a session ends")
    session_longest_h: int = Field(default=12, ge=1, description="hours after which a session ends at the latest")
    password_days: int = Field(default=90, ge=1, description="days after which an account chooses another password")
    password_history: int = Field(
        default=5, ge=0, le=24, description="passwords before the present one that may not be chosen again"
    )
    oidc_issuer: str = Field(
        default="", description="address of the provider of identities (OpenID Connect); none: off"
    )
    oidc_audience: str = Field(default="", description="who this site is in that provider's tokens (their claim aud)")
    oidc_roles: str = Field(
        default="", description="the provider's words for our roles: analysts=analyst,officers=duty"
    )
    oidc_role_claim: str = Field(default="roles", description="claim that holds them; realm_access.roles goes inside")
    oidc_name_claim: str = Field(default="preferred_username", description="claim with the person's name for the trace")
    oidc_divisions_claim: str = Field(default="divisions", description="claim with division codes; * is everywhere")
    oidc_department_claim: str = Field(default="department", description="claim with the department's code")
    oidc_client: str = Field(
        default="", description="client under which people sign in to the web map at that provider; none: they cannot"
    )
    oidc_client_secret: SecretStr | None = Field(default=None, description="its secret; none: a public client")
    oidc_scope: str = Field(default="openid profile", description="scopes that are asked for it, with spaces")
    metrics_key: SecretStr | None = Field(
        default=None, description="key with which /metrics is read from elsewhere; none: from this machine alone"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the program itself says comes first, then variables, then the files that variables name."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _Files(settings_cls)

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


class _Files(PydanticBaseSettingsSource):
    """Values of settings that variables ending in _FILE point to. Raises SetupError where one cannot be read."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of the setting's file, None where no variable names one."""
        del field
        name = f"ONEMAP_{field_name.upper()}"
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "UTF-8"
            raise SetupError(
                f"{name}_FILE names {path}, which cannot be read: {why}",
                f"{name}_FILE 所指文件 {path} 无法读取:{why}",
                subject=f"{name}_FILE",
            ) from None

    def __call__(self) -> dict[str, Any]:
        """Each setting that a file holds."""
        found = {name: self.get_field_value(info, name)[0] for name, info in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value}
