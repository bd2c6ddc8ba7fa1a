"""Which language a caller reads: `lang` in the address, else Accept-Language, else Chinese."""

from urllib.parse import parse_qs

from starlette.types import Scope

from gis.text import Language

_DEFAULT: Language = "zh"


def language_of(scope: Scope) -> Language:
    """The language of a request's answer."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[-1]
    if asked in ("zh", "en"):
        return "en" if asked == "en" else "zh"
    for name, value in scope.get("headers", ()):
        if name == b"accept-language":
            return _preferred(value.decode("latin-1"))
    return _DEFAULT


def _preferred(accepted: str) -> Language:
    """The better liked of the two languages that there are (RFC 9110, 12.5.4)."""
    best: tuple[float, Language] = (0.0, _DEFAULT)
    for part in accepted.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        language = _known(tag.strip().lower())
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language and weight > best[0]:
            best = (weight, language)
    return best[1]


def _known(tag: str) -> Language | None:
    primary = tag.partition("-")[0]
    return "zh" if primary in ("zh", "*") else "en" if primary == "en" else None
