"""`onemap demo`: the city once, however often it is asked for."""

import json
from pathlib import Path

from tests.commands import onemap

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = CHECKOUT / "data-samples" / "luan"


def test_a_second_demo_loads_and_hands_over_nothing(sample_city: str) -> None:
    done = onemap("demo", "--json", ONEMAP_DATABASE_URL=sample_city)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    listed = json.loads((SAMPLES / "deliveries.json").read_text(encoding="utf-8"))["deliveries"]
    assert (facts["loads"], facts["handed_over"]) == ([], [])
    assert facts["deliveries"] == len(listed) == 16
    assert facts["files"] >= 9
