"""The database itself refuses to change history entries and seals: see logs/chain/guard.py."""

from django.db import migrations

TABLES = ("logs_history", "logs_seal")
WORDS = "The history is append-only."

FUNCTION = f"""
CREATE FUNCTION teiji_keep_history() RETURNS trigger AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM logs_chain WHERE is_open) THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation';
END
$$ LANGUAGE plpgsql
"""
ON_POSTGRESQL = """
CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION teiji_keep_history()
"""
# Django empties SQLite's tables by DELETE, in tests and by `flush`: what is removed there is
# found by the chain alone.
ON_SQLITE = f"""
CREATE TRIGGER {{table}}_is_kept BEFORE UPDATE ON {{table}}
WHEN NOT EXISTS (SELECT 1 FROM logs_chain WHERE is_open)
BEGIN SELECT RAISE(ABORT, '{WORDS}'); END
"""


def put_up(apps, editor):
    is_postgresql = editor.connection.vendor == "postgresql"
    if is_postgresql:
        editor.execute(FUNCTION)
    for table in TABLES:
        editor.execute((ON_POSTGRESQL if is_postgresql else ON_SQLITE).format(table=table))


def take_down(apps, editor):
    is_postgresql = editor.connection.vendor == "postgresql"
    for table in TABLES:
        on = f" ON {table}" if is_postgresql else ""
        editor.execute(f"DROP TRIGGER {table}_is_kept{on}")
    if is_postgresql:
        editor.execute("DROP FUNCTION teiji_keep_history()")


class Migration(migrations.Migration):

    dependencies = [("logs", "0003_chain")]

    operations = [migrations.RunPython(put_up, take_down)]
