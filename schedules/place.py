"""Where the database is: what stays the same for one database, and differs for each copy."""

from pathlib import Path
from typing import Any

from django.db import connection

Place = dict[str, Any]

TABLE = "schedules_installation"
SHOWN_ONLY = "path"  # a folder may be moved, or mounted elsewhere: its files stay what they are


def present_place() -> Place:
    """The place of the database in use. What cannot be read is left out.

    On PostgreSQL the cluster, the database in it and one table in that: a template copy has
    another database, a dump that was restored in place another table. On SQLite the file.
    """
    if connection.vendor == "postgresql":
        return _postgresql()
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or not path.exists():
        return {}
    return {"file": str(path.stat().st_ino), "path": str(path.resolve())}


def differences(recorded: Place, present: Place) -> list[str]:
    """What differs, of all that both sides know."""
    common = (recorded.keys() & present.keys()) - {SHOWN_ONLY}
    if recorded and present and not common:
        common = (recorded.keys() | present.keys()) - {SHOWN_ONLY}  # another engine
    return sorted(name for name in common if recorded.get(name) != present.get(name))


def difference_in_words(recorded: Place, present: Place) -> str:
    """For the person who must decide: the numbers, and the paths where there are any."""
    told = [*differences(recorded, present), SHOWN_ONLY]
    lines = (f"{name} {recorded.get(name, '–')} → {present.get(name, '–')}" for name in told
             if recorded.get(name) != present.get(name))  # fmt: skip
    return "; ".join(lines)


def _postgresql() -> Place:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::text,"
            " %s::regclass::oid::text,"
            " has_function_privilege('pg_control_system()', 'execute')",
            [TABLE],
        )
        database, table, may_ask = cursor.fetchone()
        place = {"database": database, "table": table}
        if may_ask:
            cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
            place["cluster"] = cursor.fetchone()[0]
    return place
