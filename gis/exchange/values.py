"""Batches in their collection's types: set-based, with every value that did not fit said."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.catalog import Collection, Field, FieldType
from gis.exchange.columns import Match, Matching, Typed, required_fields
from gis.exchange.converted import Converted, Fault, by_word, mask_of
from gis.exchange.notes import Notes
from gis.exchange.number_values import read_booleans, read_integers, read_numbers
from gis.exchange.readers.source import Batch, Findings
from gis.exchange.text_values import DIVISION_DIGITS, POSTCODE_DIGITS, read_texts
from gis.exchange.time_values import UTC_INSTANT, read_dates, read_instants
from gis.text import Text

ARROW_TYPES = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.INSTANT: UTC_INSTANT,
}
#: A sortable text stands in an index, whose entries PostgreSQL keeps below a third of a page.
LONGEST_SORTABLE_BYTES = 2_000
#: What columns of an end write where there is none yet.
_OPEN_ENDS = ("长期", "至今", "永久", "无限期", "长期有效", "9999-12-31", "9999/12/31", "99991231", "2999-12-31")
_TOO_LONG = Text(f"超过 {LONGEST_SORTABLE_BYTES} 字节", f"it is longer than {LONGEST_SORTABLE_BYTES} bytes")
_POSTCODES = frozenset({"postcode", "post_code", "zipcode"})


def convert(
    batch: Batch, matching: Matching, findings: Findings, notes: Notes | None = None, *, strict: bool = False
) -> Typed:
    """A batch in its collection's types.

    A row whose required or key field is empty or cannot be taken is refused in `findings` (reasons "missing-required"
    or that of the fault, such as "excel-damaged", "unknown-code", "bad-number", "bad-date", "too-long"); so is one
    whose valid time cannot be read or ends before it begins ("bad-valid-time"). Another value that cannot be taken
    becomes null and is noted in `notes`, which go on growing when they are handed in; with `strict` its row is refused
    as well. How values were understood is decided once for the file as "values".
    """
    notes = Notes() if notes is None else notes
    rejected = np.zeros(len(batch), dtype=bool)
    required = {f.name for f in required_fields(matching.collection)}
    arrays = []
    for of_field in matching.collection.fields:
        found, column = _field(batch, matching, of_field)
        _say(of_field.name, found, findings)
        arrays.append(found.array)
        if of_field.name in required:
            _reject_missing(batch, of_field, found, column, findings, rejected)
        elif strict:
            for fault in found.faults:
                _reject(batch, fault, of_field, column, findings, rejected)
        elif found.faults and column is not None:
            _note(batch, of_field, found.faults, column, notes)
    times = _valid_time(batch, matching, findings, rejected)
    table = pa.table(arrays, names=[f.name for f in matching.collection.fields])
    return _kept(batch, table, times, rejected, notes)


def _field(batch: Batch, matching: Matching, of_field: Field) -> tuple[Converted, pa.Array | None]:
    matched = matching.matches.get(of_field.name)
    if matched is None:
        return Converted(pa.nulls(len(batch), ARROW_TYPES[of_field.type])), None
    column = _plain(batch.table[matched.column])
    if of_field.values:
        return _coded(column, of_field), column
    found = _read(column, matched, matching.collection)
    return (_indexable(found) if of_field.sortable else found), column


def _indexable(found: Converted) -> Converted:
    """Without texts that are too long for an index."""
    if not pa.types.is_string(found.array.type):
        return found
    long = pc.greater(pc.binary_length(found.array), LONGEST_SORTABLE_BYTES)
    found.fault(long, "too-long", _TOO_LONG)
    return found.with_array(pc.if_else(long, pa.scalar(None, pa.string()), found.array))


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array of a type that the readers of values know: no dictionaries, and strings of the usual kind."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.nulls(0, column.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    return array


def _read(column: pa.Array, matched: Match, collection: Collection) -> Converted:
    of_field = matched.field
    match of_field.type:
        case FieldType.TEXT:
            return read_texts(column, _digits(of_field, collection))
        case FieldType.INTEGER:
            return read_integers(column, of_field.unit)
        case FieldType.NUMBER:
            return read_numbers(column, of_field.unit, matched.factor)
        case FieldType.BOOLEAN:
            return read_booleans(column)
        case FieldType.DATE:
            return read_dates(column)
        case FieldType.INSTANT:
            return read_instants(column)


def _digits(of_field: Field, collection: Collection) -> tuple[int, ...]:
    """The lengths that a code in this field may have, where that is a rule; none otherwise."""
    if of_field.name == collection.division or (collection.division == "code" and of_field.name == "parent"):
        return DIVISION_DIGITS
    return POSTCODE_DIGITS if of_field.name in _POSTCODES else ()


def _coded(column: pa.Array, of_field: Field) -> Converted:
    """A coded field: the code itself, or its title in Chinese or English; anything else is a fault, "unknown-code"."""
    found = read_texts(column)
    texts = found.array
    if not pc.all(pc.or_(pc.is_in(texts, value_set=pa.array(list(of_field.values))), pc.is_null(texts))).as_py():
        meanings = {word.casefold(): code for code, text in of_field.values.items() for word in (*text, code)}
        codes = by_word(texts, lambda word: meanings.get(word.casefold()) if word else None, pa.string())
        listed = "、".join(text.zh for text in list(of_field.values.values())[:12])
        known = ", ".join(list(of_field.values)[:12])
        text = Text(f"不是“{of_field.title.zh}”的代码或名称({listed})", f"it is no code of {of_field.name} ({known})")
        found.fault(pc.and_(pc.is_valid(texts), pc.is_null(codes)), "unknown-code", text)
        found = found.with_array(codes)
    if of_field.type is FieldType.TEXT:
        return found
    return found.with_array(pc.cast(found.array, ARROW_TYPES[of_field.type]))


def _say(name: str, found: Converted, findings: Findings) -> None:
    for remark in found.remarks:
        value = f"{name}: {remark.kind}"
        if not any(d.about == "values" and d.value == value for d in findings.decisions):
            findings.decide("values", value, *remark.text, sure=remark.sure)


def _note(batch: Batch, of_field: Field, faults: list[Fault], column: pa.Array, notes: Notes) -> None:
    for fault in faults:
        at = np.flatnonzero(fault.where)
        notes.add(
            of_field.name, fault.reason, fault.text, batch.rows[at].tolist(), column.take(pa.array(at)).to_pylist()
        )


def _reject_missing(
    batch: Batch,
    of_field: Field,
    found: Converted,
    column: pa.Array | None,
    findings: Findings,
    rejected: NDArray[np.bool_],
) -> None:
    """Refuse the rows without a value in a required field, each once, with the fault that took it or as missing."""
    if not found.array.null_count:
        return
    for fault in found.faults:
        _reject(batch, fault, of_field, column, findings, rejected)
    missing = Text(f"缺少{of_field.title.zh}", f"{of_field.title.en} is missing")
    _reject(
        batch, Fault(mask_of(pc.is_null(found.array)), "missing-required", missing), of_field, None, findings, rejected
    )


def _reject(
    batch: Batch,
    fault: Fault,
    of_field: Field,
    column: pa.Array | None,
    findings: Findings,
    rejected: NDArray[np.bool_],
) -> None:
    text = Text(f"{of_field.title.zh}:{fault.text.zh}", f"{of_field.title.en}: {fault.text.en}")
    text = fault.text if fault.reason == "missing-required" else text
    for at in np.flatnonzero(fault.where & ~rejected):
        value = "" if column is None else column[int(at)].as_py()
        findings.reject(batch.rows[at], fault.reason, text, value, of_field.name)
    rejected |= fault.where


def _valid_time(
    batch: Batch, matching: Matching, findings: Findings, rejected: NDArray[np.bool_]
) -> tuple[pa.Array, pa.Array]:
    """The two columns of valid time; rows where they cannot be read, or end before they begin, are refused."""
    times = []
    for name, source in (("valid_from", matching.valid_from), ("valid_to", matching.valid_to)):
        if source is None:
            times.append(pa.nulls(len(batch), UTC_INSTANT))
            continue
        column = _plain(batch.table[source])
        known = _without_open_ends(column) if name == "valid_to" else column
        found = read_instants(known)
        if known.null_count > column.null_count:
            found.remark("open-end", "“长期”、9999-12-31 等视为没有终止", "长期, 9999-12-31 and the like mean no end")
        _say(name, found, findings)
        for fault in found.faults:
            _reject_time(
                batch, fault.where, f"{source}: {fault.text.en}", f"{source}:{fault.text.zh}", findings, rejected
            )
        times.append(found.array)
    backwards = mask_of(pc.less_equal(times[1], times[0]))
    _reject_time(batch, backwards, "its valid time ends before it begins", "有效期的终止不晚于起始", findings, rejected)
    return times[0], times[1]


def _without_open_ends(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return column
    open_end = pc.is_in(pc.utf8_trim_whitespace(column), value_set=pa.array(_OPEN_ENDS))
    return pc.if_else(open_end, pa.scalar(None, pa.string()), column)


def _reject_time(
    batch: Batch, where: NDArray[np.bool_], en: str, zh: str, findings: Findings, rejected: NDArray[np.bool_]
) -> None:
    for at in np.flatnonzero(where & ~rejected):
        findings.reject(batch.rows[at], "bad-valid-time", Text(zh, en))
    rejected |= where


def _kept(
    batch: Batch, table: pa.Table, times: tuple[pa.Array, pa.Array], rejected: NDArray[np.bool_], notes: Notes
) -> Typed:
    if not rejected.any():
        return Typed(batch, table, *times, notes)
    keep = ~rejected
    mask = pa.array(keep)
    return Typed(batch.take(keep), table.filter(mask), times[0].filter(mask), times[1].filter(mask), notes)
