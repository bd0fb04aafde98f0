"""An import writes all of a file, or nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from channels.models import Audience, Recipient, RecipientImport, Tag
from channels.people import importing
from channels.people.unusable import UnusableFile
from logs.models import History
from orgs.clock import database_now
from tests.channels.people import workbooks
from tests.channels.people.conftest import line_id
from tests.channels.people.steps import done

pytestmark = pytest.mark.django_db

MAPPING = {"address": 0, "name": 1, "region": 2, "language": 3, "tags": 4, "opted_out": 5}
ONE, TWO, THREE = line_id(1), line_id(2), line_id(3)


@pytest.fixture
def upload(world, account, settings, tmp_path):
    """A file of taipei's, begun as a page would begin it."""
    settings.MEDIA_ROOT = tmp_path

    def begin(data: str | bytes, **values) -> RecipientImport:
        file = ContentFile(data.encode() if isinstance(data, str) else data)
        defaults = {"unit": world.taipei, "account": account, "file_name": "people.csv"}
        row = RecipientImport(**defaults | values)
        look = importing.look_at(file, file.size)
        row.file.save("people.csv", file, save=False)
        importing.begin(row, look, by=world.people["taipei"])
        return row

    return begin


def lines(*rows: str) -> str:
    return "\n".join(["id,name,region,language,tags,opted out", *rows])


def taken_in(row: RecipientImport, world) -> bool:
    done(importing.check_rows(row, encoding=row.encoding or "utf-8-sig", mapping=MAPPING))
    return done(importing.run(row, by=world.people["taipei"]))


def facts(address: str) -> tuple:
    person = Recipient.objects.get(address=address)
    tags = sorted(person.tags.values_list("name", flat=True))
    return (person.unit.code, person.name, person.region, person.language, tags)


def test_new_people_belong_to_the_units_import(upload, world):
    row = upload(lines(f'{ONE},Ann,Seoul,ko,"vip,new"', f"{TWO},,,,"))
    assert taken_in(row, world)
    assert facts(ONE) == ("taipei", "Ann", "Seoul", "ko", ["new", "vip"])
    assert facts(TWO) == ("taipei", "", "", "", [])
    assert (row.rows, row.created, row.updated, row.stage) == (2, 2, 0, "imported")


def test_a_workbook_is_imported_as_well(upload, world):
    row = upload(workbooks.table([*MAPPING], [ONE, "Ann", "Seoul", "ko", "vip", ""]))
    assert row.is_workbook and not row.needs_encoding
    assert taken_in(row, world)
    assert facts(ONE) == ("taipei", "Ann", "Seoul", "ko", ["vip"])


def test_known_people_are_updated_where_the_file_speaks(upload, add_person, world):
    add_person("vip", address=ONE, name="Old", region="Seoul", language="ko")
    row = upload(lines(f"{ONE},New,,zh-hant,gold", f"{TWO},Ben,,,"))
    assert taken_in(row, world)
    assert facts(ONE) == ("xinyi", "New", "Seoul", "zh-hant", ["gold", "vip"])
    assert (row.created, row.updated) == (1, 1)


def test_who_has_opted_out_stays_so(upload, add_person, world):
    person = add_person(address=ONE, opted_out_at=database_now())
    assert taken_in(upload(lines(f"{ONE},New,,,")), world)
    person.refresh_from_db()
    assert person.opted_out_at is not None


def test_an_opt_out_that_is_known_keeps_its_time_whatever_the_file_says(upload, add_person, world):
    first = database_now()
    for address in (ONE, TWO):
        add_person(address=address, opted_out_at=first)
    assert taken_in(upload(lines(f"{ONE},,,,,2026-03-02", f"{TWO},,,,,no")), world)
    assert set(Recipient.objects.values_list("opted_out_at", flat=True)) == {first}


def test_somebody_new_comes_with_the_opt_out_of_the_file(upload, world):
    assert taken_in(upload(lines(f"{ONE},,,,,2026-03-02T09:00:00Z", f"{TWO},,,,,")), world)
    when = dict(Recipient.objects.values_list("address", "opted_out_at"))
    assert when == {ONE: datetime(2026, 3, 2, 9, tzinfo=UTC), TWO: None}


def test_somebody_known_opts_out_now_so_that_what_is_planned_leaves_them_out(
    upload, add_person, world
):
    add_person(address=ONE)
    add_person(address=TWO)
    before = database_now()
    assert taken_in(upload(lines(f"{ONE},,,,,2026-03-02", f"{TWO},,,,,no")), world)
    assert Recipient.objects.get(address=ONE).opted_out_at >= before
    assert Recipient.objects.get(address=TWO).opted_out_at is None


def test_with_one_wrong_row_nothing_is_written(upload, world):
    row = upload(lines(f"{ONE},Ann,,,", f"{TWO},Ben,,Klingon,vip"))
    assert not taken_in(row, world)
    assert not Recipient.objects.exists() and not Tag.objects.exists()
    assert (row.stage, row.problem_count, row.problems[0][:2]) == ("refused", 1, [3, "language"])


def test_a_person_who_came_to_others_since_the_check_stops_it_all(upload, add_person, world):
    row = upload(lines(f"{ONE},Ann,,,", f"{TWO},Ben,,,"))
    done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))
    assert row.stage == "checked"
    add_person(unit=world.tainan, address=TWO)
    assert not done(importing.run(row, by=world.people["taipei"]))
    assert row.stage == "refused" and not Recipient.objects.filter(address=ONE).exists()


