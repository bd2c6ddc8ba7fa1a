"""Where a fact comes from, over HTTP: the word that prevails, its delivery and row, and the words beside it."""

import psycopg

from tests.api.exchange_city import ExchangeCity, person


def test_every_fact_names_its_word_and_its_rule(exchange: ExchangeCity) -> None:
    police = exchange.hand_over([person(1), person(2, 婚姻状况="已婚")], mode="full")
    civil = exchange.hand_over([person(2, 婚姻状况="离婚")], whose="civil_affairs", mode="full")
    with psycopg.connect(exchange.url) as conn:
        row = conn.execute("SELECT fid FROM base.persons WHERE marital_status = 'divorced'").fetchone()
    assert row is not None
    answer = exchange.ask(f"/exchange/facts/base.persons/{row[0]}")
    found = {fact["item"]: fact for fact in answer.json()["facts"]}
    status = found["marital_status"]
    assert (status["value"], status["word"]["department"], status["word"]["delivery"]) == (
        "divorced", "civil_affairs", civil["id"],
    )  # fmt: skip
    assert status["word"]["row"] == 2  # the header is the first
    assert [(w["department"], w["delivery"], w["value"]) for w in status["others"]] == [
        ("police", police["id"], "married")
    ]
    assert "civil_affairs > police" in status["rule"]["en"]
    assert "name" not in found and "citizen_id" not in found


def test_who_has_no_say_sees_nothing(exchange: ExchangeCity) -> None:
    assert exchange.ask("/exchange/facts/base.persons/1", None).status_code == 401
    assert exchange.ask("/exchange/facts/base.persons/1", "market").status_code == 403
    assert exchange.ask("/exchange/facts/base.persons/1").status_code == 404
    assert exchange.ask("/exchange/facts/base.persons/x").status_code == 404
    assert exchange.ask("/exchange/facts/base.nothing/1").status_code in (400, 404)
