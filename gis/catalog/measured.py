"""What makes a collection measured: its rows tell, from a time on, what was measured at a feature of another one."""

from collections.abc import Sequence
from dataclasses import dataclass

from gis.catalog.field import Field, FieldType

#: How sure a value is, how many readings it was made of, and how good it is: they stand beside the parameters.
BESIDE = ("sd", "n", "quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The rows are measurements, valid from the moment at which they hold.

    `of` is the collection whose features are measured. Both declare keys with the same values, so that a feature and
    its measurements have one fid: with `valid_from` it is the key of the series, and the register's primary key is the
    index by which the newest value of a feature is found. `parameters` names the measured fields, numbers with their
    unit; of `sd`, `n` and `quality` those that are declared accompany them. `reach_m` is how far from a feature its
    values still speak for a place; `height` the number field of `of` that holds a feature's height above the ground in
    metres.
    """

    of: str
    parameters: tuple[str, ...]
    reach_m: float = 5_000.0
    height: str | None = None

    def check(self, collection: str, fields: Sequence[Field], key: tuple[str, ...], *, timed: bool) -> None:
        """Refuse a declaration under which no series could be found. Raises ValueError."""
        numbers = {f.name for f in fields if f.type in (FieldType.NUMBER, FieldType.INTEGER)}
        if not self.parameters or not numbers.issuperset(self.parameters):
            raise ValueError(f"{collection}: the parameters of a measured collection are fields that hold numbers")
        if not (timed and key):
            raise ValueError(f"{collection}: a measured collection has valid time, and the key of the feature measured")
