"""The archive in the admin: searched, opened, and by those alone who reached it before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from schedules.models import ArchivedRun, Run
from tests.schedules.archive.conftest import move_july

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/archivedrun/"


@pytest.fixture
def archived(world, old):
    """One run of xinyi, one of tainan."""
    mine, other = old(), old(world.tainan, room_name="Tainan lobby", room=world.tainan_room)
    Run.objects.filter(pk=mine.run_id).update(content={"text": "Good morning, July"})
    move_july()
    return mine.run_id, other.run_id


def page(client, world, person: str, address: str):
    client.force_login(world.people[person])
    return client.get(address)


def test_the_list_shows_what_is_within_reach(client, world, archived):
    found = {
        person: set(page(client, world, person, LIST).context["cl"].queryset.values_list("pk"))
        for person in ("hq", "xinyi", "tainan")
    }
    mine, other = ((pk,) for pk in archived)
    assert found == {"hq": {mine, other}, "xinyi": {mine}, "tainan": {other}}


@pytest.mark.parametrize(
    ("asked", "count"),
    [("q=lobby", 1), ("q=nowhere", 0), ("month=2024-07", 2), ("month=2024-06", 0), ("month=x", 0),
     ("state__exact=sent", 2), ("state__exact=failed", 0)],
)  # fmt: skip
def test_it_is_narrowed_and_searched(client, world, archived, asked, count):
    assert page(client, world, "hq", f"{LIST}?{asked}").context["cl"].result_count == count


def test_a_run_shows_its_deliveries_and_what_the_channel_answered(client, world, archived):
    text = page(client, world, "xinyi", f"{LIST}{archived[0]}/change/").content.decode()
    for said in ("Good morning, July", "From the archive of 2024-07", "2 attempts", "accepted"):
        assert said in text
    assert page(client, world, "xinyi", f"{LIST}{archived[1]}/change/").status_code == 404
    assert page(client, world, "tainan", f"{LIST}{archived[0]}/change/").status_code == 404


def test_the_page_of_a_run_leads_on_to_the_archive(client, world, archived):
    mine, other = archived
    answer = page(client, world, "xinyi", f"/admin/schedules/run/{mine}/change/")
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{mine}/change/")
    for foreign in (other, 10**9, "x"):
        address = f"/admin/schedules/run/{foreign}/change/"
        assert page(client, world, "xinyi", address).status_code == 404


def test_more_deliveries_than_a_page_are_turned_over(client, world, archived, monkeypatch):
    monkeypatch.setattr("schedules.admin.archive.DELIVERIES_A_PAGE", 1)
    address = f"{LIST}{archived[0]}/change/"
    assert page(client, world, "xinyi", f"{address}?from=1").context["lines"] == []
    assert len(page(client, world, "xinyi", f"{address}?from=x").context["lines"]) == 1


@pytest.mark.parametrize("damage", ["gone", "altered"])
def test_a_damaged_file_is_told_and_nothing_else_of_it(client, world, archived, root, damage):
    file = root / "2024-07.jsonl.gz"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9] + b"123456789")
    answer = page(client, world, "xinyi", f"{LIST}{archived[0]}/change/")
    assert answer.status_code == 200
    assert "missing or damaged" in answer.content.decode()
    assert str(root) not in answer.content.decode()
    assert ArchivedRun.objects.count() == 2


def test_thirty_runs_ask_no_more_than_one(client, world, old):
    def asked(count: int) -> int:
        for _ in range(count):
            old()
        move_july()
        page(client, world, "xinyi", LIST)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    few = asked(1)
    assert asked(29) == few
