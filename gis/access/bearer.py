"""Bearer tokens of a provider (RFC 9068, RFC 8725): checked in full, and turned into an identity by declared claims."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from gis.access.identity import Identity
from gis.access.provider import Provider
from gis.access.roles import INSIDE
from gis.codes.division import Division
from gis.errors import BadInput, Forbidden, NotSignedIn, SetupError

#: Signatures that need the provider's private key; nothing that a public key could forge (RFC 8725, 2.1), no `none`.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
#: Clocks may differ by so much.
LEEWAY_S = 30
_TYPES = ("jwt", "at+jwt", "application/at+jwt")
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Claims:
    """Which claims say what: a dot goes into an object (`realm_access.roles`).

    `roles` are the provider's words for our roles; the three administrators have accounts of this site alone, since it
    is the site's tables that keep them apart.
    """

    roles: Mapping[str, str]
    role: str = "roles"
    name: str = "preferred_username"
    divisions: str = "divisions"
    department: str = "department"

    def __post_init__(self) -> None:
        """Raises SetupError for a role that a token cannot bring."""
        for word, role in self.roles.items():
            if role not in INSIDE:
                raise SetupError(
                    f"ONEMAP_OIDC_ROLES gives {word!r} the role {role!r}; it can give {', '.join(INSIDE)}",
                    f"ONEMAP_OIDC_ROLES 将 {word!r} 映射为角色 {role!r};可用:{'、'.join(INSIDE)}",
                    subject="ONEMAP_OIDC_ROLES",
                )


@dataclass(slots=True)
class BearerTokens:
    """The tokens of one provider that are meant for us: `audience` is who we are to it."""

    provider: Provider
    audience: str
    claims: Claims
    clock: Callable[[], float] = time.time
    _registry: jwt.JWTClaimsRegistry = field(init=False)

    def __post_init__(self) -> None:
        """What every token must say."""
        self._registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self.clock()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": self.audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def identity(self, token: str) -> tuple[Identity, float]:
        """Whose token it is, and how many seconds it lasts.

        Raises NotSignedIn for a token that is not good, without a word on why; Forbidden for somebody without a role
        here; Unavailable.
        """
        claims = self.checked(token)
        return self.identity_of(claims), float(claims["exp"]) - self.clock()

    def checked(self, token: str) -> dict[str, Any]:
        """The claims of a token that is good. Raises NotSignedIn, Unavailable."""
        try:
            header = extract_compact(token.encode()).headers()
            kid = header.get("kid")
            if header.get("alg") not in ALGORITHMS or str(header.get("typ", "JWT")).lower() not in _TYPES:
                raise _bad()
            keys = self.provider.keys(kid if isinstance(kid, str) else None)
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            self._registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise _bad() from None
        return claims

    def identity_of(self, claims: Mapping[str, Any]) -> Identity:
        """Whom the claims of a good token are about. Raises Forbidden for somebody without a role here."""
        role = self._role(claims)
        divisions, department = _claim(claims, self.claims.divisions), _words(_claim(claims, self.claims.department))
        # the subject is unique, a name may be taken by another tomorrow
        name, subject = _words(_claim(claims, self.claims.name)), _words(claims["sub"])
        return Identity(f"{name} ({subject})" if name else subject, role, _ranges(divisions), department or None)

    def _role(self, claims: Mapping[str, Any]) -> str:
        said = _claim(claims, self.claims.role)
        words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        found = {self.claims.roles[word] for word in words if isinstance(word, str) and word in self.claims.roles}
        if len(found) != 1:
            raise Forbidden(
                f"the provider gives you {'no role' if not found else 'more than one role'} here; there must be one",
                "身份提供方授予您的角色数不为一,须恰好有一个角色",
                subject=self.claims.role,
            )
        return found.pop()


def _words(said: Any) -> str:
    """A claim that is a text, on one line and not without end; empty for anything else."""
    text = said if isinstance(said, str) else ""
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST_NAME]).strip()


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _ranges(said: Any) -> tuple[tuple[int, int], ...] | None:
    """Codes of 2 to 12 digits as ranges; `*` is everywhere, and nothing at all is nowhere. Raises Forbidden."""
    if said == "*":
        return None
    words = said.split(",") if isinstance(said, str) else said if isinstance(said, list) else []
    try:
        return tuple(Division.parse(str(word).strip()).range_ for word in words if str(word).strip())
    except BadInput as error:
        raise Forbidden(
            f"the provider gives you a division that there is not: {error.text.en}",
            f"身份提供方授予的区划无效:{error.text.zh}",
            subject="divisions",
        ) from None


def _bad() -> NotSignedIn:
    return NotSignedIn(
        "this token is not valid: it is expired, of another provider, or not for this site",
        "令牌无效、已过期或不适用于本站",
        subject="authorization",
    )
