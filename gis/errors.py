"""What can go wrong, as one small family: each error names the input at fault and the way out, in two languages.

OneMapError
├── BadInput        a file or a row that cannot be taken
├── BadQuery        a question that cannot be asked
├── UnknownName     a collection, field or layer that is not declared
├── NotFound        a feature that is not there
├── Gone            a position in the log of changes that is too old
├── Forbidden       a question that the caller may not ask
├── NotSignedIn     a caller whose key is missing or not valid
├── Conflict        two things that cannot both be done
│   └── Stale       what was to be changed has changed since it was read
├── Unguarded       a change that does not say which state it changes
├── Unavailable     the database does not answer, or not in time
└── SetupError      something is missing on this machine
"""

from gis.text import Language, Text


class OneMapError(Exception):
    """An error with a sentence for its reader; `subject` is the input at fault (a path, a parameter, a name).

    `inside` is for those who run the server alone (an address, what another program said): it stands in `str()`, which
    logs and commands write, and never in `text`, which callers are told.
    """

    def __init__(self, en: str, zh: str, *, subject: str = "", inside: str = "") -> None:
        super().__init__(f"{en}: {inside}" if inside else en)
        self.text = Text(zh=zh, en=en)
        self.subject, self.inside = subject, inside

    def in_(self, language: Language) -> str:
        """The sentence in one language."""
        return self.text.in_(language)


class BadInput(OneMapError):
    """A file or a row that cannot be taken as it is."""


class BadQuery(OneMapError):
    """A question that cannot be asked; `subject` is the parameter."""


class UnknownName(BadQuery):
    """A name that no declaration holds."""


class NotFound(OneMapError):
    """Nothing is there under this id."""


class Gone(OneMapError):
    """It was here and is kept no longer; whoever goes on from it begins anew."""


class Forbidden(OneMapError):
    """The caller may not ask this."""


class NotSignedIn(OneMapError):
    """Nobody is known to be asking: the key is missing, wrong, expired or revoked."""


class Conflict(OneMapError):
    """It cannot be done while something else stands or runs."""


class Stale(Conflict):
    """What was to be changed is not any more as it was when the caller read it."""


class Unguarded(OneMapError):
    """A change that does not say which state of the thing it is meant for."""


class Unavailable(OneMapError):
    """The database does not answer, or not in time."""


class SetupError(OneMapError):
    """Something that the platform needs is missing on this machine."""
