"""Accounts for visits: made in a database of the tests, and used in the browser."""

import time
from base64 import b32decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from playwright.sync_api import Page, expect

from api.catalogue_watch import EVERY_S
from gis.access import keys, one_time_codes
from gis.catalog import Catalogue
from gis.store import accounts, policies
from gis.store.accounts import AT_THE_MACHINE
from layers import LAYERS
from tests.browser.visits import Visit

PASSWORD = "Kestrel-over-9-moors"


@dataclass(frozen=True)
class Accounts:
    """A server, and a way to make accounts in its city."""

    url: str
    database_url: str

    def add(self, name: str, role: str, department: str | None = None) -> str:
        """Make an account whose role holds everywhere; its one-time password."""
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            _, once = accounts.add(conn, name, f"person of {name}", actor=AT_THE_MACHINE, by="test")
            accounts.grant(conn, name, role, actor=AT_THE_MACHINE, divisions=None, department=department)
        return once

    @contextmanager
    def policy(self, name: str, document: dict[str, Any]) -> Iterator[None]:
        """Let another policy hold meanwhile, for every process of the server."""
        collection = Catalogue(LAYERS)[name]
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            policies.put(conn, collection, document, "test", "for the test")
            _wait_for_all_processes()
            try:
                yield
            finally:
                policies.reset(conn, collection, "test", "after the test")
                _wait_for_all_processes()

    def key(self, department: str) -> str:
        """A key of a department."""
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            return keys.add(conn, department)[1]


def _wait_for_all_processes() -> None:
    """Each looks by itself, and takes a moment to serve what it found."""
    time.sleep(3 * EVERY_S)


def sign_in(visit: Visit, name: str, once: str) -> Page:
    """Come with a one-time password, choose another; set a second factor up where the page asks for it."""
    page = visit.page
    page.goto(f"{visit.base}/account")
    give_passwords(visit, name, once)
    page.locator("[data-action=sign-out]").wait_for()
    if page.locator("[data-part=collections]").count() == 0:
        page.locator("[data-action=factor]").click()
        secret = b32decode(page.locator("[data-part=factor] code").inner_text().replace(" ", ""))
        page.locator("#factor-code").fill(one_time_codes.code_of(secret, one_time_codes.step_at(time.time())))
        page.locator("[data-part=factor] button[type=submit]").click()
        expect(page.locator(".codes li")).to_have_count(one_time_codes.RECOVERY_CODES)
    return page


def give_passwords(visit: Visit, name: str, once: str) -> None:
    """Fill the open form in, and again where it asks for another password."""
    page = visit.page
    page.locator("#name").fill(name)
    page.locator("#password").fill(once)
    page.locator("button[type=submit]").click()
    page.locator("#fresh").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    # that another password was needed is no fault of the page
    visit.forgive(401)
    page.locator("button[type=submit]").click()
