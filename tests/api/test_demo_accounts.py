"""The sample accounts: one a role, let in by passwords that serve once; no password stands anywhere."""

from api.commands.demo_accounts import SAMPLE, one_time_sign_ins
from gis.access.roles import OWNER_ROLE, PUBLIC_ROLE, ROLES
from gis.city import City
from gis.store.sign_in import Attempt, SignIn

OWN = "Kestrel-over-9-moors"


def test_a_sign_in_for_each_role_that_serves_once(database_url: str) -> None:
    assert {role for _, _, role, _, _ in SAMPLE} == set(ROLES) - {OWNER_ROLE, PUBLIC_ROLE}
    with City.open(database_url) as city:
        first = {one["name"]: one["one_time_password"] for one in one_time_sign_ins(city)}
        assert all(first.values()) and len(set(first.values())) == len(SAMPLE)
        door = SignIn(city.database)
        door.sign_in(Attempt("demo-duty", first["demo-duty"], "127.0.0.1", new_password=OWN))
        again = {one["name"]: one["one_time_password"] for one in one_time_sign_ins(city)}
        # who has a password of their own keeps it; the others are drawn anew
        assert again.pop("demo-duty") is None and not set(again.values()) & set(first.values())
        assert door.sign_in(Attempt("demo-duty", OWN, "127.0.0.1")).account.role == "duty"
