"""EDR 1.1 (19-086r6): what its forms of answer hold; the newest values and figures by bin of time beside it."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from gis.query.span import instant_text
from tests.api.conformance.edr_city import FIRST_DAY, HOURS, Get, area, position, refused, told
from tests.measured_city import PATCHY, SILENT, START, STOPPED, place_of, value_of

# ---- encodings ------------------------------------------------------------------------------------------------------


def _check_coverage(coverage: dict[str, Any], shared: dict[str, Any]) -> None:
    axes = coverage["domain"]["axes"]
    assert set(axes) == {"x", "y", "z", "t"}
    assert all(len(axes[name]["values"]) == 1 for name in "xyz")
    assert axes["t"]["values"] == sorted(axes["t"]["values"])
    for name, held in coverage["ranges"].items():
        assert name in shared["parameters"]
        assert (held["type"], held["axisNames"]) == ("NdArray", ["t"])
        assert held["shape"] == [len(held["values"])] == [len(axes["t"]["values"])]
        assert held["dataType"] in ("float", "integer", "string")


def test_req_covjson_content(get: Get) -> None:
    found = told(get, area(f"&datetime={FIRST_DAY}/2026-03-02"))
    assert (found["type"], found["domainType"]) == ("CoverageCollection", "PointSeries")
    assert [part["coordinates"] for part in found["referencing"]] == [["x", "y"], ["z"], ["t"]]
    for coverage in found["coverages"]:
        _check_coverage(coverage, found)
    patchy = next(c for c in found["coverages"] if c["id"] == f"S{PATCHY}")
    assert patchy["ranges"]["pm25_ugm3"]["values"][-4:] == [None] * 4


def test_req_covjson_content_of_one_coverage(get: Get) -> None:
    found = told(get, position())
    assert found["domain"]["domainType"] == "PointSeries"
    _check_coverage(found, found)


def test_req_edr_geojson_content(get: Get) -> None:
    found = told(get, area(f"&datetime={FIRST_DAY}&parameter-name=pm25_ugm3&f=GeoJSON"))
    assert (found["type"], found["numberReturned"]) == ("FeatureCollection", 72)
    one = found["features"][0]
    assert {"datetime", "parameter-name", "label", "edrqueryendpoint"} <= set(one["properties"])
    assert len(one["geometry"]["coordinates"]) == 3
    assert get(urlsplit(one["properties"]["edrqueryendpoint"]).path).status_code == 200
    assert {link["rel"] for link in found["links"]} == {"self", "collection"}


def test_csv_has_a_line_for_each_time(get: Get) -> None:
    text = get(position(f"&datetime={FIRST_DAY}&f=CSV")).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["pm25_ugm3"]) for row in rows] == [value_of(2, n)[0] for n in range(24)]  # type: ignore[index]
    assert rows[0]["name"] == "测站2"


# ---- beside EDR: the newest values, and figures by bin --------------------------------------------------------------


def test_latest_tells_every_station_and_what_is_missing(get: Get) -> None:
    found = {f["properties"]["code"]: f for f in told(get, f"{HOURS}/latest")["features"]}
    assert len(found) == 12
    assert found["S2"]["properties"]["pm25_ugm3"] == value_of(2, 47)[0]  # type: ignore[index]
    assert found[f"S{SILENT}"]["properties"]["pm25_ugm3"] is None
    assert found[f"S{SILENT}"]["properties"]["valid_from"] is None
    assert found["S2"]["geometry"]["type"] == "Point"


def test_latest_says_when_there_are_more(get: Get) -> None:
    body = told(get, f"{HOURS}/latest?limit=5")
    assert (body["numberReturned"], body["onemap:complete"]) == (5, False)
    assert len(told(get, f"{HOURS}/latest?near=116.42,31.75,1200")["features"]) == 3


def test_a_series_has_every_bin_and_counts_what_is_missing(get: Get) -> None:
    body = told(
        get, f"{HOURS}/series?feature=S2,S{STOPPED}&bin=day&datetime=2026-03-01/2026-03-03&parameter-name=pm25_ugm3"
    )
    by_code = {one["code"]: one for one in body["series"]}
    assert by_code["S2"]["start"] == [instant_text(START + timedelta(days=n)) for n in range(3)]
    assert by_code["S2"]["figures"]["pm25_ugm3"]["count"] == [24, 24, 0]
    assert by_code["S2"]["figures"]["pm25_ugm3"]["mean"][2] is None
    assert by_code[f"S{STOPPED}"]["figures"]["pm25_ugm3"]["missing"] == 2
    assert body["timeZone"] == "Asia/Shanghai"


SERIES_REFUSED = [
    ("bin=minute", "bin"),
    ("datetime=../2026-03-01", "datetime"),
    ("bin=hour&datetime=2000-01-01/..", "datetime"),
    ("parameter-name=x", "parameter-name"),
    ("bbox=1,2", "bbox"),
    ("step=3", "step"),
]


@pytest.mark.parametrize(("parameters", "subject"), SERIES_REFUSED)
def test_a_series_that_cannot_be_told_is_refused(get: Get, parameters: str, subject: str) -> None:
    refused(get, f"{HOURS}/series?{parameters}", subject)


def test_here_tells_the_newest_values_at_a_station(get: Get) -> None:
    body = told(get, f"/here?lon={place_of(2)[0]}&lat=31.75&radius=100")
    (station,) = body["layers"][0]["collections"][0]["nearest"]
    assert station["measured"]["trial.hours"]["pm25_ugm3"] == value_of(2, 47)[0]  # type: ignore[index]
