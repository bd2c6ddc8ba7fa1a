"""Policies adjusted over HTTP, by the security administrator: read with what they mean, replaced, brought back."""

import contextlib
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, WithJsonSchema

from api.doorway import Doorway, administrator, doorway
from api.if_match import meant_by
from api.posted import Form, posted
from api.routes.exchange import private_reply
from api.served import Ask, Asked
from api.tracing import traced_as
from gis.access.explanation import MASKS, explained_role
from gis.access.policy_document import SCHEMA, policy_document, read_policy
from gis.access.roles import OWNER_ROLE, ROLES
from gis.access.rules import policy_of
from gis.catalog import Catalogue, Collection, Rows
from gis.errors import NotFound, OneMapError, UnknownName
from gis.store import policies
from gis.store.policies import PolicyChange

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_SECURITY = "security_admin"
_Document = Annotated[dict[str, Any], WithJsonSchema(SCHEMA)]
_Why = Annotated[str, Field(min_length=1, max_length=500)]
_ROLES = {role: title for role, title in ROLES.items() if role != OWNER_ROLE}


class Draft(Form):
    """A policy that may come to hold."""

    policy: _Document


class NewPolicy(Form):
    """A policy that is to hold, and why."""

    policy: _Document
    why: _Why


class Reason(Form):
    """Why the declared policy is to hold again."""

    why: _Why


@dataclass(frozen=True, slots=True)
class _Held:
    """A collection as it is declared, as its policy holds now, and the last change of that."""

    declared: Collection
    now: Collection
    change: PolicyChange | None

    @property
    def version(self) -> int:
        """Which state of the policy it is; 0: it was never adjusted."""
        return self.change.version if self.change else 0


@router.get("/policies")
async def listed(request: Request, ask: Ask, door: Door) -> Response:
    """Every collection, with whether its policy was adjusted, and the words that policies are made of."""
    ask.only()
    administrator(_SECURITY)
    changes = await door.threads.run(_newest, door)
    found = [_line(collection, changes.get(collection.id), ask) for collection in _declared(request)]
    words = {"roles": _ROLES, "rows": [one.value for one in Rows], "masks": MASKS}
    return private_reply({"policies": found, **words}, ask.language)


@router.get("/policies/{collection_id}")
async def policy(collection_id: str, request: Request, ask: Ask, door: Door) -> Response:
    """The policy of a collection: what holds, what is declared, and what each role sees by it."""
    ask.only()
    administrator(_SECURITY)
    return _reply(await door.threads.run(_held, door, _collection(request, collection_id)), ask)


@router.put("/policies/{collection_id}")
async def put(collection_id: str, request: Request, ask: Ask, door: Door) -> Response:
    """Let another policy hold, in the place of the one that `If-Match` names."""
    ask.only()
    by, collection = administrator(_SECURITY), _collection(request, collection_id)
    traced_as(request.scope, collection=collection.id, act="set")
    meant, sent = _meant(request), await posted(request, NewPolicy)
    held = await door.done(_put, door, collection, sent, by.identity.name, meant)
    return await _changed(held, request, ask)


@router.post("/policies/{collection_id}/reset")
async def reset(collection_id: str, request: Request, ask: Ask, door: Door) -> Response:
    """Let the declared policy hold again, in the place of the one that `If-Match` names."""
    ask.only()
    by, collection = administrator(_SECURITY), _collection(request, collection_id)
    traced_as(request.scope, collection=collection.id, act="reset")
    meant, sent = _meant(request), await posted(request, Reason)
    held = await door.done(_reset, door, collection, sent, by.identity.name, meant)
    return await _changed(held, request, ask)


@router.get("/policies/{collection_id}/history")
async def history(collection_id: str, request: Request, ask: Ask, door: Door) -> Response:
    """Every change of a collection's policy, the newest first; no document means the declared one."""
    ask.only()
    administrator(_SECURITY)
    found = await door.threads.run(_history, door, _collection(request, collection_id))
    return private_reply({"changes": [one.as_dict() for one in found]}, ask.language)


@router.post("/policies/{collection_id}/check")
async def check(collection_id: str, request: Request, ask: Ask) -> Response:
    """What each role would see by a policy; nothing is changed."""
    ask.only()
    administrator(_SECURITY)
    collection, sent = _collection(request, collection_id), await posted(request, Draft)
    drafted = replace(collection, policy=read_policy(sent.policy, collection))
    return private_reply({"explained": _explained(drafted)}, ask.language)


def _declared(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.watch.declared
    return found


def _collection(request: Request, collection_id: str) -> Collection:
    """A collection as it is declared. Raises NotFound."""
    try:
        return _declared(request)[collection_id]
    except UnknownName as error:
        raise NotFound(error.text.en, error.text.zh, subject=error.subject) from None


def _meant(request: Request) -> policies.Meant:
    is_meant = meant_by(request)
    return lambda version: is_meant(_tag(version, ""))


def _tag(version: int, form: str) -> str:
    return f'"{version:x}.{form}"'


async def _changed(held: _Held, request: Request, ask: Asked) -> Response:
    """The answer to a change, which this server serves by from now on; others take it up within seconds."""
    traced_as(request.scope, version=held.version)
    # it holds; where the rest cannot be read now that is done later
    with contextlib.suppress(OneMapError):
        await request.app.state.watch.look()
    return _reply(held, ask)


def _line(collection: Collection, change: PolicyChange | None, ask: Asked) -> dict[str, Any]:
    """What a list tells of a collection's policy."""
    found: dict[str, Any] = {
        "id": collection.id,
        "title": collection.title,
        "sensitivity": collection.sensitivity.value,
        "adjusted": change is not None and change.document is not None,
        "version": change.version if change else 0,
    }
    if change is not None:
        found |= {"changed_by": change.changed_by, "changed_at": change.changed_at, "why": change.why}
    return {**found, "links": [ask.link(f"/policies/{collection.id}", "self", "application/json")]}


def _reply(held: _Held, ask: Asked) -> Response:
    collection = held.now
    told = {
        **_line(collection, held.change, ask),
        "policy": policies.shown(collection),
        "declared": policy_document(policy_of(held.declared)),
        "fields": [{"name": f.name, "title": f.title} for f in collection.fields],
        "finest_cell": collection.cell_resolution,
        "explained": _explained(collection),
    }
    answer = private_reply(told, ask.language)
    answer.headers["etag"] = _tag(held.version, ask.language)
    return answer


def _explained(collection: Collection) -> list[dict[str, Any]]:
    return [
        {"role": role, "title": title, "sentences": explained_role(role, collection)} for role, title in _ROLES.items()
    ]


def _newest(door: Doorway) -> dict[str, PolicyChange]:
    with door.database.connection() as conn:
        return policies.newest(conn)


def _held(door: Doorway, collection: Collection) -> _Held:
    with door.database.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _Held(collection, policies.in_force(conn, [collection])[0], policies.newest(conn).get(collection.id))


def _put(door: Doorway, collection: Collection, sent: NewPolicy, by: str, meant: policies.Meant) -> _Held:
    with door.database.connection() as conn:
        made = policies.put(conn, collection, sent.policy, by, sent.why, meant)
    return _Held(collection, replace(collection, policy=read_policy(sent.policy, collection)), made)


def _reset(door: Doorway, collection: Collection, sent: Reason, by: str, meant: policies.Meant) -> _Held:
    with door.database.connection() as conn:
        return _Held(collection, collection, policies.reset(conn, collection, by, sent.why, meant))


def _history(door: Doorway, collection: Collection) -> list[PolicyChange]:
    with door.database.connection() as conn:
        return policies.history(conn, collection.id)
