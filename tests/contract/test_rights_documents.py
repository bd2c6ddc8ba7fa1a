"""Documents, refusals, pages and tags: nothing names what somebody may not know, nobody is answered from another's."""

from typing import Any

from gis.access.masking import RULES
from gis.catalog import Collection, FieldType, Rows
from tests.contract import rights_oracle as oracle
from tests.contract.rights_city import EACH, WHO, RuledCity, refused_alike


@EACH
def test_nothing_names_what_is_hidden_nor_can_it_be_asked_about(ruled: RuledCity, name: str) -> None:
    collection = ruled.catalogue[name]
    for who in WHO:
        if oracle.grant_of(WHO[who], collection) is None:
            for document in ("", "/schema", "/queryables"):
                assert ruled.get(who, f"/collections/{name}{document}").status_code == 403
            continue
        exact, told = oracle.exact_fields(WHO[who], collection), set(oracle.told_fields(WHO[who], collection))
        schema = ruled.told(who, f"/collections/{name}/schema").json()["properties"]
        if not oracle.sees_rows(WHO[who], collection):
            assert schema.keys() & collection.by_name.keys() <= told
            assert ruled.told(who, f"/collections/{name}").json()["count"] is None
            continue
        assert schema.keys() & collection.by_name.keys() == told
        queryables = ruled.told(who, f"/collections/{name}/queryables").json()["properties"]
        assert queryables.keys() & collection.by_name.keys() == exact
        document = ruled.told(who, f"/collections/{name}").json()
        assert {f["name"] for f in document["fields"]} == told
        whole = ruled.rows("owner", collection)
        if len(ruled.rows(who, collection)) < len(whole):
            assert document["count"] is None or document["count"] < _ever(ruled, collection)
        for field in sorted(collection.by_name.keys() - exact):
            refused_alike(ruled, who, collection, field, is_told=field in told)


def _ever(ruled: RuledCity, collection: Collection) -> int:
    return int(ruled.told("owner", f"/collections/{collection.id}").json()["count"])


def test_documents_of_the_whole_city_name_nothing_that_is_hidden(ruled: RuledCity) -> None:
    for who in WHO:
        seen = {c.id for c in ruled.catalogue if oracle.grant_of(WHO[who], c) is not None}
        hidden = {c.id for c in ruled.catalogue} - seen
        counted = {c for c in seen if ruled.catalogue[c] and oracle.grant_of(WHO[who], ruled.catalogue[c]).anonymous}
        document = ruled.told(who, "/collections").json()
        assert {c["id"] for c in document["collections"]} & {c.id for c in ruled.catalogue} == seen - counted
        related = {link["href"].rpartition("/")[2] for link in document["links"] if link["rel"] == "related"}
        assert related & {c.id for c in ruled.catalogue} == counted
        for path in (
            "/styles",
            "/styles/onemap",
            "/styles/onemap/legend",
            "/tiles",
            "/collections?f=html",
            "/tiles/WebMercatorQuad?f=tilejson",
        ):
            text = ruled.told(who, path).text
            assert not [name for name in hidden if f"{name}" in text], (who, path)
        api = ruled.told(who, "/api").json()["paths"]
        assert not [path for path in api for name in hidden if name in path], who
        assert not [path for path in api for name in counted if f"{name}/items" in path], who
        for name in seen - counted:
            asked = {p["name"] for p in api[f"/collections/{name}/items"]["get"]["parameters"] if "name" in p}
            fields = ruled.catalogue[name].by_name.keys()
            assert asked & fields <= oracle.exact_fields(WHO[who], ruled.catalogue[name]), (who, name)


