"""A visit to the clerks' pages: one clerk with a key, and what is on the page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.visits import Visit

#: How long a small delivery may take on a busy machine.
DELIVERY_MS = 120_000


@dataclass
class ClerkVisit(Visit):
    """One page that is open, with the keys of all departments at hand."""

    keys: Mapping[str, str] = field(default_factory=dict)

    def sign_in(self, department: str, place: str = "page=deliveries") -> None:
        """Come with the key of a department in the address, as the data centre's links bring it."""
        self.page.goto(f"{self.base}/exchange#key={self.keys[department]}&{place}")
        self.page.locator(".who").wait_for()
        self.read()

    def go(self, place: str) -> None:
        """Open another place, as a link of the page does."""
        self.page.evaluate("place => { location.hash = place }", place)
        self.page.wait_for_timeout(100)
        self.read()

    def read(self) -> None:
        """Wait until nothing is being read any more."""
        expect(self.page.locator(".state-note .turning")).to_have_count(0)

    def ask(self, department: str, path: str) -> Any:
        """What the server answers to a question with a department's key."""
        headers = {"Authorization": f"Bearer {self.keys[department]}"}
        answer = self.page.request.get(f"{self.base}{path}", headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def hand_over(self, path: Path, register: str, mode: str = "auto") -> int:
        """Hand a file over on the page and wait until it is worked through; the delivery's number."""
        form = self.page.locator(".hand-over")
        form.locator("input[type=file]").set_input_files(path)
        form.locator("#register").select_option(register)
        form.locator(f"input[value={mode}]").check()
        form.locator("button[type=submit]").click()
        delivery = self.page.locator("article.delivery[data-state=done], article.delivery[data-state=failed]")
        delivery.wait_for(timeout=DELIVERY_MS)
        return int(self.page.url.partition("delivery=")[2].partition("&")[0])

    def width(self) -> int:
        """How wide the page would like to be."""
        return int(self.page.evaluate("() => document.querySelector('.frame').scrollWidth"))

    def said(self, role: str = "alert") -> Locator:
        """What the page says aloud."""
        return self.page.get_by_role(role)  # type: ignore[arg-type]


def words(text: str) -> str:
    """A sentence without its marks: the page writes Chinese punctuation, however a sentence was typed."""
    return re.sub(r"\W+", "", text)


def citizen_id(division: str, birth: str, order: int) -> str:
    """A well-formed number of a made-up person, GB 11643-1999."""
    first = f"{division}{birth}{order:03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return first + "10X98765432"[sum(int(c) * w for c, w in zip(first, weights, strict=True)) % 11]
