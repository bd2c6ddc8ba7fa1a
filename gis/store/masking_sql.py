"""The rules of masking as functions in SQL, made from those in Python, so that both show the same of every text.

What is cut out of a register for somebody is cut out by the database: in a page, a tile, a COPY or an Arrow batch. What
was cut out before, by a view of the second wall, is not cut again: masked texts are of their forms.
"""

from gis.access.masking import COMPOUND, FORMS, PLACES, SHOWN, SPACE

#: The schema of rights.
SCHEMA = "access"


def functions() -> tuple[str, ...]:
    """The statements that make `access.mask_<rule>(text)` for each rule, `access.mask_birth_date(date)`, and
    `access.masked(kind, text)`, which hides all but the ends of a text where it does not know the rule.

    They need the schema `access`. Missing values stay missing; a text of nothing but white space becomes empty.
    """
    bodies = {
        **{kind: _when(kind, _ends(*shown)) for kind, shown in SHOWN.items()},
        "name": _when("name", _NAME),
        "email": _when("email", f"left({_TEXT}, 1) || '***' || substr({_TEXT}, strpos({_TEXT}, '@'))"),
        "address": _address(),
        "birth_date": _when("birth_date", f"left({_TEXT}, 4) || '-01-01'"),
    }
    closed = (
        f"CASE WHEN length({_TEXT}) < 3 THEN repeat('*', length({_TEXT}))"
        f" ELSE left({_TEXT}, 1) || repeat('*', length({_TEXT}) - 2) || right({_TEXT}, 1) END"
    )
    cases = " ".join(f"WHEN '{kind}' THEN {SCHEMA}.mask_{kind}(written)" for kind in bodies)
    return (
        _function("mask_closed", closed),
        *(_function(f"mask_{kind}", body) for kind, body in bodies.items()),
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.mask_birth_date(day date) RETURNS date {_KIND}"
        " RETURN date_trunc('year', day::timestamp)::date",
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.masked(kind text, written text) RETURNS text {_KIND}"
        f" RETURN CASE kind {cases} ELSE {SCHEMA}.mask_closed(written) END",
    )


_KIND = "LANGUAGE sql IMMUTABLE PARALLEL SAFE"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_TEXT = f"btrim(written, {_literal(SPACE)})"
#: A surname of two characters is shown whole, where a given name follows.
_SURNAME = (
    f"CASE WHEN length({_TEXT}) > 2 AND left({_TEXT}, 2) IN ({', '.join(map(_literal, sorted(COMPOUND)))})"
    " THEN 2 ELSE 1 END"
)
_NAME = f"left({_TEXT}, {_SURNAME}) || repeat('*', length({_TEXT}) - {_SURNAME})"


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {SCHEMA}.{name}(written text) RETURNS text {_KIND} RETURN {body}"


def _when(kind: str, shown: str) -> str:
    """What a rule shows of a text of its form; of any other no more than its ends."""
    return (
        f'CASE WHEN {_TEXT} COLLATE "C" ~ {_literal(f"^(?:{FORMS[kind]})$")} THEN {shown}'
        f" ELSE {SCHEMA}.mask_closed(written) END"
    )


def _ends(first: int, last: int) -> str:
    return f"left({_TEXT}, {first}) || repeat('*', length({_TEXT}) - {first + last}) || right({_TEXT}, {last})"


def _address() -> str:
    found = ", ".join(f"substring({_TEXT} COLLATE \"C\" from {_literal(f'^({place})')}) || '****'" for place in PLACES)
    return f"coalesce({found}, {SCHEMA}.mask_closed(written))"
