"""Every row of a file is checked, and each error names its line and its column."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from channels.models import Recipient
from channels.people.checking import KEPT, NOT_YOURS, Checked, read, recognise
from channels.people.columns import guess
from channels.people.exporting import csv_lines
from channels.people.table import rows_of
from orgs.clock import database_now
from orgs.sheets import neutral, plain
from tests.channels.people.conftest import line_id
from tests.channels.people.steps import done

pytestmark = pytest.mark.django_db

ONE, TWO = line_id(1), line_id(2)


@pytest.fixture
def check(account, world):
    """Check these lines as an import of taipei's would."""

    def run(*lines: list[str], unit=None) -> Checked:
        heading = ["Id", "Name", "Region", "Language", "Tags", "Opted out"]
        rows = list(enumerate([heading, *lines], start=1))
        checked = done(read(rows, guess(heading), account=account))
        recognise(checked, account=account, unit=unit or world.taipei)
        return checked

    return run


def test_a_row_says_who_somebody_is(check):
    (entry,) = check([ONE, " Ann ", "Seoul", "한국어", "vip, new"]).entries
    assert (entry.line, entry.address, entry.name, entry.region) == (2, ONE, "Ann", "Seoul")
    assert (entry.language, entry.tags, entry.known) == ("ko", ["vip", "new"], None)


def test_short_rows_have_empty_cells(check):
    (entry,) = check([ONE]).entries
    assert (entry.name, entry.language, entry.tags) == ("", "", [])


@pytest.mark.parametrize("code", ["zh-hant", "ZH_Hant", "繁體中文", ""])
def test_languages_are_read_by_code_and_by_name(check, code):
    (entry,) = check([ONE, "", "", code]).entries
    assert entry.language == ("zh-hant" if code else "")


@pytest.mark.parametrize(
    ("cell", "when"),
    [
        ("", None),
        ("No", None),
        ("아니요", None),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-03-02 09:05:00", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        ("2026/3/2 9:05", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        ("2026-03-02T18:05:00+09:00", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
    ],
)
def test_a_row_says_since_when_somebody_has_opted_out(check, cell, when):
    (entry,) = check([ONE, "", "", "", "", cell]).entries
    assert entry.opted_out_at == when


