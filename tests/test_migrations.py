"""Old and new code work on one database while an installation is upgraded: migrations only add.

Whatever the code of the release before reads or writes must still be there, and what it does not
know of must not be asked of it. What has to go, goes one release later, and is listed here.
"""

from collections.abc import Iterator

import pytest
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

# The last ones that no other release stood before. At a release: never lower.
BASELINE = {
    "orgs": "0004_room_limits",
    "logs": "0002_billing",
    "channels": "0013_labels_and_counts",
    "schedules": "0011_labels",
    "teiji": "0001_requests",
}
# "app.migration: what it does" → why the code of the release before does not mind.
BY_DEFAULT = "It holds of every row that does not use the new column, which older code cannot."
ALLOWED: dict[str, str] = {
    "schedules.0025_occurrence_changes: Create constraint no_occurrence_twice on model run": (
        "older code writes no first_due_at: to it this is the constraint that is there already"
    ),
    "channels.0024_sandbox_people: Create constraint one_sandbox_message_per_key_and_address "
    "on model sandboxmessage": (
        "older code writes a key for one address only: to it this is the constraint there was"
    ),
    "channels.0015_never_quiet: Create constraint a_room_is_never_quiet_or_has_quiet_hours "
    "on model room": BY_DEFAULT,
    "schedules.0031_template_timing: Create constraint no_half_default_timing "
    "on model messagetemplate": BY_DEFAULT,
    "schedules.0031_template_timing: Create constraint default_priority_within_0_and_100 "
    "on model messagetemplate": BY_DEFAULT,
    "schedules.0031_template_timing: Create constraint default_on_quiet_is_known "
    "on model messagetemplate": BY_DEFAULT,
    "channels.0031_told_of_questions: Create constraint one_notice_per_approval "
    "on model ownnotice": BY_DEFAULT,
    "orgs.0006_never_quiet: Create constraint a_unit_is_never_quiet_or_has_quiet_hours "
    "on model unit": BY_DEFAULT,
}

GONE = (ops.RemoveField, ops.DeleteModel, ops.RenameField, ops.RenameModel, ops.AlterModelTable)


def objections(migration: Migration, before: ProjectState) -> Iterator[str]:
    """What it does to tables that are there already, and older code minds."""
    app, state = migration.app_label, before.clone()
    for operation in migration.operations:
        if any(_minds(step, app, state, before) for step in _in_the_database(operation)):
            yield f"{app}.{migration.name}: {operation.describe()}"
        operation.state_forwards(app, state)


def _in_the_database(operation: ops.base.Operation) -> list[ops.base.Operation]:
    is_split = isinstance(operation, ops.SeparateDatabaseAndState)
    return operation.database_operations if is_split else [operation]


def _minds(
    operation: ops.base.Operation, app: str, state: ProjectState, before: ProjectState
) -> bool:
    if isinstance(operation, ops.RunSQL):
        return True  # nobody can tell
    names = (getattr(operation, name, None) for name in ("model_name", "old_name", "name"))
    table = app, next((name.lower() for name in names if name), "")
    if table not in before.models:
        return False  # older code does not know it
    match operation:
        case ops.AddField(field=field):
            return not field.many_to_many and _must_be_given(field)
        case ops.AlterField(field=field, name=column):
            return _narrows(state.models[table].fields[column], field)
        case ops.AddConstraint() | ops.AlterUniqueTogether():
            return True  # older code does not keep to it
    return isinstance(operation, GONE)


def _must_be_given(field: models.Field) -> bool:
    """Python's default is not the database's: an INSERT that leaves the column out fails."""
    return not field.null and not field.has_db_default()


def _narrows(before: models.Field, after: models.Field) -> bool:
    if before.get_internal_type() != after.get_internal_type():
        return True
    if after.max_length is not None and after.max_length < (before.max_length or 0):
        return True
    return before.null and _must_be_given(after)


def after_the_baseline() -> list[tuple[Migration, ProjectState]]:
    loader = MigrationLoader(None, replace_migrations=False)
    found = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in BASELINE and name > BASELINE[app]:
            found.append((migration, loader.project_state((app, name), at_end=False)))
    return found


def test_the_baseline_names_migrations_that_there_are() -> None:
    there = MigrationLoader(None).disk_migrations
    assert [name for name in BASELINE.items() if name not in there] == []


def test_every_migration_leaves_older_code_what_it_needs() -> None:
    found = [said for migration, before in after_the_baseline()
             for said in objections(migration, before)]  # fmt: skip
    assert sorted(set(found) - ALLOWED.keys()) == [], (
        "Workers of the release before still run on these tables: add the column with null=True"
        " or db_default=…, drop it one release later, and list that in ALLOWED with its reason."
    )
    assert sorted(ALLOWED.keys() - set(found)) == [], "no longer true"


def room_with(**columns: models.Field) -> ProjectState:
    state = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), *columns.items()]
    state.add_model(ModelState("channels", "Room", fields))
    return state


ROOM = {"name": models.CharField(max_length=100), "note": models.TextField(null=True)}
LONGER, SHORTER = models.CharField(max_length=200), models.CharField(max_length=50)
NEVER_NEGATIVE = models.CheckConstraint(condition=models.Q(id__gte=0), name="id_is_not_negative")
NEW_TABLE = ops.CreateModel("Device", [("id", models.BigAutoField(primary_key=True))])


@pytest.mark.parametrize(
    "operation",
    [
        ops.AddField("room", "size", models.IntegerField(null=True)),
        ops.AddField("room", "size", models.IntegerField(default=0, db_default=0)),
        ops.AlterField("room", "name", LONGER),
        ops.AddIndex("room", models.Index(fields=["name"], name="rooms_by_name")),
        ops.RunPython(ops.RunPython.noop),
        NEW_TABLE,
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_older_code_does_not_notice_is_allowed(operation: ops.base.Operation) -> None:
    assert objections_to(operation) == []


@pytest.mark.parametrize(
    "operation",
    [
        ops.AddField("room", "size", models.IntegerField(default=0)),
        ops.RemoveField("room", "note"),
        ops.RenameField("room", "note", "remark"),
        ops.RenameModel("Room", "Place"),
        ops.DeleteModel("Room"),
        ops.AlterModelTable("room", "places"),
        ops.AlterField("room", "note", models.TextField(default="")),
        ops.AlterField("room", "name", SHORTER),
        ops.AlterField("room", "note", models.IntegerField(null=True)),
        ops.AddConstraint("room", NEVER_NEGATIVE),
        ops.RunSQL("ALTER TABLE channels_room DROP COLUMN note"),
        ops.SeparateDatabaseAndState([ops.RemoveField("room", "note")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_older_code_would_stumble_over_is_found(operation: ops.base.Operation) -> None:
    assert len(objections_to(operation)) == 1


def test_a_table_that_older_code_does_not_know_may_change() -> None:
    column = ops.AddField("device", "size", models.IntegerField(default=0))
    assert objections_to(NEW_TABLE, column, ops.RemoveField("device", "size")) == []


def objections_to(*operations: ops.base.Operation) -> list[str]:
    migration = Migration("0099_next", "channels")
    migration.operations = list(operations)
    return list(objections(migration, room_with(**ROOM)))
