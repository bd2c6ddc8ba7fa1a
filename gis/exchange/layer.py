"""The exchange between departments as a layer: its tables, and what of it can be asked as collections."""

from gis.catalog import Layer
from gis.exchange.scorecard.collection import SCORECARD
from gis.text import Text

EXCHANGE = Layer(
    name="exchange",
    title=Text("数据归集与比对", "Exchange between departments"),
    collections=(SCORECARD,),
    migrations="gis.exchange.migrations",
)
