"""A MariaDB that hangs up while it is read."""

from urllib.parse import urlsplit

import pytest

from schedules.legacy.reading import Unusable, open_source
from schedules.legacy.reading.database import MySQL
from tests.schedules.legacy import stage
from tests.schedules.legacy.conftest import OldDatabase

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")

LONG = "가" * 20_000
PLENTY = [stage.schedule(number, description=LONG) for number in range(1, 401)]  # over 20 MB


def test_a_server_that_is_gone_midway_is_said(mariadb: OldDatabase) -> None:
    url = mariadb.fill({"kb_schedule": PLENTY})
    rows = open_source([url]).rows("kb_schedule")
    next(rows)
    with mariadb.connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM information_schema.processlist "
            "WHERE db = %s AND id <> connection_id()", [mariadb.name],
        )  # fmt: skip
        cursor.execute("KILL %s", cursor.fetchone())
    with pytest.raises(Unusable, match=r"The database at 127\.0\.0\.1 says"):
        list(rows)


def test_rows_may_be_taken_at_leisure(mariadb: OldDatabase) -> None:
    """By itself the server hangs up after a minute in which no more of them was fetched."""
    with MySQL(urlsplit(mariadb.url))._connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@session.net_write_timeout AS seconds")
        assert int(cursor.fetchone()["seconds"]) > 3600


def test_a_table_of_which_not_all_is_wanted_is_not_read_to_its_end(mariadb: OldDatabase) -> None:
    rows = open_source([mariadb.fill({"kb_schedule": PLENTY})]).rows("kb_schedule")
    assert next(rows).values["id"] == "1"
    rows.close()
