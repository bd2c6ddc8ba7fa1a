"""A delivery taken back: the register is as if it had never come, and the record says that it had."""

import json

from gis.catalog import Catalogue
from gis.errors import Conflict
from gis.exchange.delivery import answering, claims, fold, later, records, tasking
from gis.exchange.delivery.account import Delivered
from gis.exchange.delivery.pseudonym import secret
from gis.exchange.delivery.settling import next_epoch, settle
from gis.exchange.directory.registers import known_deliverable
from gis.store.database import Database, connect, translated


def withdraw(database: Database, catalogue: Catalogue, delivery: int, by: str = "") -> Delivered:
    """Withdraw a delivery. Raises NotFound, Conflict where it is not in the register or not any more."""
    with translated(), connect(database.url, autocommit=True) as conn:
        name = records.record(conn, delivery).register
        with records.turn(conn, name), conn.transaction():
            record, register = records.record(conn, delivery), known_deliverable(database, name)
            if record.state not in ("done", "received"):
                raise Conflict(
                    f"delivery {delivery} is {record.state}: only one that is done or waits can be withdrawn",
                    f"报送 {delivery} 的状态为 {record.state},只能撤回已入库或待处理的报送",
                    subject=str(delivery),
                )
            if record.state == "done":
                fold.touch(conn, f"SELECT fid FROM {register.claims} WHERE delivery = %(d)s", {"d": delivery})
                own = f"(SELECT * FROM {register.claims} WHERE delivery = {int(delivery)} AND NOT withdrawn)"
                later.write_out(conn, register, record.place, own)
                conn.execute(f"UPDATE {register.claims} SET withdrawn = true WHERE delivery = %s", (delivery,))
                later.settle_absences(conn, register, record.place, secret(conn))
                # what it only repeated may have been returned in its rows; who said it before is asked now
                fold.touch(conn, tasking.TOUCHING, {"delivery": delivery, "compared": list(tasking.COMPARED)})
                claims.settle_latest(conn, register, record.department)
                tasking.withdraw(conn, delivery)
                epoch = next_epoch(conn, name)
                merged = settle(database, conn, register, delivery, epoch)
                merged.finish()
                if merged.changed:
                    conn.execute("SELECT core.stamp(%s, %s, %s)", (name, epoch, delivery))
            conn.execute(
                "UPDATE exchange.delivery SET state = 'withdrawn', withdrawn_at = clock_timestamp(), withdrawn_by = %s,"
                " findings = findings || %s WHERE id = %s",
                (by, json.dumps({"withdrawn_from": record.state}), delivery),
            )
            answering.reopen(conn, register, record.place)
        return records.delivered(conn, delivery)
