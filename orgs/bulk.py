"""Writes many rows at once, several times faster than the ORM: what the dispatcher can do in a
second ends here. It sends no signals, and leaves alone the columns that it is not given."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction

Row = Sequence[Any]

FEW = 4  # rows for which a statement each is as fast
AT_ONCE = 1000  # rows of one statement of the ORM

# Fields that take a value of this very type as it is. Anything else, a number in a text column
# say, is for the field to prepare. To ask it takes longer than to write the row.
TAKEN_AS_IT_IS: dict[type[models.Field], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.UUIDField: UUID,
    models.DateTimeField: datetime,
    models.BigAutoField: int,
    models.BigIntegerField: int,
    models.IntegerField: int,
    models.SmallIntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveSmallIntegerField: int,
}


def insert(rows: Sequence[models.Model], *, ids: bool = False) -> None:
    """Insert new rows of one model; with `ids`, each knows its own afterwards."""
    if not rows:
        return
    has_copy = connection.vendor == "postgresql"
    if ids and not has_copy:
        _manager(rows).bulk_create(rows, batch_size=AT_ONCE)
        return
    if ids:
        _number(rows)
    fields = [f for f in rows[0]._meta.concrete_fields if ids or not f.primary_key]
    columns = [_prepared(field, _held(field, rows)) for field in fields]
    write = _copy if has_copy else _insert_each
    write(rows[0]._meta.db_table, fields, zip(*columns, strict=True))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def insert_new(rows: Sequence[models.Model]) -> bool:
    """Insert these rows but for those that a unique constraint refuses. Returns whether all are
    in: as a rule they are, and nothing need be looked up."""
    if not rows:
        return True
    try:
        with transaction.atomic():
            insert(rows)
    except IntegrityError:
        _manager(rows).bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
        return False
    return True


def update_each(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    by: Sequence[str] = ("id",),
    constants: Mapping[str, Any] | None = None,
    among: Mapping[str, Iterable[Any]] | None = None,
) -> int:
    """Give each row its own values, and all of them the `constants`. Returns how many it found.

    A row is (*values of `columns`, *values of `by`, which say what row it is); no two may mean
    the same one. `among`: only rows that hold one of these values in that column.
    """
    if not rows:
        return 0
    fields = [_field(model, name) for name in (*columns, *by)]
    keys = fields[len(columns) :]
    values = {f: _prepared(f, c) for f, c in zip(fields, zip(*rows, strict=True), strict=True)}
    # Mostly a column holds one value: sent once for all.
    same = {f: column[0] for f, column in values.items() if f not in keys and _is_one(column)}
    own = {field: column for field, column in values.items() if field not in same}
    same |= _same_for_all(model, constants or {})
    one_by_one = connection.vendor != "postgresql" or len(rows) <= FEW
    sources = {f: "%s" if one_by_one else f"new.v{place}" for place, f in enumerate(own)}
    changes = [f"{_name(field)} = %s" for field in same]
    changes += [f"{_name(field)} = {sources[field]}" for field in own if field not in keys]
    conditions, allowed = _conditions(model, among or {})
    conditions = [f"{_name(field)} = {sources[field]}" for field in keys] + conditions
    statement = (
        f"UPDATE {_quote(model._meta.db_table)} SET {', '.join(changes)}"  # noqa: S608
        f"{'' if one_by_one else _from_arrays(list(own))} WHERE {' AND '.join(conditions)}"
    )
    with connection.cursor() as cursor:
        if one_by_one:
            each = zip(*own.values(), strict=True)
            cursor.executemany(statement, [(*same.values(), *row, *allowed) for row in each])
        else:
            cursor.execute(statement, [*same.values(), *own.values(), *allowed])
        return int(cursor.rowcount)


def _is_one(values: Sequence[Any]) -> bool:
    return values.count(values[0]) == len(values)


def _number(rows: Sequence[models.Model]) -> None:
    """Draw the ids beforehand: COPY returns none."""
    meta = rows[0]._meta
    assert meta.pk is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH numbers AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, %s)::regclass AS id)"
            " SELECT nextval(numbers.id) FROM numbers, generate_series(1, %s)",
            [_quote(meta.db_table), meta.pk.column, len(rows)],
        )
        for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = number


def _copy(table: str, fields: Sequence[Any], rows: Iterable[Row]) -> None:
    connection.validate_no_broken_transaction()
    # What Django does around execute() only: its errors are the ones that callers know.
    statement = f"COPY {_quote(table)} ({_names(fields)}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _insert_each(table: str, fields: Sequence[Any], rows: Iterable[Row]) -> None:
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {_quote(table)} ({_names(fields)}) VALUES ({marks})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _same_for_all(model: type[models.Model], values: Mapping[str, Any]) -> dict[Any, Any]:
    fields = {_field(model, name): value for name, value in values.items()}
    return {f: f.get_db_prep_save(value, connection) for f, value in fields.items()}


def _conditions(
    model: type[models.Model], among: Mapping[str, Iterable[Any]]
) -> tuple[list[str], list[Any]]:
    conditions, values = [], []
    for name, allowed in among.items():
        field = _field(model, name)
        some = [field.get_db_prep_save(value, connection) for value in allowed]
        conditions.append(f"{_hidden(field)} IN ({', '.join(['%s'] * len(some))})")
        values += some
    return conditions, values


def _hidden(field: Any) -> str:
    """The column so that PostgreSQL looks rows up by their keys all the same. It thinks that
    states such as "sending" are rare, and would compare all that have one with all arrays."""
    is_postgresql = connection.vendor == "postgresql"
    return f"(ARRAY[{_name(field)}])[1]" if is_postgresql else _name(field)


def _from_arrays(fields: Sequence[Any]) -> str:
    """The values as a table of which each column is one parameter."""
    # Without lengths: varchar(50)[] would cut off what the column must refuse.
    types = [field.db_type(connection).partition("(")[0] for field in fields]
    names = ", ".join(f"v{place}" for place in range(len(fields)))
    return f" FROM unnest({', '.join(f'%s::{name}[]' for name in types)}) AS new({names})"


def _held(field: Any, rows: Iterable[models.Model]) -> list[Any]:
    """What the rows hold in this field, which may set itself as the row is stored."""
    if type(field) in TAKEN_AS_IT_IS and not _sets_itself(field):
        return list(map(attrgetter(field.attname), rows))
    return [field.pre_save(row, True) for row in rows]


def _sets_itself(field: Any) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def _prepared(field: Any, values: Sequence[Any]) -> list[Any]:
    """These values as the driver takes them."""
    prepare = partial(field.get_db_prep_save, connection=connection)
    taken = TAKEN_AS_IT_IS.get(type(_target(field)))
    if taken is datetime:
        known = {value: prepare(value) for value in set(values)}  # mostly a few, many times
        return [known[value] for value in values]
    if taken is None or (taken is UUID and not connection.features.has_native_uuid_field):
        return list(map(prepare, values))
    return [v if v is None or type(v) is taken else prepare(v) for v in values]


def _target(field: Any) -> Any:
    return _target(field.target_field) if type(field) is models.ForeignKey else field


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _manager(rows: Sequence[models.Model]) -> Any:
    return type(rows[0])._default_manager


def _names(fields: Iterable[Any]) -> str:
    return ", ".join(map(_name, fields))


def _name(field: Any) -> str:
    return _quote(field.column)


def _quote(name: str) -> str:
    return str(connection.ops.quote_name(name))