def test_a_fault_in_the_middle_leaves_nothing(upload, world, monkeypatch):
    row = upload(lines(f"{ONE},Ann,,,vip"))
    done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))

    def fail(*_args):
        raise IntegrityError

    monkeypatch.setattr(importing, "_tag", fail)
    with pytest.raises(UnusableFile, match="meanwhile"):
        done(importing.run(row, by=world.people["taipei"]))
    row.refresh_from_db()
    assert row.stage == "checked" and not Recipient.objects.exists()


def test_twice_is_once(upload, world):
    row = upload(lines(f"{ONE},Ann,,,"))
    twin = RecipientImport.objects.get(pk=row.pk)
    assert taken_in(row, world) and done(importing.run(row, by=world.people["taipei"]))
    with pytest.raises(UnusableFile, match="not there any more"):
        done(importing.check_rows(twin, encoding="utf-8-sig", mapping=MAPPING))
    row.refresh_from_db()
    assert row.stage == "imported" and Recipient.objects.count() == 1
    assert History.objects.filter(verb="imported").count() == 1


def test_an_unchecked_file_is_not_imported(upload, world):
    assert not done(importing.run(upload(lines(f"{ONE},Ann,,,")), by=world.people["taipei"]))
    assert not Recipient.objects.exists()


def test_an_account_that_was_taken_away_since_the_check_stops_it(upload, world, account):
    row = upload(lines(f"{ONE},Ann,,,"))
    done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))
    type(account).objects.update(unit=world.south)
    with pytest.raises(UnusableFile, match="cannot be used"):
        done(importing.run(RecipientImport.objects.get(pk=row.pk), by=world.people["taipei"]))
    assert not Recipient.objects.exists()


def test_all_of_the_file_come_on_the_fixed_list(upload, add_person, make_audience, world):
    known = add_person(address=ONE)
    audience = make_audience([known], unit=world.taipei)
    row = upload(lines(f"{ONE},,,,", f"{TWO},,,,"), audience=audience)
    assert taken_in(row, world)
    assert audience.count() == 2


def test_the_list_must_be_a_fixed_one_of_the_account_and_tree(
    upload, make_audience, world, account
):
    rule = make_audience(name="Rule")
    foreign = make_audience([], name="Foreign", unit=world.south)
    for audience in (rule, foreign):
        row = upload(lines(f"{ONE},,,,"), audience=audience)
        done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))
        with pytest.raises(UnusableFile, match="fixed list"):
            done(importing.run(row, by=world.people["taipei"]))
    assert Audience.objects.count() == 2


def test_the_file_lies_under_a_name_that_nobody_guesses_and_goes_when_done(upload, world):
    row = upload(lines(f"{ONE},,,,"))
    path = row.file.name
    assert "people" not in path and len(path.rpartition("/")[2]) == 32
    assert default_storage.exists(path)
    assert taken_in(row, world)
    assert not default_storage.exists(path) and not row.file


def test_a_file_that_nobody_went_on_with_is_deleted_after_a_day(upload, world):
    old = upload(lines(f"{ONE},,,,"))
    path = old.file.name
    RecipientImport.objects.update(created_at=database_now() - timedelta(hours=25))
    fresh = upload(lines(f"{TWO},,,,"))
    assert not default_storage.exists(path) and default_storage.exists(fresh.file.name)


def test_deleting_an_import_deletes_its_file(upload):
    row = upload(lines(f"{ONE},,,,"))
    path = row.file.name
    row.delete()
    assert not default_storage.exists(path)


def test_after_many_people_postgresql_counts_anew(upload, world, monkeypatch):
    monkeypatch.setattr(importing, "LARGE", 2)
    with CaptureQueriesContext(connection) as captured:
        assert taken_in(upload(lines(f"{ONE},,,,", f"{TWO},,,,")), world)
    analyzed = any(query["sql"].startswith("ANALYZE") for query in captured)
    assert analyzed == (connection.vendor == "postgresql")


def test_thousands_take_a_number_of_questions_that_grows_by_the_thousand(
    upload, world, django_assert_max_num_queries
):
    rows = [f"{line_id(number)},Name {number},Seoul,ko,vip,yes" for number in range(3_000)]
    row = upload(lines(*rows))
    done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))
    with django_assert_max_num_queries(60):
        assert done(importing.run(row, by=world.people["taipei"]))
    assert Recipient.objects.filter(tags__name="vip", region="Seoul").count() == 3_000


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_while_it_is_told_how_far_it_is(upload, world):
    row = upload(lines(*(f"{line_id(number)},Ann,,," for number in range(1_001))))
    told = []
    for steps in (
        importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING),
        importing.run(row, by=world.people["taipei"]),
    ):
        for rows in steps:
            told.append(rows)
            assert not connection.in_atomic_block
    assert told == [1000, 1000, importing.WRITING]
    assert Recipient.objects.count() == 1_001


def test_who_goes_away_while_it_is_read_leaves_nothing_behind(upload, world):
    row = upload(lines(*(f"{line_id(number)},Ann,,," for number in range(1_001))))
    done(importing.check_rows(row, encoding="utf-8-sig", mapping=MAPPING))
    steps = importing.run(row, by=world.people["taipei"])
    assert next(steps) == 1000
    steps.close()
    row.refresh_from_db()
    assert (row.stage, Recipient.objects.count()) == ("checked", 0)
