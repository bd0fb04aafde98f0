"""Where the unit of an entry stands now: its reach, while `unit_path` stays as it was sealed."""

from importlib import import_module

from django.db import migrations, models
from django.db.models import F

GUARD = "logs_history_is_kept"
ON_SQLITE = import_module("logs.migrations.0004_guard").ON_SQLITE


def fill(apps, editor):
    """SQLite has lost its trigger with the new column."""
    is_postgresql = editor.connection.vendor == "postgresql"
    if is_postgresql:
        editor.execute(f"ALTER TABLE logs_history DISABLE TRIGGER {GUARD}")
    apps.get_model("logs", "History").objects.update(place=F("unit_path"))
    if is_postgresql:
        editor.execute(f"ALTER TABLE logs_history ENABLE TRIGGER {GUARD}")
    else:
        put_up_again(apps, editor)


def put_up_again(apps, editor):
    if editor.connection.vendor == "sqlite":
        editor.execute(ON_SQLITE.format(table="logs_history"))


class Migration(migrations.Migration):

    dependencies = [
        ("logs", "0007_requests"),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, put_up_again),
        migrations.RemoveIndex(
            model_name="history",
            name="history_by_unit",
        ),
        migrations.AddField(
            model_name="history",
            name="place",
            field=models.CharField(db_default="", default="", editable=False, max_length=255),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="history",
            index=models.Index(fields=["place"], name="history_by_place", opclasses=["varchar_pattern_ops"]),
        ),
    ]