@pytest.mark.parametrize("cell", ["Yes", "y", "TRUE", "1", "예", "是", "2999-01-01"])
def test_a_yes_and_a_day_to_come_mean_from_now_on(check, cell):
    before = database_now()
    (entry,) = check([ONE, "", "", "", "", cell]).entries
    assert before <= entry.opted_out_at <= database_now()


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        (["", "Ann"], "Id", "missing"),
        (["C" + "0" * 32], "Id", "LINE"),
        ([ONE.lower()], "Id", "LINE"),
        ([f"={ONE}"], "Id", "formula"),
        ([ONE, "=HYPERLINK(1)"], "Name", "formula"),
        ([ONE, "", "+Seoul"], "Region", "formula"),
        ([ONE, "", "", "", "@vip"], "Tags", "formula"),
        ([ONE, "-1+2"], "Name", "formula"),
        ([ONE, "", "", "Klingon"], "Language", "繁體中文"),
        ([ONE, "n" * 101], "Name", "100"),
        ([ONE, "", "r" * 51], "Region", "50"),
        ([ONE, "", "", "", "t" * 51], "Tags", "50"),
        ([ONE, "", "", "", ",".join(map(str, range(21)))], "Tags", "20"),
        ([ONE, "", "", "", "", "perhaps"], "Opted out", "yes"),
        ([ONE, "", "", "", "", "x"], "Opted out", "yes"),
        ([ONE, "", "", "", "", "2026-02-30"], "Opted out", "yes"),
        ([ONE, "", "", "", "", "0001-01-01T00:00:00+09:00"], "Opted out", "yes"),
        ([ONE, "a\x00b"], "Name", "cannot be stored"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_column(check, cells, column, said):
    checked = check([TWO], cells)
    ((line, title, what),) = checked.problems
    assert (line, title) == (3, column) and said in what
    assert [entry.address for entry in checked.entries] == [TWO]


def test_all_that_is_wrong_in_a_row_is_said_at_once(check):
    checked = check(["", "=a", "=b"])
    assert [title for _line, title, _what in checked.problems] == ["Id", "Name", "Region"]


def test_what_is_wrong_is_said_after_the_value_that_is(check):
    ((_line, _title, what),) = check([ONE, "", "", "Klin\x00gon"]).problems
    assert what.startswith("“Klin gon”: ")
    ((_line, _title, what),) = check([ONE, "n" * 101]).problems
    assert what.startswith(f"“{'n' * 40}…”: ")


def test_a_comma_too_many_moves_no_row_aside(check):
    checked = check([ONE, "Ann", "", "", "vip", "", " ", ""], [TWO, "Ben", "", "", "", "", "new"])
    ((line, title, what),) = checked.problems
    assert (line, title) == (3, "7") and what.startswith("“new”: The heading has no such column")
    assert [entry.address for entry in checked.entries] == [ONE]


def test_a_formula_is_no_address_of_any_channel(world):
    rows = [(1, ["id"]), (2, ["=1+1"])]
    checked = done(read(rows, {"address": 0}, account=world.sandbox))
    assert [problem[:2] for problem in checked.problems] == [(2, "id")]


def test_an_address_twice_is_refused_the_second_time(check):
    ((line, _title, what),) = check([ONE], [TWO], [ONE]).problems
    assert line == 4 and "Line 2" in what


def test_problems_are_counted_but_not_all_kept(check):
    checked = check(*[["x"]] * (KEPT + 5))
    assert (len(checked.problems), checked.problem_count) == (KEPT, KEPT + 5)


def test_known_people_are_recognised(check, add_person, world):
    here = add_person(unit=world.taipei, address=ONE)
    below = add_person(unit=world.xinyi, address=TWO)
    checked = check([TWO], [ONE])
    assert [entry.known for entry in checked.entries] == [below.pk, here.pk]
    assert checked.updated == 2


@pytest.mark.parametrize("whose", ["tainan", "north", "hq"])
def test_a_person_of_others_is_refused_without_saying_that_there_is_one(
    check, add_person, world, whose
):
    add_person(unit=getattr(world, whose), address=ONE, name="Somebody")
    checked = check([ONE], [TWO])
    assert checked.problems == [(2, "Id", str(NOT_YOURS))]
    assert "Somebody" not in str(checked.problems)
    assert [entry.address for entry in checked.entries] == [TWO]


def test_the_same_address_of_another_account_is_another_person(check, add_person, account):
    person = add_person(address=ONE)
    other = type(account).objects.create(unit=account.unit, name="Other", kind="line")
    Recipient.objects.filter(pk=person.pk).update(account=other)
    assert check([ONE]).updated == 0


# Columns


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        (["이름", "주소", "태그"], {"name": 0, "address": 1, "tags": 2}),
        (["地址", "姓名", "地區", "語言", "標籤"],
         {"address": 0, "name": 1, "region": 2, "language": 3, "tags": 4}),
        (["User_ID", "  LANG "], {"address": 0, "language": 1}),
        (["주소", "수신 거부"], {"address": 0, "opted_out": 1}),
        (["地址", "拒收"], {"address": 0, "opted_out": 1}),
        (["name", "full name"], {"name": 0}),
        (["whatever"], {}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_headings(heading, found):
    assert guess(heading) == found


# Out and in again


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\tx", "\rx", "'=1", "'", "plain", ""])
def test_nothing_that_is_exported_is_carried_out_and_all_comes_back(cell):
    assert not neutral(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    if not cell.startswith("'"):
        assert plain(neutral(cell)) == cell


def test_what_is_exported_can_be_imported_again(check, add_person, account, world):
    person = add_person(
        "vip", "a b", address=ONE, name='=cmd|" /C calc"!A0', region="서울", language="ko",
        opted_out_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    )  # fmt: skip
    data = "".join(csv_lines(Recipient.objects.all())).encode()
    (_one, heading), *rows = rows_of(BytesIO(data), size=len(data), encoding="utf-8-sig")
    assert rows[0][1][1].startswith("'=")
    checked = done(read([(1, heading), *rows], guess(heading), account=account))
    recognise(checked, account=account, unit=world.xinyi)
    assert checked.problems == []
    (entry,) = checked.entries
    assert entry.known == person.pk and sorted(entry.tags) == ["a b", "vip"]
    assert (entry.name, entry.region, entry.language) == (person.name, "서울", "ko")
    assert entry.opted_out_at == person.opted_out_at
