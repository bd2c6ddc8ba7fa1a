"""The tables behind a register that departments deliver to, beside its own: claims, and direct identifiers."""

from collections.abc import Sequence

from gis.exchange.registers import Deliverable

#: What every claim has. `said` is false where the department says that the entity is no more; without `valid_from` a
#: claim holds since always (the department's first) or since its edition (a later one).
_STANDARD = (
    "fid bigint NOT NULL", "department text NOT NULL", "delivery integer NOT NULL", "edition timestamptz NOT NULL",
    "src_row bigint", "said boolean NOT NULL", "latest boolean NOT NULL", "withdrawn boolean NOT NULL DEFAULT false",
    "valid_from timestamptz", "valid_to timestamptz", "digest bigint NOT NULL",
)  # fmt: skip


def create_claims(noun: str, columns: Sequence[tuple[str, str]]) -> list[str]:
    """The claim table of a register, empty, with its key and the index of each department's latest words.

    `noun` and the columns (name, SQL type) are those of a `Deliverable`: from declarations, never from a question.
    """
    body = ", ".join([*_STANDARD, *(f'"{name}" {kind}' for name, kind in columns)])
    return [
        f'CREATE TABLE exchange."{noun}_claim" ({body})',
        f'ALTER TABLE exchange."{noun}_claim" ADD PRIMARY KEY (fid, department, delivery)',
        f'CREATE INDEX "{noun}_claim_latest" ON exchange."{noun}_claim" (fid, department)'
        " INCLUDE (digest) WHERE latest",
    ]


def create_identifiers(deliverable: Deliverable) -> list[str]:
    """The table of a register's direct identifiers, one row an entity; nothing for a register that has none.

    `variants` holds what departments wrote otherwise, {"<digest>": text}.
    """
    if not deliverable.identifiers:
        return []
    key, *others = (f.name for f in deliverable.identifiers)
    body = ", ".join([f'"{key}" text NOT NULL', *(f'"{name}" text' for name in others)])
    table = f'"{deliverable.collection.layer}"."{deliverable.collection.noun}_identifier"'
    return [f"CREATE TABLE {table} (fid bigint PRIMARY KEY, {body}, variants jsonb)"]
