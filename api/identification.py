"""By what callers are known at this installation, as its settings say."""

from datetime import timedelta

from api.credentials import Credentials
from api.doorway import Doorway
from gis.access.bearer import BearerTokens, Claims
from gis.access.code_flow import CodeFlow
from gis.access.provider import Provider
from gis.errors import SetupError
from gis.settings import Settings
from gis.store.database import Database
from gis.store.sessions import Lifetime
from gis.store.sign_in import SignIn


def doorway_of(url: str, settings: Settings) -> Doorway:
    """Where callers of the city at a database URL come in. Raises SetupError for settings that do not go together."""
    database, lifetime = Database(url, size=3), lifetime_of(settings)
    door = SignIn(database, lifetime, timedelta(days=settings.password_days), settings.password_history)
    bearers = bearers_of(settings)
    return Doorway(door, Credentials(database, lifetime, bearers), code_flow_of(settings, bearers))


def lifetime_of(settings: Settings) -> Lifetime:
    """How long sessions last."""
    return Lifetime(timedelta(minutes=settings.session_idle_min), timedelta(hours=settings.session_longest_h))


def bearers_of(settings: Settings) -> BearerTokens | None:
    """What reads the tokens of the provider of identities, if the settings name one. Raises SetupError."""
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_audience:
        raise SetupError(
            "ONEMAP_OIDC_ISSUER needs ONEMAP_OIDC_AUDIENCE: else tokens that are meant for others would do here",
            "设置 ONEMAP_OIDC_ISSUER 时须同时设置 ONEMAP_OIDC_AUDIENCE,以免接受发给其他系统的令牌",
            subject="ONEMAP_OIDC_AUDIENCE",
        )
    claims = Claims(
        _roles(settings.oidc_roles), settings.oidc_role_claim, settings.oidc_name_claim,
        settings.oidc_divisions_claim, settings.oidc_department_claim,
    )  # fmt: skip
    return BearerTokens(Provider(settings.oidc_issuer), settings.oidc_audience, claims)


def code_flow_of(settings: Settings, bearers: BearerTokens | None) -> CodeFlow | None:
    """How people sign in at that provider, if the settings name our client there. Raises SetupError."""
    if not settings.oidc_client:
        return None
    if bearers is None:
        raise SetupError(
            "ONEMAP_OIDC_CLIENT needs ONEMAP_OIDC_ISSUER: the provider at which it is a client",
            "设置 ONEMAP_OIDC_CLIENT 时须同时设置 ONEMAP_OIDC_ISSUER(身份提供方地址)",
            subject="ONEMAP_OIDC_ISSUER",
        )
    # an id token is for the client alone, whoever other tokens are for
    tokens, secret = BearerTokens(bearers.provider, settings.oidc_client, bearers.claims), settings.oidc_client_secret
    return CodeFlow(tokens, secret.get_secret_value() if secret else None, settings.oidc_scope)


def _roles(text: str) -> dict[str, str]:
    """Pairs `word=role` with commas. Raises SetupError naming what is no pair."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        word, separator, role = pair.rpartition("=")
        if not separator or not word.strip():
            raise SetupError(
                f"ONEMAP_OIDC_ROLES: {pair!r} is no pair; write analysts=analyst,officers=duty",
                f"ONEMAP_OIDC_ROLES:{pair!r} 格式有误;请写作 analysts=analyst,officers=duty",
                subject="ONEMAP_OIDC_ROLES",
            )
        found[word.strip()] = role.strip()
    return found
