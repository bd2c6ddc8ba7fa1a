"""The city: open one, load into it, ask it. The one door for notebooks, tiles and the web."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from gis.access import OWNER, Identity, may_see
from gis.access.purpose import is_stated
from gis.answer import Answer
from gis.catalog import Catalogue, registered_layers
from gis.exchange.delivery import Delivered, DeliveryOptions, deliver, withdraw
from gis.exchange.delivery.records import handed_over_before
from gis.exchange.directory.registers import with_declared
from gis.exchange.load import LoadOptions, Progress, load, loaded_before
from gis.exchange.published import with_published
from gis.exchange.report import LoadReport
from gis.geo.area import Area, Circle
from gis.query import here, matching_rows
from gis.query.ask import Ask
from gis.query.here import Here
from gis.query.query import Query
from gis.query.surroundings import Surroundings
from gis.query.url import parse
from gis.settings import Settings
from gis.store.cluster import ensure_database
from gis.store.database import Database
from gis.store.derived import derive
from gis.store.policies import with_policies
from gis.tracing import PlanTrace, traced_act


class City:
    """One city: a database and what can be asked of it.

    >>> city = City.open()  # doctest: +SKIP
    >>> city.ask("base.buildings?bbox=116.4,31.7,116.6,31.8").frame()  # doctest: +SKIP
    """

    def __init__(self, database: Database, catalogue: Catalogue, identity: Identity = OWNER) -> None:
        self.database, self.catalogue, self.identity = database, catalogue, identity

    @classmethod
    def open(cls, url: str | None = None, *, catalogue: Catalogue | None = None, identity: Identity = OWNER) -> Self:
        """The city in a database: the one of `url`, else of ONEMAP_DATABASE_URL, else the embedded one, started.

        Its tables are brought to the present. `catalogue` takes the place of the installed layers; the registers that
        the directory declares are added to it.
        Raises SetupError, Unavailable.
        """
        from gis.store.migrate import migrate  # noqa: PLC0415  Alembic, which an open city has no more need of

        url = url or ensure_database(Settings())
        catalogue = catalogue or Catalogue(registered_layers())
        migrate(url, catalogue.layers)
        database = Database(url)
        whole = with_published(with_declared(catalogue, database), database)
        derive(url, whole)
        return cls(database, with_policies(whole, database), identity)

    def __enter__(self) -> Self:
        """The city itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the city can be asked again, which opens them."""
        self.database.close()

    def ask(self, question: Query | Ask | str) -> Answer:
        """Ask a Query, the text of one (`base.pois?bbox=…`), or an Ask that says more.

        The database is asked when the answer is read. Raises BadQuery, UnknownName, Forbidden.
        """
        if isinstance(question, str):
            question = parse(question, self.catalogue)
        ask = question if isinstance(question, Ask) else Ask(query=question, identity=self.identity)
        if ask.identity is OWNER:
            # an Ask that names nobody is asked by whoever opened the city
            ask = replace(ask, identity=self.identity)
        return Answer(ask.plan(self.catalogue), self.database, ask.crs)

    def here(self, area: Area, *, collections: Iterable[str] | None = None, **options: Any) -> Surroundings:
        """Everything that the one map holds in an area, by collection (None: all of them), in one statement.

        `options` are those of `gis.query.here.Here`; of a circle its centre is the point from which distances are told.
        Raises UnknownName, Forbidden, BadQuery.
        """
        if isinstance(area, Circle):
            options = {"lon": area.lon, "lat": area.lat, **options}
        asked = Here(area=area, **options)
        seen = [c.id for c in self.catalogue if may_see(self.identity, c) and is_stated(self.identity, c)]
        chosen = [self.catalogue[name] for name in (seen if collections is None else collections)]
        plans = asked.plans(chosen, lambda query: Ask(query=query, identity=self.identity).plan(self.catalogue))
        found = Surroundings.read(asked, plans, self.database.rows(here.statement(asked, plans)))
        for held in found.held:
            PlanTrace(held.plan, self.database.url).told(held.count)
        estimates = {h.collection.id: self.database.rows(matching_rows.estimate(h.plan)) for h in found.bounds}
        return found.expecting({name: matching_rows.expected(rows) for name, rows in estimates.items()})

    def load(self, path: str | Path, into: str, *, progress: Progress | None = None, **options: Any) -> LoadReport:
        """Take a file into a collection; `options` are those of `LoadOptions`. Returns what became of every row.

        Raises UnknownName, BadInput, Conflict; then nothing of the file was taken.
        """
        with self.traced("loaded", collection=into) as told:
            report = load(self.database, self.catalogue, Path(path), into, LoadOptions(**options), progress)
            told |= {"rows": report.rows, "detail": {"load": report.load}}
        return report

    def deliver(
        self, register: str, path: str | Path, *, department: str, progress: Progress | None = None, **options: Any
    ) -> Delivered:
        """Hand over a department's file; `options` are those of `DeliveryOptions`. Returns what became of every row.

        Raises UnknownName, BadInput, Conflict; then nothing of the file was taken.
        """
        given = DeliveryOptions(**options)
        with self.traced("delivered", collection=register) as told:
            done = deliver(self.database, self.catalogue, register, Path(path), department, given, progress)
            told |= {"rows": done.rows.delivered, "detail": {"delivery": done.id, "department": department}}
        return done

    def withdraw(self, delivery: int) -> Delivered:
        """Take a delivery back: the register is as if it had never come. Raises NotFound, Conflict."""
        with self.traced("withdrawn", detail={"delivery": delivery}):
            return withdraw(self.database, self.catalogue, delivery, self.identity.name)

    def traced(self, event: str, **more: Any) -> AbstractContextManager[dict[str, Any]]:
        """Put into the trace how a change ends that is made inside; see `gis.tracing.traced_act`."""
        return traced_act(self.database.url, event, self.identity, **more)

    def has_loaded(self, path: str | Path, into: str) -> bool:
        """Whether this very file was taken into the collection before."""
        return loaded_before(self.database, Path(path), into)

    def has_delivered(self, register: str, path: str | Path, *, department: str, edition: datetime) -> bool:
        """Whether this very file came from the department before, for the same moment, and did not fail."""
        return handed_over_before(self.database, register, Path(path), department, edition)
