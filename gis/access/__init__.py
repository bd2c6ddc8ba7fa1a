"""Who may see what: identities, and the rules that every plan carries."""

from gis.access.identity import OWNER, PUBLIC, Identity
from gis.access.rules import Rules, check_reader, may_see, rules_for
from gis.access.seen import rules_in, seen, seen_in

__all__ = [
    "OWNER",
    "PUBLIC",
    "Identity",
    "Rules",
    "check_reader",
    "may_see",
    "rules_for",
    "rules_in",
    "seen",
    "seen_in",
]
