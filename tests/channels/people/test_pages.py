"""The pages of recipients, audiences and imports."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from channels.admin import audiences
from channels.models import Account, Audience, Recipient, RecipientImport
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from tests.channels.people import workbooks
from tests.channels.people.conftest import line_id
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

RECIPIENTS, AUDIENCES, IMPORTS = (
    f"/admin/channels/{name}/" for name in ("recipient", "audience", "recipientimport")
)
ONE, TWO, THREE = line_id(1), line_id(2), line_id(3)


@pytest.fixture
def staff(client: Client, world) -> Client:
    """The manager of taipei."""
    client.force_login(world.people["taipei"])
    return client


def text_of(answer: Any) -> str:
    return answer.content.decode()


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


@pytest.fixture
def person(world, account):
    def posted(**other: Any) -> dict[str, Any]:
        return {
            "unit": world.xinyi.pk, "account": account.pk, "address": ONE, "name": "Ann",
            "region": " Seoul ", "language": "ko", "tag_words": "vip, new",
        } | other  # fmt: skip

    return posted


@pytest.fixture
def rule(world, account):
    def posted(**other: Any) -> dict[str, Any]:
        return {
            "unit": world.taipei.pk, "account": account.pk, "name": "Koreans", "kind": "rule",
            "tag_match": "any", "language_codes": ["ko"], "is_active": "on",
        } | other  # fmt: skip

    return posted


# Recipients


def test_a_person_is_added_with_tags_in_words(staff, person):
    assert staff.post(f"{RECIPIENTS}add/", person()).status_code == 302
    added = Recipient.objects.get()
    assert (added.region, added.unit.code) == ("Seoul", "xinyi")
    assert sorted(added.tags.values_list("name", "unit__code")) == [
        ("new", "xinyi"), ("vip", "xinyi"),
    ]  # fmt: skip
    assert "new, vip" in text_of(staff.get(RECIPIENTS)).replace("vip, new", "new, vip")


def test_an_address_is_never_changed(staff, person, add_person):
    known = add_person(address=TWO)
    answer = staff.post(f"{RECIPIENTS}{known.pk}/change/", person(address=ONE))
    assert set(errors_of(answer)) == {"address"}


def test_the_first_opting_out_counts_and_can_be_taken_back(staff, person):
    staff.post(f"{RECIPIENTS}add/", person(has_opted_out="on"))
    added = Recipient.objects.get()
    first = added.opted_out_at
    change = f"{RECIPIENTS}{added.pk}/change/"
    staff.post(change, person(has_opted_out="on", name="Anne"))
    added.refresh_from_db()
    assert added.name == "Anne" and added.opted_out_at == first is not None
    staff.post(change, person())
    added.refresh_from_db()
    assert added.opted_out_at is None


def test_a_person_of_others_is_refused_without_a_name(staff, person, add_person, world):
    add_person(unit=world.tainan, address=ONE, name="Somebody")
    answer = staff.post(f"{RECIPIENTS}add/", person())
    assert "ask your headquarters" in str(errors_of(answer))
    assert "Somebody" not in text_of(answer)


def test_only_accounts_with_audiences_are_offered(staff, world, account):
    Account.objects.create(unit=world.hq, name="Phone", kind="iris", is_shared=True)
    form = staff.get(f"{RECIPIENTS}add/").context["adminform"].form
    assert set(form.fields["account"].queryset) == {account, world.sandbox}


@pytest.mark.parametrize("page", [RECIPIENTS, AUDIENCES, IMPORTS])
def test_the_account_that_knows_ones_people_is_marked_and_taken(staff, world, add_person, page):
    def offered() -> tuple[list[str], Any]:
        field = staff.get(f"{page}add/").context["adminform"].form["account"]
        return [label for value, label in field.field.choices if value], field.value()

    add_person(unit=world.tainan, account=world.sandbox, address="of-others")
    assert offered() == (["LINE · LINE", "Sandbox · Sandbox"], None)
    known = add_person()
    assert offered() == (
        ["LINE · LINE · has recipients", "Sandbox · Sandbox"], known.account_id,
    )  # fmt: skip
    add_person(account=world.sandbox, address="here-too")
    assert offered()[1] is None


def test_a_choice_has_no_menu_that_deletes_what_is_chosen(staff, account):
    page = text_of(staff.get(f"{IMPORTS}add/"))
    assert 'name="account"' in page and "related-widget-wrapper" not in page


def test_long_words_are_refused(staff, person):
    assert set(errors_of(staff.post(f"{RECIPIENTS}add/", person(tag_words="x" * 51)))) == {
        "tag_words"
    }


def test_the_list_is_narrowed_by_who_opted_out_and_who_is_on_a_list(
    staff, add_person, make_audience, world
):
    out = add_person(name="Outis", opted_out_at=database_now())
    listed = add_person(name="Listed")
    mine = make_audience([listed])
    foreign = make_audience([out], unit=world.south, name="Foreign")
    for query, names in (
        ("opted_out=yes", {"Outis"}), ("opted_out=no", {"Listed"}), (f"list={mine.pk}", {"Listed"}),
        (f"list={foreign.pk}", set()), ("list=x", {"Outis", "Listed"}),
    ):  # fmt: skip
        shown = staff.get(f"{RECIPIENTS}?{query}").context["cl"].queryset
        assert {person.name for person in shown} == names, query


def test_a_viewer_sees_the_words_and_changes_nothing(client, person, add_person, world):
    known = add_person("vip", region="Seoul")
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    change = f"{RECIPIENTS}{known.pk}/change/"
    assert "vip" in text_of(client.get(change))
    assert client.post(change, person()).status_code == 403
    assert "Import people" not in text_of(client.get(RECIPIENTS))


def test_an_export_holds_ones_own_people_harmless_and_is_remembered(staff, add_person, world):
    own = add_person("vip", name="=cmd")
    foreign = add_person(unit=world.tainan, name="Somebody")
    action = {"action": "export", "_selected_action": [own.pk, foreign.pk]}
    answer = staff.post(RECIPIENTS, action)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[1:] == [f"{own.address},'=cmd,,,vip,"]
    entry = History.objects.get(verb="exported")
    assert (entry.changes, entry.unit_path) == ({"recipients": 1}, world.taipei.path)


def test_lists_ask_as_much_for_one_row_as_for_thirty(staff, add_person, make_audience):
    def grow(number: int) -> None:
        make_audience([add_person("vip", name=f"N{number}")], name=f"A{number}")

    grow(0)
    ones = [queries_of(staff, address) for address in (RECIPIENTS, AUDIENCES)]
    for number in range(1, 30):
        grow(number)
    assert [queries_of(staff, address) for address in (RECIPIENTS, AUDIENCES)] == ones


# Audiences


def test_a_rule_is_written_in_words(staff, rule, add_person):
    add_person(language="ko")
    posted = rule(tag_words="vip，new", region_words="Seoul", tag_match="all", most="5")
    assert staff.post(f"{AUDIENCES}add/", posted).status_code == 302
    added = Audience.objects.get()
    assert (added.tags, added.regions, added.languages) == (["vip", "new"], ["Seoul"], ["ko"])
    assert (added.kind, added.tag_match, added.most) == ("rule", "all", 5)
    form = staff.get(f"{AUDIENCES}{added.pk}/change/").context["adminform"].form
    assert (form["tag_words"].value(), form["region_words"].value()) == ("vip, new", "Seoul")


def test_the_page_says_how_many_are_in_it_now(staff, make_audience, add_person, world):
    for unit in (world.xinyi, world.taipei, world.tainan):
        add_person(unit=unit)
    add_person(opted_out_at=database_now())
    page = text_of(staff.get(f"{AUDIENCES}{make_audience().pk}/change/"))
    assert "<b>2</b>" in page and "Count all" not in page


def test_many_are_counted_only_when_one_asks(staff, make_audience, add_person, monkeypatch):
    monkeypatch.setattr(audiences, "COUNTED_AT_ONCE", 2)
    for _number in range(3):
        add_person()
    address = f"{AUDIENCES}{make_audience().pk}/"
    assert "<b>2</b> or more." in text_of(staff.get(f"{address}change/"))
    assert "3 people would get" in text_of(staff.get(f"{address}count/", follow=True))
    assert staff.post(f"{address}count/").status_code == 405


def test_people_come_on_a_list_and_off_it_by_address(staff, rule, add_person):
    for address in (ONE, TWO):
        add_person(address=address)
    staff.post(
        f"{AUDIENCES}add/", rule(kind="list", language_codes=[], put_on=f"{ONE}\n{TWO}\n{ONE}")
    )
    audience = Audience.objects.get()
    assert audience.count() == 2
    change = f"{AUDIENCES}{audience.pk}/change/"
    staff.post(change, rule(kind="list", language_codes=[], put_on=ONE, take_off=TWO))
    assert [address for batch in audience.batches(9) for address in batch] == [ONE]


@pytest.mark.parametrize("where", ["tainan", "nowhere"])
def test_a_person_of_others_is_as_good_as_nobody(staff, rule, add_person, world, where):
    if where == "tainan":
        add_person(unit=world.tainan, address=ONE)
    answer = staff.post(f"{AUDIENCES}add/", rule(kind="list", language_codes=[], put_on=ONE))
    assert errors_of(answer) == {
        "put_on": [f"Not among the recipients of this account and unit: {ONE}"]
    }


def test_nobody_is_put_on_a_rule(staff, rule, add_person):
    add_person(address=ONE)
    assert set(errors_of(staff.post(f"{AUDIENCES}add/", rule(put_on=ONE)))) == {"put_on"}


def test_a_list_is_not_given_the_words_of_a_rule(staff, rule, make_audience):
    answer = staff.post(f"{AUDIENCES}add/", rule(kind="list", tag_words="vip"))
    assert set(errors_of(answer)) == {"tag_words"}
    # One that became a list keeps the words that it had, and they forbid nothing.
    once = make_audience([], tags=["vip"], name="Once a rule")
    kept = rule(kind="list", tag_words="vip", language_codes=[], name="Now a list")
    assert staff.post(f"{AUDIENCES}{once.pk}/change/", kept).status_code == 302


def test_words_that_people_of_ones_own_bear_are_offered(staff, add_person, world):
    for region in ("Taipei", "Keelung", "Taipei", ""):
        add_person("vip", "new", region=region)
    add_person("secret", unit=world.tainan, region="Tainan")
    for page, tags, regions in (
        (AUDIENCES, "tag_words", "region_words"), (RECIPIENTS, "tag_words", "region"),
    ):  # fmt: skip
        fields = staff.get(f"{page}add/").context["adminform"].form.fields
        offered = [json.loads(fields[n].widget.attrs["data-words"]) for n in (tags, regions)]
        assert offered == [["new", "vip"], ["Taipei", "Keelung"]]


def test_a_viewer_reads_the_rule(client, make_audience, world):
    audience = make_audience(tags=["vip"], regions=["Seoul"], languages=["ko"])
    client.force_login(world.person(world.taipei, Role.VIEWER))
    page = text_of(client.get(f"{AUDIENCES}{audience.pk}/change/"))
    assert "vip" in page and "Seoul" in page and "한국어" in page


# Imports


@pytest.fixture
def upload(staff, world, account, settings, tmp_path):
    """Post a file as the manager of taipei; the address of the page that it leads to."""
    settings.MEDIA_ROOT = tmp_path

    def post(data: bytes, name: str = "people.csv", **other: Any) -> Any:
        file = SimpleUploadedFile(name, data)
        values = {"unit": world.taipei.pk, "account": account.pk, "audience": "", "file": file}
        return staff.post(f"{IMPORTS}add/", values | other)

    return post


def columns(**other: Any) -> dict[str, Any]:
    return {"go": "check", "encoding": "utf-8-sig", "column_address": "0",
            "column_name": "1"} | other  # fmt: skip


def test_from_the_upload_to_the_people(staff, upload):
    page = upload(f"주소,이름\n{ONE},김민준\n{TWO},이서연\n".encode("cp949")).headers["Location"]
    shown = staff.get(page)
    assert "김민준" in text_of(shown) and shown.context["encoding"] == "cp949"
    places = {column["name"]: column["place"] for column in shown.context["columns"]}
    assert (places["address"], places["name"], places["tags"]) == (0, 1, -1)
    checked = staff.post(page, columns(encoding="cp949"), follow=True)
    assert "Every row is in order" in text_of(checked) and not Recipient.objects.exists()
    done = staff.post(page, {"go": "import"}, follow=True)
    assert "2 people imported." in text_of(done)
    row = RecipientImport.objects.get()
    onward = f"{AUDIENCES}add/?unit={row.unit_id}&amp;account={row.account_id}&amp;kind=rule"
    assert onward in text_of(done)
    assert sorted(Recipient.objects.values_list("name", "unit__code")) == [
        ("김민준", "taipei"), ("이서연", "taipei"),
    ]  # fmt: skip


def test_a_table_that_is_wider_than_what_is_read_says_so(staff, upload):
    for count, is_said in ((3, False), (51, True)):
        heading = ",".join(f"c{number}" for number in range(count))
        page = upload(f"{heading}\n{ONE}\n".encode()).headers["Location"]
        assert ("Only the first 50 columns are read." in text_of(staff.get(page))) is is_said


def test_a_page_that_asks_is_told_how_far_it_is(staff, upload):
    many = "".join(f"{line_id(number)},N{number}\n" for number in range(2_500))
    page = upload(f"id,name\n{many}".encode()).headers["Location"]

    def lines(posted):
        answer = staff.post(page, posted, headers={"X-Progress": "1"})
        return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]

    rows = [{"rows": 1000}, {"rows": 2000}]
    assert lines(columns()) == [*rows, {"then": page}]
    assert lines({"go": "import"}) == [*rows, {"writing": True}, {"then": page}]
    assert Recipient.objects.count() == 2_500


def test_what_is_wrong_is_told_to_it_too(staff, upload):
    page = upload(f"id,name\n{ONE},Anna\n".encode()).headers["Location"]
    posted = columns(column_address="")
    answer = staff.post(page, posted, headers={"X-Progress": "1"})
    said = json.loads(b"".join(answer.streaming_content))
    assert said == {"error": "Say which column holds the addresses."}


def test_the_button_of_a_file_says_what_it_does(staff):
    page = text_of(staff.get(f"{IMPORTS}add/"))
    assert ">Upload<" in page.replace("\n", "").replace("  ", "") and "Save" not in page


def test_a_workbook_asks_for_no_encoding(staff, upload):
    page = upload(workbooks.table(["id", "name"], [ONE, "Ann"]), "people.xlsx").headers["Location"]
    assert "Encoding" not in text_of(staff.get(page))
    staff.post(page, columns(encoding=""))
    staff.post(page, {"go": "import"})
    assert Recipient.objects.get().name == "Ann"


def test_what_a_workbook_holds_beside_its_table_is_no_error(staff, upload):
    data = workbooks.table(["id", "name"], [ONE, "Ann", "", "a note"])
    staff.post(upload(data, "people.xlsx").headers["Location"], columns(encoding=""))
    assert RecipientImport.objects.get().stage == "checked"


def test_columns_of_one_title_are_told_apart(staff, upload):
    shown = staff.get(upload(f"id,name,name,\n{ONE},a,b,\n".encode()).headers["Location"])
    titles = [title for _place, title in shown.context["columns"][0]["options"]]
    assert titles == ["id", "name (2)", "name (3)", "4"]


def test_a_missing_quotation_mark_is_not_called_an_unknown_encoding(staff, upload):
    page = upload(f'id,name\n"{ONE},Ann\n'.encode()).headers["Location"]
    assert "quotation mark missing" in text_of(staff.get(page))
    assert "cannot tell how" not in text_of(staff.get(page))


def test_errors_are_shown_with_line_and_column_and_nothing_is_imported(staff, upload):
    page = upload(f"id,name\n{ONE},=1\nx,Ben\n".encode()).headers["Location"]
    answer = staff.post(page, columns(), follow=True)
    assert "2 errors: nothing can be imported" in text_of(answer)
    row = RecipientImport.objects.get()
    assert [problem[:2] for problem in row.problems] == [[2, "name"], [3, "id"]]
    answer = staff.post(page, {"go": "import"}, follow=True)
    assert "Nothing was imported" in text_of(answer) and not Recipient.objects.exists()


def test_from_the_errors_a_link_leads_to_the_next_upload_as_it_was_chosen(staff, upload):
    page = upload(b"id,name\nx,Ben\n").headers["Location"]
    shown = staff.post(page, columns(), follow=True)
    assert "people.csv" in text_of(shown)
    again = re.search(r'href="([^"]*/add/[?][^"]*)"', text_of(shown))
    form = staff.get(unescape(again[1])).context["adminform"].form
    row = RecipientImport.objects.get()
    assert (form["unit"].value(), form["account"].value()) == (
        str(row.unit_id),
        str(row.account_id),
    )


def test_where_the_encoding_cannot_be_told_a_person_chooses(staff, upload):
    page = upload("id,ñ\nU1,ñ\n".encode("latin-1")).headers["Location"]
    assert "Please choose" in text_of(staff.get(page))
    assert "cannot tell how the file is encoded" in text_of(staff.get(page))
    shown = staff.post(page, {"go": "look", "encoding": "cp949"})
    assert shown.status_code == 200 and RecipientImport.objects.get().encoding == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\x89PNG\x00", "no table"), (b"\xd0\xcf\x11\xe0", "old Excel"), (b"PK\x03\x04", "damaged")],
)
def test_what_is_no_table_is_refused_at_the_upload(upload, data, said):
    assert said in str(errors_of(upload(data))["file"])
    assert not RecipientImport.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"column_address": ""}, "which column holds the addresses"),
        ({"column_address": "99"}, "which column holds the addresses"),
        ({"column_name": "0"}, "one thing only"),
        ({"encoding": "cp037"}, "Choose the encoding"),
        ({"encoding": "utf-16"}, "cannot be read as UTF-16"),
    ],
)
def test_what_cannot_be_checked_says_why(staff, upload, wrong, said):
    page = upload(f"id,name\n{ONE},Anna\n".encode()).headers["Location"]
    answer = staff.post(page, columns(**wrong), follow=True)
    assert said in text_of(answer)
    assert RecipientImport.objects.get().stage == "uploaded"


def test_an_upload_into_a_unit_out_of_reach_is_refused(upload, world):
    assert "unit" in errors_of(upload(b"id\nU1\n", unit=world.south.pk))


def test_an_import_of_others_is_not_there(client, staff, upload, world):
    page = upload(b"id\nU1\n").headers["Location"]
    client.force_login(world.people["tainan"])
    for answer in (client.get(page), client.post(page, {"go": "import"})):
        assert answer.status_code == 404


def test_deleting_several_imports_deletes_their_files(staff, upload, tmp_path):
    for _number in range(2):
        upload(b"id\nU1\n")
    picked = list(RecipientImport.objects.values_list("pk", flat=True))
    chosen = {"action": "delete_selected", "_selected_action": picked, "post": "yes"}
    staff.post(IMPORTS, chosen)
    assert not RecipientImport.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
