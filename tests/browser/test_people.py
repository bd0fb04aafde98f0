"""A manager takes people in from a file and makes an audience of them; a clerk writes to it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from channels.models import Account, Audience, Recipient, RecipientImport
from orgs.reach import Role
from schedules.models import Schedule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = pytest.mark.parametrize("width", [1280, 390])
MANY = 2_500


def line_id(number: int) -> str:
    return f"U{number:032x}"


@pytest.fixture
def account(world) -> Account:
    made = Account(unit=world.hq, name="LINE", kind="line", is_shared=True)
    made.secrets = {"access_token": "a" * 40}
    made.save()
    return made


def write(folder: Path, rows: list[str]) -> Path:
    file = folder / "people.csv"
    file.write_text("\n".join(["주소,이름,태그", *rows]), encoding="cp949")
    return file


def upload(page: Page, account: Account, file: Path) -> None:
    page.goto("/admin/channels/recipientimport/add/")
    page.locator("[name=account]").select_option(str(account.pk))
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()


@WIDTHS
def test_a_file_is_mapped_corrected_and_taken_in(browse, world, account, tmp_path, width):
    page = browse(world.people["taipei"], width=width)
    upload(page, account, write(tmp_path, [f"{line_id(1)},=1,", "nobody,이서연,"]))
    expect(page.locator("[name=encoding]")).to_have_value("cp949")
    expect(page.get_by_label("Address")).to_have_value("0")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_role("heading", name="2 errors: nothing can be imported")).to_be_visible()
    lines = page.locator("tr", has=page.locator(".tj-figures"))
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("2이름“=1”: It begins as a formula")
    expect(lines.nth(1)).to_contain_text("3주소“nobody”: A LINE user")
    assert not Recipient.objects.exists()

    people = [f'{line_id(number)},김민준 {number},"vip, new"' for number in range(MANY)]
    upload(page, account, write(tmp_path, people))
    page.get_by_label("Tags").select_option("")
    page.get_by_label("Tags").select_option(label="태그")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_role("heading", name="Every row is in order")).to_be_visible()
    page.get_by_role("button", name="Import 2,500 people").click()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    assert Recipient.objects.filter(tags__name="vip", unit=world.taipei).count() == MANY
    assert RecipientImport.objects.order_by("id").last().file.name == ""


def test_the_page_says_how_far_it_came_when_the_connection_is_lost(
    browse, world, account, tmp_path
):
    page = browse(world.people["taipei"])
    upload(page, account, write(tmp_path, [f"{line_id(n)},Ann,vip" for n in range(MANY)]))
    # The answer ends in the middle, as when the connection is lost: what was told stays seen.
    page.route("**/change/", _only_the_first_lines)
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("The connection was lost.")).to_be_visible()
    expect(page.locator("#progress [data-rows]")).to_have_text("2,000")
    expect(page.get_by_role("button", name="Check every row")).to_be_enabled()


def _only_the_first_lines(route) -> None:
    if route.request.method != "POST":
        route.continue_()
        return
    route.fulfill(body='{"rows": 1000}\n{"rows": 2000}\n', content_type="application/x-ndjson")


@WIDTHS
def test_an_audience_by_tags_is_counted_and_written_to(browse, world, account, width):
    for number in range(5):
        person = Recipient.objects.create(
            unit=world.xinyi, account=account, address=line_id(number), name=f"N{number}"
        )
        person.retag(["vip"] if number < 3 else ["new"])
    manager = browse(world.people["xinyi"], width=width)
    manager.goto("/admin/channels/audience/add/")
    expect(manager.locator("[name=account]")).to_have_value(str(account.pk))
    manager.locator("[name=name]").fill("Members")
    expect(manager.locator("[name=tag_words]")).to_be_hidden()
    manager.locator("[name=kind]").select_option("rule")
    expect(manager.locator("[name=put_on]")).to_be_hidden()
    manager.get_by_role("button", name="vip", exact=True).click()
    expect(manager.locator("[name=tag_words]")).to_have_value("vip")
    manager.get_by_role("button", name="Save and continue editing").click()
    expect(manager.locator("#audience_form b").first).to_have_text("3")

    clerk = browse(world.person(world.xinyi, Role.OPERATOR), width=width)
    clerk.goto("/admin/schedules/schedule/add/")
    clerk.get_by_label("Title").fill("To members")
    tiles = clerk.locator(".tj-tiles-row .tj-tile")
    boxes = [tiles.nth(place).bounding_box() for place in range(3)]
    in_a_row = len({round(box["y"]) for box in boxes}) == 1
    assert in_a_row == (width > 800) and len({round(box["width"]) for box in boxes}) == 1
    clerk.get_by_text("An audience", exact=True).click()
    clerk.get_by_label("Audience", exact=True).select_option(label="Members · LINE · exactly once")
    go_on(clerk, "content")
    clerk.locator("#id_text").fill("Hello")
    go_on(clerk, "timing")
    clerk.get_by_text("Every day", exact=True).click()
    clerk.get_by_label("Time", exact=True).fill("09:00")
    go_on(clerk, "review")
    expect(clerk.get_by_text("3 people of “Members”", exact=True)).to_be_visible()
    clerk.get_by_role("button", name="Register").click()
    clerk.wait_for_url("**/change/")
    schedule = Schedule.objects.get()
    assert (schedule.audience, schedule.expected) == (Audience.objects.get(), 3)


def go_on(page: Page, step: str) -> None:
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.wait_for_url(f"**/register/{step}/")
