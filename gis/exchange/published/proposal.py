"""What somebody wants to publish of a collection: which rows and fields, how exactly, under which conditions."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from gis.access import PUBLIC, Identity, check_reader
from gis.access.roles import INSIDE, OWNER_ROLE, PUBLIC_ROLE
from gis.catalog import Catalogue, Collection, Grant, Policy, Sensitivity
from gis.errors import BadQuery, Conflict, Forbidden
from gis.exchange.published.declared import LAYER, told_catalogue
from gis.exchange.published.records import Publication, one
from gis.query import export
from gis.query.ask import Ask
from gis.query.plan import Plan
from gis.query.query import ByCell, ByDivision
from gis.query.released import is_anonymous
from gis.query.url import parse
from gis.store.database import Database, connect, translated

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
#: How long a copy is kept where nothing else is proposed, and the longest that may be.
EVERY_H, _LONGEST_H = 24, 24 * 366
_PROPOSERS = (*INSIDE, OWNER_ROLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A copy that is to be `open.<name>`.

    `query` narrows the rows, as in an address (`bbox=…&filter=…`); it may speak of what is published alone. `fields`
    are those told (empty: all that are not hidden), `masked` those told in part, with the rule. `precision` is "exact",
    "division", or the resolution of the cells whose middles stand for places. `title` and `description` are the copy's
    (empty: the source's); `terms` say under which conditions it may be used, `scope` what it covers, `licence` is a
    name of SPDX's list or the source's.

    `by` makes it a copy of counts, as persons alone are published: `cell:7` or `division:3`, with coarse fields behind
    a comma, just as the public is told them on the lattice. `every_h` is how many hours a copy is kept before its
    source is looked at again; 0: only when somebody asks for it.
    """

    name: str
    source: str
    query: str = ""
    fields: tuple[str, ...] = ()
    masked: Mapping[str, str] = field(default_factory=dict, hash=False)
    precision: str | int = "exact"
    title: Mapping[str, str] = field(default_factory=dict, hash=False)
    description: Mapping[str, str] = field(default_factory=dict, hash=False)
    terms: str = ""
    scope: str = ""
    licence: str = ""
    by: str = ""
    every_h: int = EVERY_H

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Proposal":
        """Of a document as JSON carries it. Raises BadQuery naming what does not fit."""
        known = set(cls.__annotations__)
        for name, value in document.items():
            kinds: Any = {"masked": dict, "title": dict, "description": dict, "fields": (list, tuple)}.get(name, str)
            fits = isinstance(value, str | int) if name == "precision" else isinstance(value, kinds)
            if name == "every_h":
                fits = type(value) is int and 0 <= value <= _LONGEST_H
            if name not in known or not fits:
                listed = ", ".join(cls.__annotations__)
                raise BadQuery(
                    f"a proposal does not take {name!r} like this; it has {listed}",
                    f"申请中的 {name!r} 无效;可用:{listed}",
                    subject=name,
                )
        if "name" not in document or "source" not in document:
            raise BadQuery("a proposal needs a name and a source", "申请须有 name 与 source", subject="name")
        given = dict(document)
        return cls(**(given | {"fields": tuple(given.get("fields", ()))}))

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {**asdict(self), "fields": list(self.fields)}

    def grant(self, source: Collection) -> Grant:
        """What the public would be told of the source: the copy is made of that alone. Raises BadQuery."""
        for name in (*self.fields, *self.masked):
            source.field(name)
        hidden = tuple(n for n in source.by_name if self.fields and n not in self.fields and n not in self.masked)
        precision: Any = self.precision
        if isinstance(precision, str) and precision.isdecimal():
            precision = int(precision)
        if not (precision in ("exact", "division") or isinstance(precision, int)):
            raise BadQuery(
                "precision is exact, division, or a resolution of cells",
                "精度应为 exact、division 或单元分辨率",
                subject="precision",
            )
        try:
            return Grant(roles=(PUBLIC_ROLE,), masked=dict(self.masked), hidden=hidden, precision=precision)
        except ValueError as error:
            raise BadQuery(f"this cannot be published: {error}", f"无法这样公开:{error}", subject="masked") from None

    def ask(self, catalogue: Catalogue) -> Ask:
        """The question of which the copy is the answer, as the public would ask it."""
        asked = "&".join(part for part in (self.query, f"by={self.by}" if self.by else "") if part)
        text = f"{self.source}?{asked}" if asked else self.source
        return Ask(query=parse(text, self.told(catalogue)), identity=PUBLIC)

    def told(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue in which the source is told as the copy is to tell it; counts are as everybody is told them."""
        return catalogue if self.by else told_catalogue(catalogue, self.source, self.policy(catalogue))

    def plan(self, catalogue: Catalogue) -> Plan:
        """The plan of the copy's question. Raises BadQuery, Forbidden."""
        if bool(self.by) != (catalogue[self.source].sensitivity is Sensitivity.PERSONAL):
            raise _form()
        plan = self.ask(catalogue).plan(self.told(catalogue))
        if bool(self.by) != is_anonymous(plan) or plan.query.measure or bool(self.by) != plan.query.grouped:
            raise _form()
        if self.by and sum(isinstance(by, ByCell | ByDivision) for by in plan.query.by) != 1:
            raise BadQuery("counts are published by one kind of place: cells or divisions",
                           "计数须按网格或区划之一公开", subject="by")  # fmt: skip
        return plan

    def policy(self, catalogue: Catalogue) -> Policy:
        """The policy of the source under which the copy is made."""
        return Policy((self.grant(catalogue[self.source]),))


def _form() -> BadQuery:
    return BadQuery(
        "persons are published as counts (by=cell:7, by=division:3), everything else row by row",
        "涉及自然人的数据只能按 by=cell:7 或 by=division:3 公开计数,其他数据逐条公开",
        subject="by",
    )


def propose(database: Database, catalogue: Catalogue, proposal: Proposal, by: Identity) -> Publication:
    """Ask for a copy to be published; somebody else decides. Returns it with its number.

    Raises BadQuery for what cannot be published so, Forbidden where `by` may propose nothing or may not see the source,
    or where its rows are of persons, Conflict while a proposal of that name waits.
    """
    if by.role not in _PROPOSERS:
        raise Forbidden("only those who work here propose what is published", "只有工作人员可以提出公开申请")
    source = _source(catalogue, proposal, by)
    plan = proposal.plan(catalogue)
    export.columns(plan, ordered=True)  # written now, so that what it may not ask is found now
    document = proposal.as_dict() | {"sensitivity": source.sensitivity.value}
    with translated(), connect(database.url, autocommit=True) as conn:
        try:
            row = conn.execute(
                "INSERT INTO base.publication (name, source, document, proposed_by) VALUES (%s, %s, %s, %s)"
                " RETURNING id",
                (proposal.name, proposal.source, Jsonb(document), by.name),
            ).fetchone()
        except psycopg.errors.UniqueViolation:
            raise Conflict(
                f"a proposal for {LAYER}.{proposal.name} waits for review already",
                f"{LAYER}.{proposal.name} 已有待审核的申请",
                subject="name",
            ) from None
        assert row is not None
        return one(conn, int(row[0]))


def _source(catalogue: Catalogue, proposal: Proposal, by: Identity) -> Collection:
    if not _NAME.fullmatch(proposal.name):
        raise BadQuery(
            f"{proposal.name[:40]!r} cannot name a copy: small letters, digits and _, a letter first",
            f"{proposal.name[:40]!r} 不能作名称:请用小写字母、数字和 _,以字母开头",
            subject="name",
        )
    source = catalogue[proposal.source]
    if source.layer == LAYER:
        raise BadQuery("a copy is made of the source, not of a copy", "不能再次公开副本", subject="source")
    check_reader(by, source)
    if source.sensitivity is Sensitivity.PERSONAL and not proposal.by:
        raise Forbidden(
            f"{source.id} is about persons, who are never published row by row; their counts are, on the lattice",
            f"{source.id} 涉及自然人,不得逐条公开;只能按固定网格公开匿名统计",
            subject="source",
        )
    if source.measured is not None:
        raise BadQuery(
            f"{source.id} is a series; publish its features", f"{source.id} 是观测序列,请公开其对象", subject="source"
        )
    return source
