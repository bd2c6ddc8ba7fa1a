"""What filters may name: the declared fields, a feature's number, and the two ends of its own valid time."""

from gis.catalog import Collection, Field, FieldType
from gis.text import Text

FID = Field(
    name="fid", type=FieldType.INTEGER, title=Text("要素编号", "Feature id"),
    description=Text("在数据集内唯一且长期不变", "Unique in its collection and stable over re-loads"),
)  # fmt: skip
VALID_FROM = Field(
    name="valid_from", type=FieldType.INSTANT, title=Text("有效期起", "Valid from"),
    description=Text("空值表示没有起点", "Missing where there is no beginning"),
)  # fmt: skip
VALID_TO = Field(
    name="valid_to", type=FieldType.INSTANT, title=Text("有效期止(不含)", "Valid to (exclusive)"),
    description=Text("空值表示没有终点", "Missing where there is no end"),
)  # fmt: skip

#: What each standard name means to OGC API – Features part 5.
ROLES = {"fid": "id", "valid_from": "primary-interval-start", "valid_to": "primary-interval-end"}
#: A missing bound is an infinite one in the tables.
COLUMNS = {"valid_from": "nullif(valid_from, '-infinity')", "valid_to": "nullif(valid_to, 'infinity')"}


def standard(collection: Collection) -> tuple[Field, ...]:
    """The names that every collection has; those of valid time where it has any."""
    return (FID, VALID_FROM, VALID_TO) if collection.timed else (FID,)


def queryables(collection: Collection) -> dict[str, Field]:
    """Everything but geometry that a filter may name; of a collection as a caller sees it, all that he may name."""
    exact = {name: field for name, field in collection.by_name.items() if name not in collection.masked}
    return {**exact, **{field.name: field for field in standard(collection)}}