def test_changes_and_pages_for_people_tell_only_what_may_be_seen(ruled: RuledCity) -> None:
    for who in WHO:
        for collection in ruled.catalogue:
            grant = oracle.grant_of(WHO[who], collection)
            if grant is None:
                assert ruled.get(who, f"/changes?collection={collection.id}").status_code == 403
                continue
            if grant.anonymous is not None:
                assert ruled.get(who, f"/changes?collection={collection.id}").status_code == 403
                continue
            expected = ruled.rows(who, collection)
            page = ruled.told(who, f"/collections/{collection.id}/items?f=html&limit=100").text
            for field in grant.hidden:
                assert f">{field}<" not in page, (who, collection.id, field)
            owners = ruled.rows("owner", collection)
            for name, rule in grant.masked.items():
                if rule not in RULES or collection.field(name).type is not FieldType.TEXT:
                    continue
                secrets = {str(owners[f].values[name]) for f in expected if owners[f].values[name] not in (None, "")}
                shown = {str(row.values[name]) for row in expected.values()}
                assert not [text for text in secrets - shown if f">{text}<" in page], (who, collection.id, name)


def test_two_callers_with_other_rules_never_share(ruled: RuledCity) -> None:
    """Tags of one are not confirmed to another, whoever asked first; what is kept is kept by rules."""
    for name in ("base.pois", "base.roads", "base.buildings", "base.entities"):
        collection = ruled.catalogue[name]
        able = [w for w in WHO if oracle.grant_of(WHO[w], collection) is not None]
        for path in (f"/collections/{name}/items", f"/collections/{name}/tiles/WebMercatorQuad/14/6706/13493"):
            tags: dict[str, str] = {}
            for who in able:
                answer = ruled.get(who, path)
                if answer.status_code == 200:
                    tags[who] = answer.headers["etag"]
            for one, tag in tags.items():
                for other in tags:
                    if _rules(collection, one) != _rules(collection, other):
                        again = ruled.get(other, path, **{"if-none-match": tag})
                        assert again.status_code != 304, (one, other, path)


def _rules(collection: Collection, who: str) -> Any:
    grant = oracle.grant_of(WHO[who], collection)
    assert grant is not None
    ranges = {Rows.ALL: None, Rows.DUTY: WHO[who].divisions, Rows.EMERGENCY: WHO[who].emergency}[grant.rows]
    if who == "owner":
        ranges = None
    return (frozenset(grant.masked.items()), frozenset(grant.hidden), grant.precision, ranges)


def test_a_tag_tells_nothing_of_what_is_hidden(ruled: RuledCity) -> None:
    """Its state is of all that is recorded, and could be guessed at by who knows the rest."""
    collection = ruled.catalogue["base.entities"]
    fid = next(iter(sorted(ruled.rows("staff", collection))))
    path = f"/collections/base.entities/items/{fid}"

    def tags() -> tuple[str, str]:
        return ruled.told("staff", path).headers["etag"], ruled.told("owner", path).headers["etag"]

    (before,) = ruled.conn.execute("SELECT representative FROM base.entities WHERE fid = %s", [fid]).fetchone() or (0,)
    change = "UPDATE base.entities SET representative = %s WHERE fid = %s AND scenario = 0"
    first = tags()
    try:
        ruled.conn.execute(change, [4711, fid])
        second = tags()
    finally:
        ruled.conn.execute(change, [before, fid])
    assert first[0] == second[0] and first[1] != second[1]


def test_looks_and_tile_sets_are_there_for_what_is_told_with_a_place(ruled: RuledCity) -> None:
    for who in WHO:
        for collection in ruled.catalogue:
            grant = oracle.grant_of(WHO[who], collection)
            drawn = grant is not None and not grant.anonymous and grant.precision != "division" and collection.tiled
            for path in (f"/styles/{collection.id}", f"/styles/{collection.id}/legend"):
                status = ruled.get(who, path).status_code
                if drawn and collection.geometry and collection.style:
                    assert status == 200, (who, path)
                else:
                    assert status in (403, 404), (who, path, status)
            for path in ("tiles", "tiles/WebMercatorQuad"):
                status = ruled.get(who, f"/collections/{collection.id}/{path}").status_code
                assert status == 403 if grant is None else status in (200, 404), (who, collection.id, path, status)
