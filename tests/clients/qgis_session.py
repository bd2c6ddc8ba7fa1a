"""A session of QGIS without a window: `python3 qgis_session.py URL PICTURE.png`, by the system's own Python.

Opens a collection as users of QGIS do, as a layer of features and as a layer of vector tiles, and prints what it saw as
JSON. Nothing of OneMap is imported: what is tested here is what QGIS makes of the server.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

PAGE = 100
SIDE_PX = 400


def features(url: str, collection: str) -> Any:
    """A layer of OGC API - Features, in pages of a hundred."""
    uri = (
        f"url='{url}' typename='{collection}' srsname='EPSG:4326' restrictToRequestBBOX='1' pagingEnabled='true' "
        f"pageSize='{PAGE}'"
    )
    layer = QgsVectorLayer(uri, collection, "OAPIF")
    assert layer.isValid(), layer.error().message() or f"{collection} is not valid"
    return layer


def count(layer: Any, request: Any = None) -> int:
    """The features that are really fetched."""
    return len({feature.id() for feature in layer.getFeatures(request or QgsFeatureRequest())})


def asked(url: str) -> dict[str, Any]:
    """What items show."""
    layer = features(url, "base.pois")
    every = list(layer.getFeatures())
    box = QgsRectangle(116.50, 31.73, 116.52, 31.74)
    filtered = features(url, "base.pois")
    assert filtered.setSubsetString("kind = 'school'")
    return {
        "fields": [field.name() for field in layer.fields()],
        "crs": layer.crs().authid(),
        "told": layer.featureCount(),
        "fetched": len(every),
        "distinct": len({feature["code"] for feature in every}),
        "in_box": count(layer, QgsFeatureRequest().setFilterRect(box)),
        "box": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
        "schools": count(filtered),
        "schools_by_expression": count(layer, QgsFeatureRequest().setFilterExpression("\"kind\" = 'school'")),
    }


def drawn(url: str, picture: str) -> dict[str, Any]:
    """What vector tiles show, as a picture."""
    template = f"{url}/collections/base.buildings/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    layer = QgsVectorTileLayer(f"type=xyz&url={template}&zmin=0&zmax=16", "buildings")
    assert layer.isValid(), "the layer of tiles is not valid"
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setOutputSize(QSize(SIDE_PX, SIDE_PX))
    settings.setBackgroundColor(QColor("white"))
    settings.setExtent(QgsRectangle(12968600, 3726800, 12971600, 3729800))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(picture)
    colours = {image.pixel(x, y) for x in range(0, SIDE_PX, 2) for y in range(0, SIDE_PX, 2)}
    painted = sum(image.pixelColor(x, y) != QColor("white") for x in range(0, SIDE_PX, 2) for y in range(0, SIDE_PX, 2))
    return {
        "zooms": [layer.sourceMinZoom(), layer.sourceMaxZoom()],
        "errors": [str(error.message) for error in job.errors()],
        "colours": len(colours),
        "painted_share": painted / (SIDE_PX / 2) ** 2,
    }


def main() -> None:
    """Everything, and one JSON on standard output."""
    url, picture = sys.argv[1:]
    application = QgsApplication([], False)
    application.initQgis()
    found = {"items": asked(url), "tiles": drawn(url, picture)}
    print(json.dumps(found))
    application.exitQgis()


main()
