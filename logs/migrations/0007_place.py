"""Where the unit of an entry stands now: its reach, while `unit_path` stays as it was sealed."""

from django.db import migrations, models
from django.db.models import F

GUARD = "logs_history_is_kept"
# As in 0004: SQLite writes the table anew for a column, and loses its trigger by that.
ON_SQLITE = f"""
CREATE TRIGGER IF NOT EXISTS {GUARD} BEFORE UPDATE ON logs_history
WHEN NOT EXISTS (SELECT 1 FROM logs_chain WHERE is_open)
BEGIN SELECT RAISE(ABORT, 'The history is append-only.'); END
"""


def fill(apps, editor):
    is_postgresql = editor.connection.vendor == "postgresql"
    switch = f"ALTER TABLE logs_history {{}} TRIGGER {GUARD}" if is_postgresql else ""
    editor.execute(switch.format("DISABLE") if switch else f"DROP TRIGGER IF EXISTS {GUARD}")
    apps.get_model("logs", "History").objects.update(place=F("unit_path"))
    editor.execute(switch.format("ENABLE") if switch else ON_SQLITE)


class Migration(migrations.Migration):

    dependencies = [
        ("logs", "0006_named_fields"),
    ]

    operations = [
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
