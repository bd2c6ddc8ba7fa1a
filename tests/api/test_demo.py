"""`onemap demo`: the city once, however often it is asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = CHECKOUT / "data-samples" / "luan"


def test_a_second_demo_loads_and_hands_over_nothing(sample_city: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "demo", "--json"],
        cwd=CHECKOUT, env=os.environ | {"ONEMAP_DATABASE_URL": sample_city},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    facts = json.loads(done.stdout)
    listed = json.loads((SAMPLES / "deliveries.json").read_text(encoding="utf-8"))["deliveries"]
    assert (facts["loads"], facts["handed_over"]) == ([], [])
    assert facts["deliveries"] == len(listed) == 16
    assert facts["files"] >= 9
