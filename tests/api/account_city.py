"""A city with accounts, as the tests of signing in need it: who there is, and browsers that they sign in with."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from gis.access import one_time_codes
from gis.store import accounts
from gis.store.accounts import AT_THE_MACHINE, Divisions

HOST = "http://city.test"
PASSWORD = "Kestrel-over-9-moors"


@dataclass
class Browser:
    """One person's browser: it keeps the session's cookie and says where its pages come from."""

    request: Callable[..., httpx.Response]
    cookie: str = ""
    secret: bytes = b""
    step: int = 0

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """One request; `headers` may say another origin, or None for none."""
        headers = {"origin": HOST, "accept-language": "en"} | more.pop("headers", {})
        if self.cookie:
            headers["cookie"] = f"onemap_session={self.cookie}"
        answer = self.request(path, method, headers={k: v for k, v in headers.items() if v is not None}, **more)
        if "onemap_session=" in answer.headers.get("set-cookie", ""):
            self.cookie = answer.cookies.get("onemap_session", "")
        return answer

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Show name and password, and what else there is."""
        return self.ask("/sign-in", "POST", json={"name": name, "password": password, **more})

    def code(self) -> str:
        """A code that was never shown before; the next period's where this one's was."""
        self.step = max(self.step + 1, one_time_codes.step_at(time.time()))
        return one_time_codes.code_of(self.secret, self.step)

    def set_up_factor(self) -> list[str]:
        """Begin and confirm a second factor; returns the recovery codes."""
        begun = self.ask("/me/second-factor", "POST").json()
        self.secret = base64.b32decode(begun["secret"])
        confirmed = self.ask("/me/second-factor", "PUT", json={"code": self.code()})
        assert confirmed.status_code == 200, confirmed.text
        found: list[str] = confirmed.json()["recovery_codes"]
        return found


@dataclass
class AccountCity:
    """The city's database and a way to ask it."""

    url: str
    request: Callable[..., httpx.Response]
    made: dict[str, str] = field(default_factory=dict)

    def account(self, name: str, role: str = "public", divisions: Divisions = (), department: str | None = None) -> str:
        """An account made at the machine; returns its one-time password."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            _, once = accounts.add(conn, name, f"person of {name}", actor=AT_THE_MACHINE, by="test")
            if role != "public":
                accounts.grant(conn, name, role, actor=AT_THE_MACHINE, divisions=divisions, department=department)
        self.made[name] = once
        return once

    def browser(self) -> Browser:
        """A browser in which nobody has signed in."""
        return Browser(self.request)

    def signed_in(self, name: str, role: str, divisions: Divisions = (), department: str | None = None) -> Browser:
        """A new account, signed in with a password of its own, and a second factor where it must have one."""
        browser, once = self.browser(), self.account(name, role, divisions, department)
        answer = browser.sign_in(name, once, new_password=PASSWORD)
        assert answer.status_code == 200, answer.text
        if answer.json()["restricted"]:
            browser.set_up_factor()
        return browser
